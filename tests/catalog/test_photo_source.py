"""Photos of an import: found by name, never outside the folder, never larger than allowed."""

import io
import os
import struct
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore.catalog.photo_source import FolderPhotos, ZipPhotos, open_photo_source
from mmcore.errors import CatalogueError, ImageError
from mmcore.images import MAX_BYTES

FILES = {"a.jpg": b"A", "images/b.JPG": b"B", "images/deep/c.png": b"C", "été.jpg": b"E"}


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "photos"
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    return root


@pytest.fixture
def make_zip(tmp_path):
    """Return a function from members to the path of a ZIP archive."""

    def make(members: dict[str, bytes], **options):
        path = tmp_path / "photos.zip"
        with zipfile.ZipFile(path, "w", **options) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return path

    return make


@pytest.fixture(params=["folder", "zip"])
def source(request, folder, make_zip):
    """Return the same photos, from a folder and from a ZIP archive."""
    opened = open_photo_source(folder if request.param == "folder" else make_zip(FILES))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jpg", b"A"),
        ("a.JPG", b"A"),
        ("./a.jpg", b"A"),
        ("elsewhere/a.jpg", b"A"),
        ("images/b.jpg", b"B"),
        ("images\\b.jpg", b"B"),
        ("images/deep/c.PNG", b"C"),
        ("Images/B.jpg", b"B"),
        ("c.png", b"C"),
        ("deep/c.png", b"C"),
        ("elsewhere/c.png", b"C"),
        ("a", b"A"),
        ("images/b", b"B"),
        ("c", b"C"),
        ("été.jpg", b"E"),
        ("E\u0301TE\u0301.jpg", b"E"),  # as macOS writes the accents
    ],
)
def test_photos_are_found_by_path_or_bare_name(source, name, data):
    assert source.read(name) == data


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.jpg", "images/../../secret.jpg", "..\\secret.jpg", "/etc/passwd"),
        *("C:\\secret.jpg", "c:secret.jpg", "\\\\server\\secret.jpg", "a\0.jpg", ".", "/"),
    ],
)
def test_names_that_lead_out_are_refused(source, name):
    with pytest.raises(ImageError, match="isn't a name inside the photo folder; write it relative"):
        source.read(name)


@pytest.mark.parametrize(
    "name", ["http://shop.fr/a.jpg", "HTTPS://shop.fr/a.jpg", "ftp://a.jpg", "file:///tmp/a.jpg"]
)
def test_web_addresses_are_not_fetched(source, name):
    with pytest.raises(ImageError, match="web address; Rayon downloads nothing: put the photos"):
        source.read(name)


@pytest.mark.parametrize("name", ["none.jpg", "images", "x" * 5000 + ".jpg", "b.jpg/c.jpg"])
def test_a_missing_photo_says_where_it_was_looked_for(folder, name):
    with pytest.raises(ImageError, match="isn't in folder .*photos; add the file|no regular file"):
        FolderPhotos(folder).read(name)


def test_links_out_of_the_folder_are_refused(folder):
    (folder / "link.jpg").symlink_to(folder.parent / "secret.jpg")
    (folder / "inner.jpg").symlink_to(folder / "a.jpg")
    (folder / "out").symlink_to(folder.parent)
    source = FolderPhotos(folder)
    assert source.read("inner.jpg") == b"A"
    for name in ("link.jpg", "out/secret.jpg", "link.JPG", "out/secret.JPG"):
        with pytest.raises(ImageError, match="is a link out of the photo folder|isn't in folder"):
            source.read(name)


def test_links_in_a_circle_and_pipes_are_refused(folder):
    (folder / "loop.jpg").symlink_to(folder / "loop.jpg")
    os.mkfifo(folder / "pipe.jpg")
    source = FolderPhotos(folder)
    with pytest.raises(ImageError, match="can't be read"):
        source.read("loop.jpg")
    with pytest.raises(ImageError, match="no regular file"):
        source.read("pipe.jpg")


def test_a_large_file_is_not_read(folder):
    with (folder / "large.jpg").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ImageError, match="20,971,521 bytes, the limit is 20,971,520"):
        FolderPhotos(folder).read("large.jpg")


def test_a_name_that_fits_two_files_is_not_guessed(tmp_path, make_zip):
    files = {"a.jpg": b"1", "A.JPG": b"2", "x/b.jpg": b"3", "y/b.jpg": b"4", "c.png": b"5"}
    files |= {"c.jpg": b"6", "d.jpg": b"7", "x/d.jpg": b"8"}
    for name, data in files.items():
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(data)
    for path in (tmp_path / "photos", make_zip(files)):
        source = open_photo_source(path)
        for name, data in files.items():
            assert source.read(name) == data
        assert source.read("elsewhere/d.jpg") == b"7"  # beside the column's folder is nearest
        for name in ("a.Jpg", "b.jpg", "z/b.jpg", "c"):
            with pytest.raises(ImageError, match="2 photos in .* could be .*write the name as it"):
                source.read(name)
        source.close()


def test_a_folder_that_cannot_be_read_says_so(folder, monkeypatch):
    def deny(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", deny)
    with pytest.raises(CatalogueError, match="photos can't be read: Permission denied; change its"):
        open_photo_source(folder)


def test_a_parent_that_cannot_be_entered_says_so(folder, monkeypatch):
    def deny(self, **options):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "stat", deny)
    with pytest.raises(CatalogueError, match="photos can't be read: Permission denied"):
        open_photo_source(folder)


