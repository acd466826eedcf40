"""A workbook as CSV: its rows on the lines that a person counts, and nothing that hurts."""

import datetime
import zipfile

import openpyxl
import pytest

from mmcore.catalog import spreadsheet
from mmcore.catalog.csv_columns import guess_columns
from mmcore.catalog.csv_reader import RawProduct, read_products
from mmcore.catalog.csv_table import open_table
from mmcore.catalog.issues import RowIssue
from mmcore.catalog.spreadsheet import to_csv
from mmcore.errors import CatalogueError


@pytest.fixture
def save(tmp_path):
    """Return a function that saves rows as the first sheet of a workbook and gives its path."""

    def write(rows, name="shop.xlsx"):
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.create_sheet("notes").append(["not", "this"])
        book.save(tmp_path / name)
        return tmp_path / name

    return write


def test_remarks_name_the_row_of_the_sheet(save, tmp_path):
    rows = [
        ["id", "title", "description"],
        ["a", "Piscine", 'ronde,\nbleue; "grande"'],
        [],
        ["b", "Livre"],
        [None, "sans id"],
    ]
    target = tmp_path / "source.csv"
    assert to_csv(save(rows), target) == 4
    table = open_table(target, ",")
    found = list(read_products(table, guess_columns(table.header)))
    products = [row for row in found if isinstance(row, RawProduct)]
    assert [(p.line, p.product_id) for p in products] == [(2, "a"), (4, "b")]
    assert products[0].description == 'ronde, bleue; "grande"'
    assert [(i.line, i.reason) for i in found if isinstance(i, RowIssue)] == [
        (5, "no product id; give each product its own")
    ]


def test_cells_read_as_people_see_them(save, tmp_path):
    day = datetime.datetime(2026, 3, 1, 12, 30)
    path = save([["id", "n", "x", "when", "is"], [7.0, 3.5, None, day, True], [8, None, "é"]])
    to_csv(path, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines() == [
        "id,n,x,when,is",
        "7,3.5,,2026-03-01T12:30:00,True",
        "8,,é,,",
    ]


def test_an_empty_sheet_is_told(save, tmp_path):
    with pytest.raises(CatalogueError, match="first sheet of shop.xlsx is empty"):
        to_csv(save([]), tmp_path / "out.csv")


def test_a_workbook_that_unpacks_to_too_much_is_not_unpacked(save, tmp_path, monkeypatch):
    monkeypatch.setattr(spreadsheet, "MAX_UNPACKED", 1_000)
    with pytest.raises(CatalogueError, match="unpacks to .* the limit is 1,000"):
        to_csv(save([["id", "title"], ["a", "b"]]), tmp_path / "out.csv")


@pytest.mark.parametrize("inside", [{}, {"xl/workbook.xml": b"<no"}, {"[Content_Types].xml": b""}])
def test_a_zip_that_is_no_workbook_is_told(tmp_path, inside):
    path = tmp_path / "shop.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in inside.items():
            archive.writestr(name, data)
    with pytest.raises(CatalogueError, match="shop.xlsx is no Excel workbook .* save the sheet as"):
        to_csv(path, tmp_path / "out.csv")
