"""Products of an import laid over those that are there already, by product id.

What a file says replaces what was there, with two exceptions, both because nothing a person has
given may get lost: an empty label doesn't take a label away, and a photo that can't be read
leaves the old one in place. Columns that the file doesn't have stay as they were.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from mmcore.catalog.intake import TakenProduct
from mmcore.catalog.issues import KEPT, LEFT_OUT, RowIssue
from mmcore.catalog.products import BASE_COLUMNS, make_frame

_AT = {name: place for place, name in enumerate(BASE_COLUMNS)}


@dataclass(frozen=True)
class GivenColumns:
    """What a file has columns for.

    Attributes:
        fields: field of CsvColumns -> column name in the file, for messages.
        extra: names of its further columns.
    """

    fields: Mapping[str, str]
    extra: tuple[str, ...] = ()


@dataclass
class Merged:
    """The catalogue's products after an import; groups and splits of new ones still empty."""

    products: pd.DataFrame
    file_ids: list[str] = field(default_factory=list)  # products of this import
    given_splits: set[str] = field(default_factory=set)  # those of them whose split the file gives
    issues: list[RowIssue] = field(default_factory=list)
    num_added: int = 0
    num_updated: int = 0
    num_unchanged: int = 0


def merge_products(
    existing: pd.DataFrame, taken: Iterable[TakenProduct], given: GivenColumns
) -> Merged:
    """Return the products of both: those that were there in their order, then the new ones.

    Args:
        existing: products of the catalogue so far, perhaps none.
        taken: rows of the import, each product id once.
    """
    old_extra = [name for name in existing.columns if name not in BASE_COLUMNS]
    extra = list(dict.fromkeys([*old_extra, *given.extra]))
    places = tuple(len(BASE_COLUMNS) + extra.index(name) for name in given.extra)
    blank = ("",) * (len(BASE_COLUMNS) + len(extra))
    frame = existing.reindex(columns=[*BASE_COLUMNS, *extra], fill_value="")
    rows = dict(zip(frame["product_id"], frame.itertuples(index=False, name=None), strict=True))
    merged = Merged(existing)
    for product in taken:
        product_id = product.row.product_id
        old = rows.get(product_id)
        new = _laid_over(old or blank, product, given.fields, places)
        if not _can_be_classified(new):
            merged.issues.append(_left_out(product, given))
            continue
        merged.issues += _remarks(old, new, product, given)
        merged.file_ids.append(product_id)
        if product.row.split:
            merged.given_splits.add(product_id)
        merged.num_added += old is None
        merged.num_updated += old is not None and new != old
        merged.num_unchanged += new == old
        rows[product_id] = new
    merged.products = make_frame(rows.values(), extra)
    return merged


def _laid_over(
    old: tuple[str, ...],
    product: TakenProduct,
    fields: Mapping[str, str],
    places: tuple[int, ...],
) -> tuple[str, ...]:
    row, new = product.row, list(old)
    new[_AT["product_id"]] = row.product_id
    for name in {"title", "description"} & set(fields):
        new[_AT[name]] = getattr(row, name)
    if "image" in fields and not product.problem:
        new[_AT["photo"]], new[_AT["photo_hash"]] = product.photo, product.photo_hash
    for name, value in (("label", row.label), ("group_id", row.group), ("split", row.split)):
        new[_AT[name]] = value or new[_AT[name]]
    for place, value in zip(places, row.extra, strict=True):
        new[place] = value
    return tuple(new)


def _can_be_classified(row: tuple[str, ...]) -> bool:
    return any(row[_AT[name]] for name in ("title", "description", "photo"))


def _left_out(product: TakenProduct, given: GivenColumns) -> RowIssue:
    reason = f"nothing to classify: no title or description, and {product.problem}"
    return _issue(product, "image", reason, LEFT_OUT, given)


def _remarks(
    old: tuple[str, ...] | None,
    new: tuple[str, ...],
    product: TakenProduct,
    given: GivenColumns,
) -> list[RowIssue]:
    """Return what a person should know about a row that was kept."""
    remarks = []
    if product.problem:
        what = "with the photo it had" if new[_AT["photo"]] else "without photo"
        remarks.append(
            _issue(product, "image", f"{product.problem}; it is kept {what}", KEPT, given)
        )
    if old and old[_AT["split"]] == "test" != new[_AT["split"]]:
        reason = (
            f"the file moves this product from test to {new[_AT['split']]}; models trained from "
            "now on may learn from it: don't compare their test scores with earlier ones"
        )
        remarks.append(_issue(product, "split", reason, KEPT, given))
    return remarks


def _issue(
    product: TakenProduct, field_name: str, reason: str, severity: str, given: GivenColumns
) -> RowIssue:
    column = given.fields.get(field_name, "")
    return RowIssue(product.row.line, product.row.product_id, column, reason, severity)
