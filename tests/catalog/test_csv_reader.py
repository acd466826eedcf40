"""A shop's CSV file: what is found out about it, what is wrong with a row, and nothing else."""

import csv
import io
import time
from functools import partial

import pytest
from csv_rows import HEADER, ids, read_rows, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore.catalog.csv_columns import CsvColumns, guess_columns
from mmcore.catalog.csv_reader import MAX_CELL_CHARACTERS, RawProduct, read_csv
from mmcore.catalog.csv_table import open_table
from mmcore.catalog.issues import KEPT, LEFT_OUT
from mmcore.errors import CatalogueError


@pytest.fixture
def read(tmp_path):
    return partial(read_rows, tmp_path / "shop.csv")


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
