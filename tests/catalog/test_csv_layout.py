"""Encodings, separators and files that can't be used."""

import os
from functools import partial
from pathlib import Path

import pytest
from csv_rows import HEADER, ids, read_rows, rows

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.catalog.csv_reader import read_csv
from mmcore.catalog.issues import KEPT
from mmcore.errors import CatalogueError


@pytest.fixture
def read(tmp_path):
    return partial(read_rows, tmp_path / "shop.csv")


# --- encodings


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16", "utf-16-le", "utf-32"]
)
def test_encodings_are_found(read, encoding):
    text = "id;titre;catégorie\n1;été à Nîmes, tout près;Déco\n2;hiver;Déco\n"
    products, issues = read(text.encode(encoding))
    assert [p.title for p in products] == ["été à Nîmes, tout près", "hiver"]
    assert products[0].label == "Déco" and issues == []


def test_windows_1252_has_the_euro_and_the_quotes(read):
    products, _ = read("id;titre\n1;“12 €”\n".encode("cp1252"))
    assert products[0].title == "“12 €”"


def test_the_last_line_may_be_the_first_with_an_accent(read):
    text = HEADER + rows(0, 30_000) + "x,Été,,c\n"
    for encoding in ("utf-8", "latin-1"):
        assert read(text.encode(encoding))[0][-1].title == "Été"


def test_a_few_stray_bytes_dont_turn_the_file_into_latin_1(read):
    good = "".join(f"p{i},été,,c\n" for i in range(200)).encode()
    products, issues = read(HEADER.encode() + good + b"bad,\xe9t\xe9 \x80,,c\n")
    assert {p.title for p in products} == {"été", "été €"} and len(products) == 201
    (issue,) = issues
    assert (issue.line, issue.product_id, issue.severity) == (202, "bad", KEPT)
    assert "byte E9 isn't UTF-8" in issue.reason and "save the whole file as UTF-8" in issue.reason


def test_nul_bytes_are_removed_and_reported(read):
    products, (issue,) = read(b"id,title\n1,a\0b\n2,ok\n")
    assert [p.title for p in products] == ["ab", "ok"]
    assert issue.line == 2 and "NUL" in issue.reason


def test_old_mac_line_ends(read):
    assert ids(read("id,title\r1,a\r2,b\r")[0]) == ["1", "2"]


# --- separators


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_found(read, separator):
    lines = [
        ["id", "title", "price"],
        ["1", '"a, b; c | d"', "1.5"],
        ["2", "plain", "2"],
        ["3", '"two\nlines, yes"', ""],
    ]
    products, issues = read("\n".join(separator.join(line) for line in lines))
    assert len(products) == 3 and issues == []
    assert products[0].extra == ("1.5",)


def test_commas_inside_prices_dont_beat_the_semicolon(read):
    text = "id;title;prix, TTC\n" + "".join(f"{i};Chaise;{i},90\n" for i in range(20))
    assert read(text)[0][3].extra == ("3,90",)


def test_excels_separator_line_is_understood(read):
    products, _ = read("sep=;\nid;title\n1;a,b\n")
    assert products[0].title == "a,b" and products[0].line == 3


def test_a_wrong_separator_says_which_is_right(read):
    with pytest.raises(CatalogueError, match=r"single column 'id,title.*';'; ',' gives 4 columns"):
        read(HEADER + rows(0, 3), separator=";")


def test_a_separator_is_one_character(read):
    with pytest.raises(CatalogueError, match="separator ', ' can't be used; give one character"):
        read(HEADER + rows(0, 3), separator=", ")


# --- files that can't be used


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", r"is empty \(0 bytes\); export it again"),
        ("\n \n", "nothing but blank lines; give a file"),
        (HEADER, "header and no rows .*'category'.*export it again"),
        ("title\na\nb\n", "single column 'title'.*needs two at least"),
        ("id,title,id\n1,2,3\n", "2 columns named 'id' on line 1; rename"),
        ('id,"title\n1,a\n', "header on line 1: a quote.*close it"),
        ("nom,desc\n1,a\n", r"no column is given as the product id.*--id.*'nom', 'desc'"),
        ("id,prix\n1,2\n", "no column is given as title, description or image; name one"),
        (b"PK\x03\x04\x14\0", "Excel workbook, not a CSV file; save it as CSV"),
        (b"PAR1\x15\x04", "parquet file"),
    ],
)
def test_unusable_files_say_why_and_what_to_do(read, data, message):
    with pytest.raises(CatalogueError, match=message):
        read(data)


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(CatalogueError, match="can't be read: .*; give the path of a CSV file"):
            read_csv(path, CsvColumns("id", "title"))


def test_a_pipe_or_device_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(CatalogueError, match="is no regular file; save it to a file and give"):
            read_csv(path, CsvColumns("id", "title"))


def test_a_file_that_may_not_be_read_says_so(tmp_path, monkeypatch):
    path = tmp_path / "shop.csv"
    path.write_text(HEADER)

    def deny(self, *args, **options):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", deny)
    with pytest.raises(CatalogueError, match="can't be read: Permission denied; .* you may read"):
        read_csv(path, CsvColumns("id", "title"))


def test_a_name_with_a_nul_character_is_a_clear_error(tmp_path):
    with pytest.raises(CatalogueError, match="can't be read: .*null"):
        read_csv(tmp_path / "a\0.csv", CsvColumns("id", "title"))


def test_a_missing_column_names_the_closest_and_those_there_are(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text(HEADER + rows(0, 3))
    wanted = CsvColumns("id", "title", label="Catégories")
    with pytest.raises(CatalogueError) as caught:
        read_csv(path, wanted)  # at once, not when the first row is read
    message = str(caught.value)
    assert "no column 'Catégories' (label); did you mean 'category'?" in message
    assert "separator ',': 'id', 'title', 'description', 'category'" in message


def test_further_columns_may_not_hide_base_columns(read):
    with pytest.raises(CatalogueError, match="'label' has the name of a column of the catalogue"):
        read("id,title,label\n1,a,b\n", CsvColumns("id", "title", extra=("label",)))
    with pytest.raises(CatalogueError, match="'x' is given twice; give it once"):
        read("id,title,x\n1,a,b\n", CsvColumns("id", "title", extra=("x", "x")))
