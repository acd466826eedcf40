"""The drawn demo catalogue: shares, determinism, planted faults, French, drawings."""

import csv
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from mmcore.catalog import demo
from mmcore.catalog.demo import draw_catalogue
from mmcore.catalog.drawing.draws import ranked, stream
from mmcore.catalog.drawing.grammar import agree, colour_name, fill, this
from mmcore.catalog.drawing.pen import CANVAS_PX, Frame, Look, Pen, plain_letters
from mmcore.catalog.drawing.pictures import MOTIFS
from mmcore.catalog.drawing.texts import VOCABULARIES, write_listing
from mmcore.catalog.drawing.vocabulary import NEIGHBOURS
from mmcore.errors import ImageError
from mmcore.images import decode_file

RAKUTEN_CODES = (
    "10 40 50 60 1140 1160 1180 1280 1281 1300 1301 1302 1320 1560 1920 1940 2060 2220 2280 "
    "2403 2462 2522 2582 2583 2585 2705 2905"
).split()


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def full_rows(tmp_path_factory) -> list[dict[str, str]]:
    """Return the rows of the default catalogue; the pictures are blank, to save ten seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "draw_picture", lambda *_: Image.new("RGB", (320, 320)))
        patch.setattr(demo, "draw_layer", lambda *_: Image.new("RGBA", (320, 320)))
        path = draw_catalogue(tmp_path_factory.mktemp("full"))
    rows = read_rows(path)
    assert rows, "the catalogue is empty: every test below would pass on nothing"
    return rows


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """Return the folder of a small catalogue, really drawn."""
    folder = tmp_path_factory.mktemp("small")
    draw_catalogue(folder, products_per_class=3)
    return folder


def share(rows: list[dict[str, str]], column: str) -> float:
    """Return the share of the rows whose column is empty."""
    return sum(not row[column] for row in rows) / len(rows)


def test_it_has_the_27_rakuten_classes_with_enough_products_each(full_rows):
    sizes = Counter(row["_true_label"] for row in full_rows)
    assert sorted(sizes, key=int) == RAKUTEN_CODES
    assert min(sizes.values()) >= 44
    assert max(sizes.values()) <= 1.4 * 44 + 1
    assert len(full_rows) < 1450
    labels = Counter(row["label"] for row in full_rows)
    assert sorted(labels, key=int) == RAKUTEN_CODES
    assert min(labels.values()) >= 40


def test_columns_and_shares_are_those_promised(full_rows):
    assert tuple(full_rows[0]) == demo.COLUMNS
    assert share(full_rows, "description") == pytest.approx(0.35, abs=0.001)
    assert share(full_rows, "image") == pytest.approx(0.03, abs=0.001)
    assert share(full_rows, "price") == pytest.approx(0.10, abs=0.001)
    assert 0.2 < share(full_rows, "brand") < 0.3
    assert share(full_rows, "title") == 0


def test_wrong_labels_stand_beside_the_true_ones(full_rows):
    wrong = [row for row in full_rows if row["label"] != row["_true_label"]]
    assert len(wrong) / len(full_rows) == pytest.approx(0.04, abs=0.001)
    near = sum(row["label"] in NEIGHBOURS[row["_true_label"]] for row in wrong)
    assert near / len(wrong) == pytest.approx(0.5, abs=0.02)


def test_neighbours_are_other_known_classes():
    assert sorted(NEIGHBOURS, key=int) == RAKUTEN_CODES
    for code, others in NEIGHBOURS.items():
        assert others and code not in others and set(others) <= set(RAKUTEN_CODES)


def test_every_row_says_that_it_is_drawn(full_rows):
    assert {row["_drawn"] for row in full_rows} == {"drawn"}
    ids = [row["product_id"] for row in full_rows]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"drawn-\d{5}", product_id) for product_id in ids)
    assert all(row["image"].startswith("drawn-") for row in full_rows if row["image"])


def test_row_order_does_not_tell_the_class(full_rows):
    labels = [row["_true_label"] for row in full_rows]
    pairs = list(zip(labels, labels[1:], strict=False))
    same = sum(a == b for a, b in pairs) / len(pairs)
    assert same < 2 / 27  # by chance 1/27, sorted rows nearly 1
    halves = [Counter(labels[: len(labels) // 2]), Counter(labels)]
    assert all(0.2 < halves[0][code] / halves[1][code] < 0.8 for code in RAKUTEN_CODES)


def test_some_texts_are_near_copies(full_rows):
    texts = Counter((row["title"], row["description"]) for row in full_rows)
    copies = sum(count - 1 for count in texts.values())
    assert copies == pytest.approx(0.01 * len(full_rows), abs=2)
    titles = Counter(row["title"] for row in full_rows)
    for title in (title for title, count in titles.items() if count > 1):
        classes = {row["_true_label"] for row in full_rows if row["title"] == title}
        assert len(classes) == 1, f"{title!r} ties the classes {classes} together"


def test_text_is_nfc_and_complete(full_rows):
    for row in full_rows:
        text = row["title"] + row["description"]
        assert unicodedata.is_normalized("NFC", text)
        assert not re.search(r"[{}\[\]|]|None", text), text
    joined = " ".join(row["description"] for row in full_rows)
    assert "&eacute;" in joined and "<br />" in joined and "é" in joined


def test_prices_are_plausible_and_differ_by_class(full_rows):
    def median(code: str) -> float:
        prices = sorted(
            float(r["price"]) for r in full_rows if r["_true_label"] == code and r["price"]
        )
        return prices[len(prices) // 2]

    assert median("1160") < median("2705") < median("1560")
    assert all(0.5 <= float(row["price"]) < 5000 for row in full_rows if row["price"])


def test_broken_photos_do_not_open_and_all_others_do(small):
    rows = [row for row in read_rows(small / "products.csv") if row["image"]]
    broken = []
    for row in rows:
        try:
            assert decode_file(small / "images" / row["image"]).shape == (224, 224, 3)
        except ImageError:
            broken.append(row["image"])
    assert 1 <= len(broken) <= 3
    for name in broken:
        with pytest.raises((OSError, SyntaxError)), Image.open(small / "images" / name) as image:
            image.load()


@pytest.mark.parametrize("style", range(4))
def test_every_style_of_broken_photo_is_refused(tmp_path, style):
    path = tmp_path / "broken.jpg"
    demo.save_broken(Image.effect_noise((320, 320), 60).convert("RGB"), path, style)
    with pytest.raises(ImageError):
        decode_file(path)


def test_photos_come_in_several_formats_and_carry_the_mark(small):
    modes = set()
    for path in sorted((small / "images").iterdir()):
        try:
            with Image.open(path) as image:
                image.load()
        except (OSError, SyntaxError):
            continue  # the broken ones, tested above
        modes.add((image.format, image.mode))
        comment = image.info.get("comment", b"") or image.info.get("Comment", "").encode()
        assert comment.startswith(b"Drawn by code"), path.name
    assert {("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGBA")} <= modes
    assert any(image_format == "GIF" for image_format, _ in modes)


def test_some_pictures_are_the_same_file(tmp_path):
    draw_catalogue(tmp_path, products_per_class=6)
    contents = Counter(path.read_bytes() for path in (tmp_path / "images").glob("*.jpg"))
    repeated = [data for data, count in contents.items() if count > 1 and len(data) > 2000]
    assert repeated


def test_equal_seeds_give_equal_bytes_and_other_seeds_do_not(small, tmp_path):
    again = draw_catalogue(tmp_path / "again", products_per_class=3)
    assert again.read_bytes() == (small / "products.csv").read_bytes()
    names = sorted(path.name for path in (small / "images").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "again" / "images").iterdir())
    for name in names:
        first, second = (folder / "images" / name for folder in (small, tmp_path / "again"))
        assert first.read_bytes() == second.read_bytes(), name
    other = draw_catalogue(tmp_path / "other", products_per_class=1, seed=21)
    titles = {row["title"] for row in read_rows(small / "products.csv")}
    assert not titles >= {row["title"] for row in read_rows(other)}


def test_a_product_stays_itself_in_a_larger_catalogue():
    # the draws of one product hang on its own name, never on how many came before it
    listing = write_listing(20, "1560/0002", VOCABULARIES["1560"])
    for number in range(5):
        write_listing(20, f"1560/{number:04d}", VOCABULARIES["1560"])
    assert write_listing(20, "1560/0002", VOCABULARIES["1560"]) == listing
    assert write_listing(20, "1560/0003", VOCABULARIES["1560"]) != listing


def test_streams_are_told_apart_by_name_and_seed():
    draws = {stream(seed, *name).random() for seed in (1, 2) for name in (("a",), ("a", "b"))}
    assert len(draws) == 4
    assert stream(1, "a").random() in draws
    keys = [f"k{index}" for index in range(50)]
    assert sorted(ranked(1, "x", keys)) == sorted(keys)
    assert ranked(1, "x", keys) != ranked(1, "y", keys)


def test_progress_is_told_after_each_product(tmp_path):
    calls = []
    draw_catalogue(
        tmp_path, products_per_class=1, progress=lambda done, total: calls.append((done, total))
    )
    assert calls == [(done, 27) for done in range(1, 28)]


@pytest.mark.parametrize("number", [0, -3])
def test_too_few_products_are_refused_with_limit_and_remedy(tmp_path, number):
    message = rf"products_per_class is {number}, the least is 1; leave it out"
    with pytest.raises(ValueError, match=message):
        draw_catalogue(tmp_path / "none", products_per_class=number)
    assert not (tmp_path / "none").exists()


def test_every_item_has_a_drawing_and_every_drawing_an_item():
    assert sorted(VOCABULARIES, key=int) == RAKUTEN_CODES
    used = {item.motif for words in VOCABULARIES.values() for item in words.items}
    assert used == set(MOTIFS)


@pytest.mark.parametrize("name", sorted(MOTIFS))
def test_every_motif_draws_a_visible_product_within_its_frame(name):
    canvas = Image.new("RGBA", (CANVAS_PX, CANVAS_PX), (0, 0, 0, 0))
    look = Look((206, 54, 50), (52, 112, 196), 0.3, ("Brumefer", "Deux"), "Zarvox")
    frame = Frame.placed((CANVAS_PX / 2, CANVAS_PX / 2), CANVAS_PX / 3)
    MOTIFS[name].draw(Pen(canvas, frame, look, stream(0, name)))
    alpha = canvas.getchannel("A")
    covered = sum(alpha.histogram()[128:]) / CANVAS_PX**2
    assert 0.02 < covered < 0.6
    left, top, right, bottom = alpha.getbbox()
    assert left > 0 and top > 0 and right < CANVAS_PX and bottom < CANVAS_PX


def test_french_agrees_in_gender_and_number():
    forms = ("m", "f", "mp", "fp")
    assert [agree("doux/douce", form) for form in forms] == ["doux", "douce", "doux", "douces"]
    assert [agree("familial/familiale", form) for form in forms] == [
        "familial", "familiale", "familiaux", "familiales",
    ]  # fmt: skip
    assert [colour_name("bleu", form) for form in forms] == ["bleu", "bleue", "bleus", "bleues"]
    assert {colour_name("marron", form) for form in forms} == {"marron"}
    assert [this("vase", "m"), this("aquarium", "m"), this("harnais", "m")] == ["ce", "cet", "ce"]
    assert [this("épée", "f"), this("dés", "mp")] == ["cette", "ces"]
    assert fill("[est|sont] vendu{e}", {"e": "es"}, "fp") == "sont vendues"


def test_lettering_has_no_accents_because_the_embedded_font_has_none():
    assert plain_letters("Échelle à œillets, Noël") == "Echelle a oeillets, Noel"
