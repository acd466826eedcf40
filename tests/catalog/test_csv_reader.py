"""A shop's CSV file: what is found out about it, what is wrong with a row, and nothing else."""

import csv
import io
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore.catalog.csv_columns import CsvColumns, guess_columns
from mmcore.catalog.csv_reader import MAX_CELL_CHARACTERS, RawProduct, read_csv, read_products
from mmcore.catalog.csv_table import open_table
from mmcore.catalog.issues import KEPT, LEFT_OUT, RowIssue
from mmcore.errors import CatalogueError

HEADER = "id,title,description,category\n"


@pytest.fixture
def read(tmp_path):
    """Return a function from the bytes of a file to its products and its issues."""

    def read(data, columns=None, separator=None):
        path = tmp_path / "shop.csv"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        table = open_table(path, separator)
        columns = columns or guess_columns(table.header, table.unnamed)
        rows = list(read_products(table, columns))
        products = [row for row in rows if isinstance(row, RawProduct)]
        return products, [row for row in rows if isinstance(row, RowIssue)]

    return read


def rows(start: int, stop: int) -> str:
    """Return good rows without quotes."""
    return "".join(f"p{i},Chaise {i},une chaise belle,c{i % 3}\n" for i in range(start, stop))


def ids(products: list[RawProduct]) -> list[str]:
    return [product.product_id for product in products]


def test_a_row_becomes_a_product(read):
    text = (
        "sku;titre;descriptif;photo;catégorie;groupe;split;prix\n"
        ' A1 ;Été;"a;\nb";x.jpg; Jeux  vidéo ;g1;Validation; 12,90\n'
    )
    products, issues = read(text)
    assert issues == []
    assert products == [
        RawProduct(2, "A1", "Été", "a;\nb", "x.jpg", "Jeux vidéo", "g1", "val", ("12,90",))
    ]


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


# --- rows


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("1,a,b", "", "number of fields is 3, the header has 4; put a field"),
        ("1,a,b,c,d", "", "number of fields is 5, the header has 4"),
        (",a,b,c", "id", "no product id; give each product its own"),
        ("p0,a,b,c", "id", "'p0' is already on line 2; give each product its own"),
        (f"{'x' * 201},a,b,c", "id", "has 201 characters, the limit is 200; shorten it"),
        ("a\x07b,a,b,c", "id", r"control character U\+0007; remove it"),
        ("1, ,,c", "", "nothing to classify: title, description empty; fill one"),
        ("1,NaN,null,c", "", "nothing to classify"),
        (f"1,a,b,{'x' * 201}", "category", "has 201 characters.*the limit is 200.*right column"),
        (f"1,a,{'x' * (MAX_CELL_CHARACTERS + 1)},c", "", "1,000,001.*limit is 1,000,000; shorten"),
        (f"1,a,{'x' * 10_000_000},c", "", "'description' has 10,000,000.*limit is 1,000,000"),
        (f"1,a,{'x' * 20_000_000},c", "", "line has 20,000,00. characters, the limit is 16,000"),
    ],
    ids=range(12),
)
def test_a_bad_row_is_left_out_with_its_reason(read, row, column, reason):
    products, (issue,) = read(HEADER + rows(0, 2) + row + "\n" + rows(2, 4))
    assert ids(products) == ["p0", "p1", "p2", "p3"]
    assert (issue.line, issue.column, issue.severity) == (4, column, LEFT_OUT)
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(issue.reason)


def test_blank_lines_and_surplus_empty_fields_are_fine(read):
    products, issues = read("id,title\n1,a,,\n\n , \n,,,\n2,b\n")
    assert ids(products) == ["1", "2"] and issues == []


@pytest.mark.parametrize("value", ["nan", "NaN", "NULL", "None", "n/a", "#N/A"])
def test_a_label_that_says_none_is_none(read, value):
    (product,), (issue,) = read(f"id,title,label\n1,a,{value}\n")
    assert product.label == ""
    assert (issue.column, issue.severity) == ("label", KEPT)
    assert repr(value) in issue.reason and "kept unlabelled" in issue.reason


def test_an_empty_label_needs_no_remark(read):
    products, issues = read("id,title,label\n1,a,\n")
    assert products[0].label == "" and issues == []


def test_none_may_be_a_title_but_nan_is_none(read):
    products, _ = read("id,title,description\n1,None,nan\n")
    assert (products[0].title, products[0].description) == ("None", "")


def test_an_unknown_split_is_computed(read):
    products, (issue,) = read("id,title,split\n1,a,holdout\n2,b,DEV\n3,c,training\n4,d,test\n")
    assert [p.split for p in products] == ["", "val", "train", "test"]
    assert (issue.line, issue.severity) == (2, KEPT) and "'holdout' isn't train" in issue.reason


def test_ids_and_labels_are_compared_in_one_unicode_form(read):
    products, (issue,) = read("id,title,label\né,a,été\ne\u0301,b,e\u0301te\u0301\n")
    assert products[0].label == "été"
    assert "already on line 2" in issue.reason


# --- quotes


GLUE = "a quote that opens on this line isn't closed where the row should end; close it"


