"""Photos of an import: bad ones are told of, unusual ones go in."""

import numpy as np
import pytest
from import_content import GOOD, HEADER, counts, png, scene
from photo_files import encode_photo
from PIL import Image

from mmcore.catalog.issues import KEPT, LEFT_OUT
from mmcore.images import MAX_BYTES

DEEP = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16
BAD_PHOTOS = {
    "cut.jpg": (GOOD[: len(GOOD) // 2], "truncated or corrupt.*upload the original"),
    "bomb.png": (png(50_000, 50_000), "pixels.*limit.*50,000,000.*scale it down"),
    "tiny.png": (encode_photo(np.zeros((1, 1, 3), np.uint8), "PNG"), "1 x 1 pixels, the smallest"),
    "svg.jpg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG.*save it as one of JPEG"),
    "empty.jpg": (b"", r"empty \(0 bytes\)"),
    "html.jpg": (b"<!doctype html><title>404</title>", "web page"),
    "large.jpg": (GOOD + b"\0" * MAX_BYTES, "bytes, the limit is 20,971,520"),
}
NO_PHOTOS = {
    "none.jpg": "isn't in folder .*; add the file",
    "../../secret.jpg": "isn't a name inside the photo folder; write it relative",
    "https://shop.fr/a.jpg": "web address; Rayon downloads nothing",
}


def test_bad_photos_leave_the_product_with_its_text(shop, workspace):
    names = [*BAD_PHOTOS, *NO_PHOTOS]
    rows = "".join(f"{i},Chaise {i},,{name},c\n" for i, name in enumerate(names))
    report = shop(HEADER + rows, {name: data for name, (data, _) in BAD_PHOTOS.items()})
    assert counts(report) == (10, 0, 0, 0) and report.num_without_photo == 10
    assert not any(path.is_file() for path in workspace.photos.rglob("*"))
    assert [issue.line for issue in report.issues] == list(range(2, 12))
    reasons = [message for _, message in BAD_PHOTOS.values()] + list(NO_PHOTOS.values())
    for issue, message in zip(report.issues, reasons, strict=True):
        assert (issue.column, issue.severity) == ("image", KEPT)
        with pytest.raises(AssertionError, match=message + ".*it is kept without photo"):
            raise AssertionError(issue.reason)


def test_a_bad_photo_and_no_text_is_left_out(shop):
    report = shop(HEADER + "1,,,none.jpg,c\n2,ok,,,c\n", {})
    (issue,) = report.issues
    assert issue.severity == LEFT_OUT and counts(report) == (1, 0, 0, 1)
    assert "no title or description, and photo 'none.jpg' isn't in folder" in issue.reason


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.gif", encode_photo(scene(1), "GIF")),
        ("cmyk.jpg", encode_photo(np.dstack([scene(1), scene(2)[..., :1]]), "PNG")),
        ("deep.png", encode_photo(DEEP, "PNG")),
        ("wrong_name.txt", encode_photo(scene(1), "WEBP")),
    ],
)
def test_unusual_photos_go_in(shop, tmp_path, name, data):
    if name == "cmyk.jpg":
        Image.fromarray(scene(1)).convert("CMYK").save(tmp_path / name)
        data = (tmp_path / name).read_bytes()
    report = shop(HEADER + f"1,,,{name},c\n", {name: data})
    assert report.issues == () and report.num_without_photo == 0


def test_photos_that_nobody_gave_are_told_of_once(shop):
    report = shop(HEADER + "1,a,,a.jpg,c\n2,b,,b.jpg,c\n3,,,c.jpg,c\n")
    assert counts(report) == (2, 0, 0, 1)
    assert [(i.line, i.severity) for i in report.issues] == [(1, KEPT), (4, LEFT_OUT)]
    assert "named for 2 products, 'a.jpg' for one" in report.issues[0].reason
    assert "--images PATH" in report.issues[0].reason
    photos = {f"{x}.jpg": encode_photo(scene(i)) for i, x in enumerate("abc")}
    assert counts(shop(HEADER + "1,a,,a.jpg,c\n2,b,,b.jpg,c\n3,,,c.jpg,c\n", photos)) == (
        1,
        2,
        0,
        0,
    )
    again = shop(HEADER + "1,a,,a.jpg,c\n2,b,,b.jpg,c\n")  # photos stay
    assert counts(again) == (0, 0, 2, 0) and again.num_without_photo == 0


def test_placeholder_pictures_are_told_of(shop):
    photos = {f"{i}.jpg": encode_photo(scene(1)) + bytes([i]) for i in range(21)}
    report = shop(HEADER + "".join(f"{i},,,{i}.jpg,c\n" for i in range(21)), photos)
    (issue,) = report.issues
    assert "21 products look the same, '0' for one: taken for a placeholder" in issue.reason
    assert report.num_groups == 21
