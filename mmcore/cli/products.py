"""Commands that look through the catalogue: products list, show, count."""

from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mmcore.cli import screen
from mmcore.cli.filter_options import (
    ByAnnotator,
    Classes,
    Flagged,
    Labelled,
    Photo,
    Predicted,
    Search,
    Split,
)
from mmcore.cli.options import Home, Json, open_workspace
from mmcore.times import local_time

if TYPE_CHECKING:  # the store is opened by the command that needs it, not by --help
    from mmcore.catalog.class_names import ClassName, Ranked
    from mmcore.services.browse import (
        Count,
        ProductDetail,
        ProductPage,
        ProductRow,
    )
    from mmcore.services.catalogue_numbers import CatalogueNumbers
    from mmcore.store.engine import Store

ORDERS = "catalogue, newest, random; by the model: suspicion, disagreement, margin, entropy"


def list_products(
    home: Home = None,
    label: Classes = None,
    predicted: Predicted = None,
    split: Split = None,
    labelled: Labelled = None,
    flagged: Flagged = None,
    photo: Photo = None,
    annotator: ByAnnotator = None,
    search: Search = "",
    order: Annotated[str, typer.Option(help=f"{ORDERS}.")] = "catalogue",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Products on the page.")] = 50,
    after: Annotated[
        str | None, typer.Option(metavar="PAGE", help="next_page of the page before.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List products, a page at a time; filters add up."""
    from mmcore.services import browse
    from mmcore.services.product_choice import ProductChoice, find_filter

    choice = ProductChoice(
        classes=tuple(label or ()),
        predicted=tuple(predicted or ()),
        split=split,
        is_labelled=labelled,
        is_flagged=flagged,
        has_photo=photo,
        annotator=annotator,
        search=search,
    )
    with _opened(home) as store:
        wanted = find_filter(store, choice)
        page = browse.list_products(store, wanted, order, browse.PageRequest(after, limit))
        count = browse.count_products(store, wanted)
    if as_json:
        shown = {"products": [_row_json(row) for row in page.rows], "next_page": page.next_page}
        screen.print_json({**shown, "count": {"num": count.num, "is_more": count.is_more}})
        return
    _print_page(page, count)


def show_product(
    product_id: Annotated[str, typer.Argument(help="The shop's own id.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show one product: its texts, its label, who decided what and when, what models say."""
    from mmcore.services.browse import product_detail

    with _opened(home) as store:
        detail = product_detail(store, product_id)
    if as_json:
        screen.print_json(asdict(detail))
        return
    for line in _detail_lines(detail):
        screen.out().print(screen.plain(line))


def count_products(home: Home = None, as_json: Json = False) -> None:
    """Count products by class and split, and what they lack."""
    from mmcore.services.catalogue_numbers import catalogue_numbers

    with _opened(home) as store:
        numbers = catalogue_numbers(store)
    if as_json:
        screen.print_json(numbers.to_json())
        return
    _show_numbers(numbers)


def _opened(home: Path | None) -> "AbstractContextManager[Store]":
    """Return the store of the chosen workspace as a context; none is made by looking."""
    from mmcore.services.catalogue_frame import has_store, no_catalogue
    from mmcore.services.opening import opened_store

    workspace, settings = open_workspace(home)
    if not has_store(workspace, settings):
        raise no_catalogue(f"workspace {workspace.home}")
    return opened_store(workspace, settings)


def _print_page(page: "ProductPage", count: "Count") -> None:
    screen.out().print(_table(page.rows))
    more = "+" if count.is_more else ""
    screen.out().print(f"{len(page.rows):,} of {count.num:,}{more} products")
    if page.next_page:
        screen.out().print(screen.plain(f"next page: --after '{page.next_page}'"))


def _row_json(row: "ProductRow") -> dict:
    return {**asdict(row), "has_photo": row.has_photo}


def _table(rows: "tuple[ProductRow, ...]") -> Table:
    table = Table()
    for column in ("id", "title", "label", "predicted"):
        table.add_column(column)
    table.add_column("", justify="right")
    for column in ("split", "photo", "flag"):
        table.add_column(column)
    table.add_column("marks", justify="right")
    for row in rows:
        sure = f"{row.predicted.probability:.0%}" if row.predicted else ""
        words = (row.product_id, row.title[:48], _named(row.label), _named(row.predicted))
        marks = (row.split, "yes" if row.has_photo else "-", "flag" if row.is_flagged else "")
        table.add_row(*map(screen.plain, words), sure, *marks, str(row.num_annotations))
    return table


def _named(found: "ClassName | Ranked | None") -> str:
    if found is None:
        return "-"
    return found.code if found.name_fr == found.code else f"{found.code} {found.name_fr}"


def _detail_lines(detail: "ProductDetail") -> list[str]:
    lines = [
        f"{detail.product_id}: {detail.title or '(no title)'}",
        f"label: {_named(detail.label)}; split: {detail.split}; group: {detail.group_id}; "
        f"photo: {detail.photo[:12] or '-'}{'; flagged' if detail.is_flagged else ''}",
    ]
    if detail.removed_at is not None:
        lines.append(f"not in the catalogue any more since {local_time(detail.removed_at)}")
    if detail.description:
        lines.append(detail.description)
    lines += [f"{name}: {value}" for name, value in detail.extra.items()]
    for entry in detail.history:
        change = f"{entry.label_before or 'none'} -> {entry.label or 'none'}"
        comment = f" ({entry.comment})" if entry.comment else ""
        lines.append(
            f"{local_time(entry.created_at)}  {entry.annotator}: {entry.kind}, {change}{comment}"
        )
    lines += [
        f"{says.model} ({says.stage}): {says.fused} {says.fused_probability:.0%}, "
        f"text {says.text or '-'}, image {says.image or '-'}"
        for says in detail.predictions
    ]
    return lines


def _show_numbers(numbers: "CatalogueNumbers") -> None:
    splits = ", ".join(f"{count:,} {split}" for split, count in numbers.by_split.items())
    lines = (
        f"{numbers.num_products:,} products ({splits}); {numbers.num_labelled:,} labelled, "
        f"{numbers.num_flagged:,} flagged",
        f"without title {numbers.num_without_title:,}, without description "
        f"{numbers.num_without_description:,}, without photo {numbers.num_without_photo:,}",
    )
    for line in lines:
        screen.out().print(line)
    table = Table()
    table.add_column("class")
    for column in ("train", "val", "test", "products"):
        table.add_column(column, justify="right")
    for row in numbers.classes:
        name = row.code if row.name_fr == row.code else f"{row.code} {row.name_fr}"
        cells = [*map(str, row.by_split.values()), str(row.num_products)]
        table.add_row(screen.plain(name), *cells)
    screen.out().print(table)
