"""The layout of the Rakuten challenge, as it is handed out."""

import zipfile

import pytest

from mmcore.catalog.csv_reader import RawProduct
from mmcore.catalog.issues import KEPT, LEFT_OUT, RowIssue
from mmcore.catalog.products import order_codes
from mmcore.catalog.rakuten import open_rakuten, read_rakuten
from mmcore.catalog.rakuten_classes import RAKUTEN_CLASSES
from mmcore.errors import CatalogueError

# the first rows have the shape of the challenge's: HTML, quotes, an empty description
X_TRAIN = ''',designation,description,productid,imageid
0,"Olivia: Personalisiertes Notizbuch / 150 Seiten",,3804725264,1263597046
1,Journal Des Arts (Le) N° 133,"Le journal,<br />""des arts""",436067568,1008141237
2,Piscine 15" ronde,Bleue,201115110,938777978
'''
Y_TRAIN = ",prdtypecode\n0,10\n1,2280\n2,2583\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "X_train_update.csv").write_text(X_TRAIN)
    (tmp_path / "Y_train_CVw08PX.csv").write_text(Y_TRAIN)
    return tmp_path


def read(folder, part="train"):
    rows = list(read_rakuten(open_rakuten(folder, part)))
    products = [row for row in rows if isinstance(row, RawProduct)]
    return products, [row for row in rows if isinstance(row, RowIssue)]


def test_the_27_classes_are_in_the_order_of_their_codes():
    codes = [name.code for name in RAKUTEN_CLASSES]
    assert len(codes) == 27 and codes == order_codes(codes)
    for names in ([c.name_fr for c in RAKUTEN_CLASSES], [c.name_en for c in RAKUTEN_CLASSES]):
        assert len(set(names)) == 27 and max(map(len, names)) <= 27


def test_products_labels_and_photo_names_are_joined(folder):
    products, issues = read(folder)
    assert issues == []
    assert [(p.product_id, p.label) for p in products] == [
        ("3804725264", "10"),
        ("436067568", "2280"),
        ("201115110", "2583"),
    ]
    assert products[0].image == "image_1263597046_product_3804725264.jpg"
    assert products[1].description == 'Le journal,<br />"des arts"'
    assert products[0].extra == ()


def test_rows_without_a_label_are_kept(folder):
    (folder / "Y_train_CVw08PX.csv").write_text(",prdtypecode\n0,10\n1,2280\n")
    products, (issue,) = read(folder)
    assert [p.label for p in products] == ["10", "2280", ""]
    assert (issue.line, issue.product_id, issue.severity) == (4, "201115110", KEPT)
    assert "no class for row 2; it is kept unlabelled" in issue.reason


def test_an_unknown_code_is_left_out(folder):
    (folder / "Y_train_CVw08PX.csv").write_text(",prdtypecode\n0,10\n1,9999\n2,2583\n")
    products, (issue,) = read(folder)
    assert len(products) == 2
    assert (issue.line, issue.severity) == (3, LEFT_OUT)
    assert "'9999' isn't among the 27 codes of the challenge; correct it" in issue.reason


def test_the_label_file_is_optional(folder):
    (folder / "Y_train_CVw08PX.csv").unlink()
    products, issues = read(folder)
    assert [p.label for p in products] == ["", "", ""] and issues == []


def test_the_challenges_test_part_has_no_labels(folder):
    (folder / "X_train_update.csv").rename(folder / "X_test_update.csv")
    (folder / "images" / "image_test").mkdir(parents=True)
    files = open_rakuten(folder, "test")
    assert files.labels is None and files.photos == folder / "images" / "image_test"
    assert len(list(read_rakuten(files))) == 3


def test_photos_may_lie_in_a_folder_or_the_archive(folder):
    assert open_rakuten(folder).photos is None
    with zipfile.ZipFile(folder / "images.zip", "w"):
        pass
    assert open_rakuten(folder).photos == folder / "images.zip"
    (folder / "images" / "image_train").mkdir(parents=True)
    assert open_rakuten(folder).photos == folder / "images" / "image_train"


def test_another_folder_says_what_is_expected(tmp_path):
    with pytest.raises(CatalogueError, match="holds no X_train_update.csv; give the folder of the"):
        open_rakuten(tmp_path)


def test_an_unknown_part_is_refused(folder):
    with pytest.raises(CatalogueError, match="part 'val' of the challenge is unknown; use train"):
        open_rakuten(folder, "val")


def test_files_that_were_saved_again_without_their_index(folder):
    path = folder / "X_train_update.csv"
    path.write_text("\n".join(line.split(",", 1)[1] for line in X_TRAIN.splitlines()[:2]))
    with pytest.raises(CatalogueError, match="begins with column 'designation', not with the row"):
        read(folder)


def test_a_label_file_without_its_column(folder):
    (folder / "Y_train_CVw08PX.csv").write_text(",code\n0,10\n")
    with pytest.raises(CatalogueError, match="no column 'prdtypecode'; columns found.*'code'"):
        read(folder)


def test_a_broken_row_of_the_label_file_is_reported(folder):
    (folder / "Y_train_CVw08PX.csv").write_text(",prdtypecode\n0,10\n1,2280,7\n2,2583\n")
    products, issues = read(folder)
    assert [p.label for p in products] == ["10", "", "2583"]
    assert "Y_train_CVw08PX.csv: number of fields is 3" in issues[0].reason
    assert issues[1].product_id == "436067568"
