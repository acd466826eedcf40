"""Which products are meant, in people's words: class codes and names of annotators, not numbers."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from mmcore.catalog.products import SPLITS
from mmcore.errors import ConfigError, NotFoundError
from mmcore.store.engine import Store
from mmcore.store.people import find_annotator
from mmcore.store.product_filter import ProductFilter
from mmcore.store.tables import ModelVersion, ProductClass

_SHOWN = 8  # names that an error lists


@dataclass(frozen=True)
class ProductChoice:
    """Every part narrows the choice; None and () leave it open.

    Attributes:
        classes, predicted: codes; predicted by `model`, else by the one in production.
        annotator: name of somebody who has annotated the product.
        search: words, or beginnings of words, that all occur in title, description or id.
        text_chars: least and most characters of title and description together.
        has_copies: near-copies of it are in the catalogue.
        group_id: of near-copies.
        photos: content keys; products with one of these photos.
    """

    classes: tuple[str, ...] = ()
    predicted: tuple[str, ...] = ()
    model: str | None = None
    split: str | None = None
    is_labelled: bool | None = None
    is_flagged: bool | None = None
    has_photo: bool | None = None
    annotator: str | None = None
    search: str = ""
    text_chars: tuple[int, int] | None = None
    has_copies: bool | None = None
    group_id: str | None = None
    photos: tuple[str, ...] | None = None


def find_filter(store: Store, choice: ProductChoice) -> ProductFilter:
    """Return the filter that a choice stands for.

    Raises:
        NotFoundError: if there is no such class, model or annotator.
        ConfigError: if the split is unknown.
    """
    if choice.split is not None and choice.split not in SPLITS:
        raise ConfigError(f"split {choice.split!r}: use one of {', '.join(SPLITS)}")
    with store.reading() as session:
        return ProductFilter(
            class_ids=_class_ids(session, choice.classes),
            predicted_class_ids=_class_ids(session, choice.predicted),
            model_version_id=_model_id(session, choice.model),
            split=choice.split,
            is_labelled=choice.is_labelled,
            is_flagged=choice.is_flagged,
            has_photo=choice.has_photo,
            annotator_id=find_annotator(session, choice.annotator).id if choice.annotator else None,
            search=choice.search,
            text_chars=choice.text_chars,
            has_copies=choice.has_copies,
            group_id=choice.group_id,
            photos=choice.photos,
        )


def _class_ids(session: Session, codes: tuple[str, ...]) -> tuple[int, ...] | None:
    if not codes:
        return None
    rows = session.execute(select(ProductClass.code, ProductClass.id))
    known = dict(rows.all())
    for code in codes:
        if code not in known:
            raise _unknown("class", code, sorted(known))
    return tuple(known[code] for code in dict.fromkeys(codes))


def _model_id(session: Session, name: str | None) -> int | None:
    if name is None:
        return None
    known = dict(session.execute(select(ModelVersion.name, ModelVersion.id)).all())
    if name not in known:
        raise _unknown("model", name, list(known))
    return known[name]


def _unknown(what: str, name: str, known: list[str]) -> NotFoundError:
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    listed = ", ".join(known[:_SHOWN]) or "none"
    return NotFoundError(f"there is no {what} {name!r}; there are: {listed}{more}")