@pytest.mark.parametrize(
    ("bad", "lines"),
    [
        (['q1,"Chaise,d,c'], [12]),
        (['q1,"Chaise,d,c', 'q2,Ecran 15",d,c'], [12]),  # closes at the mark for inches
        (['q1,a,"Chaise,c', 'q2,Ecran 15",d,c'], [12]),
        (['q1,"Chaise,d,c', 'q2,"Table,d,c'], [12, 33]),
        (['q1,"Chaise,d,c', '"q2,Table,d,c', 'q3,a,b,"c'], [12, 33, 54]),
    ],
)
def test_a_stray_quote_costs_its_own_row_only(read, bad, lines):
    text = HEADER + rows(0, 10)
    for i, row in enumerate(bad):
        text += row + "\n" + rows(10 + 20 * i, 30 + 20 * i)
    products, issues = read(text)
    assert [issue.line for issue in issues] == lines
    assert all(issue.reason.startswith(GLUE) for issue in issues)
    assert len(products) == 10 + 20 * len(bad) + len(bad) - len(lines)


def test_a_stray_quote_before_a_row_of_two_lines(read):
    products, issues = read(HEADER + 'q1,"Chaise,d,c\nq2,"Table","rouge\nvif",c\n' + rows(0, 1))
    assert ids(products) == ["q2", "p0"] and products[0].description == "rouge\nvif"
    assert [issue.line for issue in issues] == [2]


def test_a_stray_quote_among_quoted_rows(read):
    good = "".join(f'p{i},Chaise,"belle, rouge",c\n' for i in range(50))
    products, issues = read(HEADER + 'q1,"Chaise,d,c\n' + good)
    assert len(products) == 50 and [issue.line for issue in issues] == [2]


def test_long_descriptions_over_many_lines_stay_whole(read):
    described = "".join(f"ligne {i}, avec virgule\n" for i in range(300))
    products, issues = read(HEADER + f'1,a,"{described}",c\n2,b,"dit ""oui""\r\n",c\n')
    assert issues == []
    assert products[0].description == described.strip()
    assert products[1].description == 'dit "oui"' and products[1].line == 303


def test_a_quote_inside_a_quoted_field_is_remarked_on(read):
    products, (issue,) = read('id,title,label\n1,"Ecran 15" plat",c\n2,Ecran 15" plat,c\n')
    assert products[1].title == 'Ecran 15" plat'
    assert (issue.line, issue.severity) == (2, KEPT) and "isn't written twice" in issue.reason


@pytest.mark.parametrize(
    "hostile",
    ['x","y\n' * 60_000, 'a,"y\n' * 60_000, 'a,"\n' + "x\n" * 60_000, '"",""\n"\n' * 60_000],
)
def test_files_made_of_stray_quotes_take_time_in_proportion(read, hostile):
    start = time.perf_counter()
    products, issues = read(HEADER + hostile + "\n" + rows(0, 1))
    assert issues
    assert time.perf_counter() - start < 10  # 0.5 s here; rescanning to the end takes minutes


# --- guesses


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            "product_id,title,description,category,image,price,group_id,split",
            CsvColumns(
                *"product_id title description image category group_id split".split(), ("price",)
            ),
        ),
        (
            "Référence;Désignation;Descriptif;Photo;Catégorie;Prix TTC",
            CsvColumns(
                "Référence",
                "Désignation",
                "Descriptif",
                "Photo",
                "Catégorie",
                extra=("Prix TTC",),
            ),
        ),
        (
            "Handle,Title,Body (HTML),Vendor,Type,Image Src",
            CsvColumns("Handle", "Title", "Body (HTML)", "Image Src", "Type", extra=("Vendor",)),
        ),
        (
            "id,title,description,image_link,google_product_category,item_group_id",
            CsvColumns(
                "id",
                "title",
                "description",
                "image_link",
                "google_product_category",
                "item_group_id",
            ),
        ),
        (
            "column 1,designation,description,productid,prdtypecode",
            CsvColumns(
                "productid", "designation", "description", None, "prdtypecode", extra=("column 1",)
            ),
        ),
    ],
)
def test_columns_are_guessed_from_usual_names(header, expected):
    assert guess_columns(header.split(";" if ";" in header else ",")) == expected


def test_a_guess_leaves_unnamed_columns_and_base_names_alone(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text(",id,title,category,label,photo_hash\n0,1,a,x,y,z\n")
    table = open_table(path)
    assert table.header[0] == "column 1"
    guess = guess_columns(table.header, table.unnamed)
    assert guess.label == "label" and guess.extra == ("category",)


# --- whatever comes


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from(
                [b"id", b"title", b",", b";", b"\n", b"\r\n", b'"', b'""', b"\xe9", b"\0", b"a"]
            ),
            max_size=60,
        ).map(b"".join),
    )
)
def test_only_clear_errors_on_any_bytes(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    for content in (data, b"id,title,label\n" + data):
        path.write_bytes(content)
        try:
            for row in read_csv(path, CsvColumns("id", "title", label="label")):
                assert row.line >= 1
                if isinstance(row, RawProduct):
                    f"{row.product_id}{row.title}{row.label}".encode()  # no lone surrogates
        except CatalogueError as error:
            assert ";" in str(error)  # what happened; what to do


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text("ab é,;\"'\n|\t", max_size=8).map(str.strip),
            st.text('ab é,;"\n|\t', max_size=30).map(str.strip),
        ),
        max_size=8,
    )
)
def test_what_the_csv_module_writes_is_read_back(tmp_path_factory, texts):
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "title", "description", "label"])
    for i, (title, description) in enumerate(texts):
        writer.writerow([i, f"t {title}", description, "c"])
    writer.writerow(["last", "x", "", "c"])
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_bytes(buffer.getvalue().encode())
    columns = CsvColumns("id", "title", "description", label="label")
    products = list(read_csv(path, columns, ","))
    assert [(p.title, p.description) for p in products] == [
        *((f"t {title}".strip(), description) for title, description in texts),
        ("x", ""),
    ]
