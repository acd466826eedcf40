"""What real catalogues get wrong, planted on purpose: labels, missing and broken photos, copies.

Each kind of fault takes its exact share from a ranking of its own, so the shares hold at every
size and no product has two photo faults.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, PngImagePlugin

from mmcore.catalog.drawing.draws import ranked, stream
from mmcore.catalog.drawing.texts import VOCABULARIES, Listing
from mmcore.catalog.drawing.vocabulary import NEIGHBOURS

WRONG_LABEL_SHARE = 0.04
NO_DESCRIPTION_SHARE = 0.35
NO_PRICE_SHARE = 0.10
NO_BRAND_SHARE = 0.25
COPY_SHARE = 0.02  # half repeat a text, half a picture

# Share of the products whose photo is of each kind; all others are plain JPEG.
PHOTO_SHARES = {
    "none": 0.03,
    "broken": 0.015,
    "png": 0.02,  # transparent background
    "grey": 0.015,
    "gif": 0.001,
    "cmyk": 0.001,
    "turned": 0.002,  # lies on its side, EXIF says so
}
SUFFIXES = {"none": "", "png": ".png", "gif": ".gif"}

_MARK = "Drawn by code for the demo catalogue of Rayon; not a photograph of any product."
_EXIF_ORIENTATION = 0x0112
_TURNED_RIGHT = 6  # the camera lay on its side: turn 90 degrees clockwise to see it upright


@dataclass(frozen=True)
class Faults:
    """Which products carry which fault, by key."""

    labels: Mapping[str, str]  # wrong label
    photos: Mapping[str, str]  # kind of photo, where not plain JPEG
    no_description: frozenset[str]
    no_price: frozenset[str]
    no_brand: frozenset[str]


def plan_faults(seed: int, true_labels: Mapping[str, str]) -> Faults:
    """Return the faults of a catalogue whose products `true_labels` names (key to class)."""
    keys = sorted(true_labels)
    wrong = _share(ranked(seed, "wrong label", keys), WRONG_LABEL_SHARE)
    return Faults(
        labels={key: _wrong_label(seed, key, true_labels[key], i % 2 == 0)
                for i, key in enumerate(wrong)},
        photos=_photo_kinds(ranked(seed, "photo kind", keys)),
        no_description=frozenset(_share(ranked(seed, "description", keys), NO_DESCRIPTION_SHARE)),
        no_price=frozenset(_share(ranked(seed, "no price", keys), NO_PRICE_SHARE)),
        no_brand=frozenset(_share(ranked(seed, "no brand", keys), NO_BRAND_SHARE)),
    )  # fmt: skip


def plan_copies(
    seed: int, listings: Mapping[str, Listing], faults: Faults
) -> tuple[dict[str, str], dict[str, str]]:
    """Return near-copies as two mappings from copy to original: same text, same picture.

    Both have sound photos and one class; a picture is only repeated for an item that it shows.
    """
    wanted = max(2, round(COPY_SHARE * len(listings)))
    sound = [key for key in ranked(seed, "copy", sorted(listings)) if key not in faults.photos]
    # a copy of a text must not lack the description that its original has
    likes = {key: (key.partition("/")[0], listings[key].item, key in faults.no_description)
             for key in sound}  # fmt: skip
    texts: dict[str, str] = {}
    pictures: dict[str, str] = {}
    free = list(sound)
    while free and len(texts) + len(pictures) < wanted:
        key = free.pop(0)
        original = next((other for other in free if likes[other] == likes[key]), None)
        if original:
            free.remove(original)
            (texts if len(texts) < len(pictures) else pictures)[key] = original
    return texts, pictures


def save_photo(image: Image.Image, path: Path, kind: str, quality: int = 85) -> None:
    """Write the picture as a photo of the kind; see PHOTO_SHARES."""
    if kind == "png":
        note = PngImagePlugin.PngInfo()
        note.add_text("Comment", _MARK)
        image.save(path, "PNG", pnginfo=note)
    elif kind == "gif":
        image.convert("P", palette=Image.Palette.ADAPTIVE).save(path, "GIF", comment=_MARK)
    elif kind == "turned":
        exif = Image.Exif()
        exif[_EXIF_ORIENTATION] = _TURNED_RIGHT
        on_its_side = image.transpose(Image.Transpose.ROTATE_90)
        on_its_side.save(path, "JPEG", quality=quality, comment=_MARK, exif=exif)
    else:
        mode = {"grey": "L", "cmyk": "CMYK"}.get(kind, "RGB")
        image.convert(mode).save(path, "JPEG", quality=quality, comment=_MARK)


def save_broken(image: Image.Image, path: Path, style: int) -> None:
    """Write a file named like a photo that no decoder can read to its end."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    whole = buffer.getvalue()
    page = b"<!DOCTYPE html><html><head><title>404 Not Found</title></head><body></body></html>\n"
    broken = (whole[: len(whole) * 2 // 5], page, b"", whole[:2] + whole[64:0:-1] * 20)
    path.write_bytes(broken[style % len(broken)])


def _share(order: Sequence[str], share: float) -> Sequence[str]:
    return order[: round(share * len(order))]


def _wrong_label(seed: int, key: str, true_label: str, is_near: bool) -> str:
    near = NEIGHBOURS[true_label]
    codes = near if is_near else [c for c in VOCABULARIES if c != true_label and c not in near]
    return stream(seed, "wrong label to", key).choice(codes)


def _photo_kinds(order: Sequence[str]) -> dict[str, str]:
    kinds: dict[str, str] = {}
    start = 0
    for kind, share in PHOTO_SHARES.items():
        end = start + max(1, round(share * len(order)))
        kinds |= dict.fromkeys(order[start:end], kind)
        start = end
    return kinds