def test_a_subfolder_that_cannot_be_read_is_named(folder, monkeypatch):
    listed = os.scandir

    def deny(path):
        if Path(os.fsdecode(path)).name == "deep":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    source = FolderPhotos(folder)
    monkeypatch.setattr(os, "scandir", deny)
    with pytest.raises(ImageError, match="isn't in folder .*'images/deep' can't be read: Permis"):
        source.read("c.png")
    assert source.read("b.jpg") == b"B"


def test_a_photo_that_cannot_be_read_says_so(folder, monkeypatch):
    def deny(self, *args, **options):
        raise PermissionError(13, "Permission denied", str(self))

    for method in ("open", "read_bytes"):
        monkeypatch.setattr(Path, method, deny)
    with pytest.raises(ImageError, match="a.jpg can't be read: Permission denied"):
        FolderPhotos(folder).read("a.jpg")


# --- ZIP archives


def test_members_that_would_lead_out_are_read_and_never_unpacked(tmp_path, make_zip):
    members = {
        "../../evil.jpg": b"1",
        "/etc/abs.jpg": b"2",
        "C:\\win\\w.jpg": b"3",
        "in\\n.jpg": b"4",
    }
    source = ZipPhotos(make_zip(members))
    before = sorted(tmp_path.rglob("*"))
    assert source.read("evil.jpg") == b"1" and source.read("abs.jpg") == b"2"
    assert source.read("w.jpg") == b"3" and source.read("in/n.jpg") == b"4"
    for name in members:
        if name != "in\\n.jpg":
            with pytest.raises(ImageError, match="isn't a name inside the photo folder"):
                source.read(name)
    assert sorted(tmp_path.rglob("*")) == before
    source.close()


def test_of_two_members_with_one_path_the_last_counts(make_zip):
    path = make_zip({"a.jpg": b"old"})
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that is what this test is about
        archive.writestr("a.jpg", b"new")
    assert ZipPhotos(path).read("a.jpg") == b"new"


def test_an_archive_of_folders_only_has_no_photos(make_zip):
    source = ZipPhotos(make_zip({"images/": b"", "images/deep/": b""}))
    with pytest.raises(ImageError, match="'images' isn't in ZIP archive photos.zip; add the file"):
        source.read("images")


def test_a_bare_name_must_be_unique_in_the_archive(make_zip):
    source = ZipPhotos(make_zip({"x/b.jpg": b"1", "y/b.jpg": b"2", "__MACOSX/z/c.jpg": b"3"}))
    assert source.read("x/b.jpg") == b"1"
    with pytest.raises(ImageError, match="2 photos in ZIP archive photos.zip .*'b.jpg'.*'x/b.jpg'"):
        source.read("b.jpg")
    with pytest.raises(ImageError, match="'c.jpg' isn't in ZIP archive photos.zip; add the file"):
        source.read("c.jpg")
    source.close()


def test_a_bomb_is_refused_by_its_declared_size(make_zip):
    path = make_zip({"a.jpg": b"\0" * (MAX_BYTES + 1)}, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    with pytest.raises(ImageError, match="20,971,521 bytes or more, the limit is 20,971,520"):
        ZipPhotos(path).read("a.jpg")


def test_a_bomb_that_lies_about_its_size_is_refused(make_zip):
    path = make_zip({"a.jpg": b"\0" * (MAX_BYTES + 9)}, compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    size_at = data.index(b"PK\x01\x02") + 24  # uncompressed size in the central directory
    data[size_at : size_at + 4] = struct.pack("<I", 1000)
    path.write_bytes(data)
    with pytest.raises(ImageError, match="corrupt in photos.zip|bytes or more"):
        ZipPhotos(path).read("a.jpg")


def test_an_encrypted_member_says_so(make_zip):
    path = make_zip({"a.jpg": b"A"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(ImageError, match="'a.jpg' is encrypted in photos.zip.*without a password"):
        ZipPhotos(path).read("a.jpg")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 200), st.binary(min_size=1, max_size=8))
def test_a_damaged_archive_raises_only_clear_errors(tmp_path_factory, position, junk):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", b"A" * 100)
    data = bytearray(buffer.getvalue())
    start = position % len(data)
    data[start : start + len(junk)] = junk
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    path.write_bytes(data)
    try:
        source = open_photo_source(path)
        try:
            source.read("a.jpg")
        finally:
            source.close()
    except (CatalogueError, ImageError) as error:
        assert ";" in str(error)


def test_a_pipe_or_device_is_no_archive(tmp_path):
    os.mkfifo(tmp_path / "pipe.zip")
    for path in (tmp_path / "pipe.zip", Path("/dev/zero")):
        with pytest.raises(CatalogueError, match="neither a folder nor.*no regular file.; give"):
            open_photo_source(path)


@pytest.mark.parametrize("content", [None, b"", b"not a zip"])
def test_neither_folder_nor_archive(tmp_path, content):
    path = tmp_path / "photos.rar"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CatalogueError, match="neither a folder nor a ZIP archive.*give one of"):
        open_photo_source(path)


def test_no_photos_at_all():
    source = open_photo_source(None)
    with pytest.raises(ImageError, match="'a.jpg' was not looked for: no folder.*import again"):
        source.read("a.jpg")
    source.close()
