"""The product on the Predict screen: typed, pasted, dropped, or taken from somewhere."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from mmcore.errors import ImageError
from mmcore.ui.paste import listen_for_photo, pasted_photo
from mmcore.ui.uploads import let_go

TITLE, DESCRIPTION, PHOTO, SHOWN = "p.title", "p.description", "p.photo", "p.shown"
UPLOAD, PASTE, EXTRA, WITHOUT = "p.upload", "p.paste", "p.extra", "p.without"
REFUSED = "p.refused"
SHOWN_PX = 480
PARTS = ("title", "description", "photo")


@dataclass(frozen=True)
class Subject:
    """A product as it stands on the screen.

    Attributes:
        photo: bytes of its file, None without one; left out of comparisons, `digest` is not.
        extra: (column, value) of further columns that the model reads.
    """

    title: str = ""
    description: str = ""
    photo: bytes | None = field(default=None, compare=False, repr=False)
    digest: str = ""
    extra: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls, title: str, description: str, photo: bytes | None, extra: Sequence[tuple[str, str]]
    ) -> "Subject":
        """Return a product with the digest of its photo."""
        digest = hashlib.sha256(photo).hexdigest() if photo else ""
        return cls(title, description, photo, digest, tuple(extra))

    @property
    def is_empty(self) -> bool:
        return not (self.title.strip() or self.description.strip() or self.photo or self.extra)

    def without(self, parts: Sequence[str]) -> "Subject":
        """Return the product as it would be if it lacked some of PARTS."""
        has_photo = "photo" not in parts
        return Subject(
            "" if "title" in parts else self.title,
            "" if "description" in parts else self.description,
            self.photo if has_photo else None,
            self.digest if has_photo else "",
            self.extra,
        )


def subject_inputs(extra: Sequence[str]) -> None:
    """Draw the fields of the product; what they hold stays when another screen is looked at."""
    st.text_input(
        "Title",
        key=TITLE,
        placeholder="Piscine gonflable 3 m",
        max_chars=2_000,
        live="400ms",
        persist_state="session",
    )
    st.text_area(
        "Description",
        key=DESCRIPTION,
        height=110,
        max_chars=50_000,
        persist_state="session",
    )
    _photo_input()
    for column in extra:
        key = f"{EXTRA}.{column}"
        st.text_input(column, key=key, max_chars=200, persist_state="session")


def subject(extra: Sequence[str]) -> Subject:
    """Return the product that is on the screen."""
    state = st.session_state
    pairs = ((column, state.get(f"{EXTRA}.{column}", "").strip()) for column in extra)
    photo, digest = state.get(PHOTO, (None, ""))
    return Subject(
        state.get(TITLE, ""),
        state.get(DESCRIPTION, ""),
        photo,
        digest,
        tuple((column, value) for column, value in pairs if value),
    )


def put_subject(new: Subject) -> None:
    """Put another product on the screen: in a callback, or before the fields are drawn."""
    for key in list(st.session_state):
        if str(key).startswith(f"{EXTRA}."):
            st.session_state[key] = ""
    st.session_state[TITLE], st.session_state[DESCRIPTION] = new.title, new.description
    for column, value in new.extra:
        st.session_state[f"{EXTRA}.{column}"] = value
    st.session_state[WITHOUT] = []
    _set_photo(new.photo)


def what_if(now: Subject) -> list[str]:
    """Draw the switches that leave something out; return what is left out."""
    has = {"title": now.title.strip(), "description": now.description.strip(), "photo": now.photo}
    chosen = st.pills(
        "What if it had no …",
        PARTS,
        selection_mode="multi",
        key=WITHOUT,
        help="The answers show what changes; the fields keep what they hold.",
        persist_state="session",
    )
    lacking = [part for part in chosen if not has[part]]
    if lacking:
        st.caption(f"It has no {' and no '.join(lacking)} anyway.")
    return [part for part in chosen if has[part]]


def _photo_input() -> None:
    turn = st.session_state.setdefault(UPLOAD, 0)
    file = st.file_uploader(
        "Photo: drop it, choose it, or paste it with Ctrl+V",
        key=f"{UPLOAD}.{turn}",
        max_upload_size=30,
    )
    listen_for_photo(PASTE, _pasted)
    if file is not None:
        _set_photo(file.getvalue())
        let_go([file])
        st.session_state[UPLOAD] = turn + 1
        st.rerun()
    if refused := st.session_state.get(REFUSED):
        st.error(refused, icon=":material/broken_image:")
    if (shown := st.session_state.get(SHOWN)) is not None:
        st.image(shown, width=240)
        st.button(
            "Remove the photo",
            icon=":material/close:",
            on_click=_set_photo,
            args=(None,),
            type="tertiary",
        )


def _pasted() -> None:
    if (photo := pasted_photo(PASTE)) is not None:
        _set_photo(photo)


def _set_photo(photo: bytes | None) -> None:
    """Keep a photo and what the screen shows of it; one that can't be read is told and kept off."""
    from mmcore.images import fit_photo

    st.session_state[REFUSED] = ""
    if photo is None:
        st.session_state[SHOWN], st.session_state[PHOTO] = None, (None, "")
        return
    try:
        st.session_state[SHOWN] = fit_photo(photo, SHOWN_PX)
    except ImageError as error:
        st.session_state[REFUSED] = str(error)
        return
    st.session_state[PHOTO] = (photo, hashlib.sha256(photo).hexdigest())
