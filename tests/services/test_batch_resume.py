"""A prediction of a file that was ended goes on, to the byte; what was begun otherwise is told."""

import json
from dataclasses import replace

import pytest
import torch

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.catalog.first_lines import FirstLinesOnDisk
from mmcore.errors import WorkspaceError
from mmcore.runtime import Runtime
from mmcore.services import batch_journal, batch_source
from mmcore.services.batch_journal import OtherPredictionError, part_of, unfinished
from mmcore.services.batch_prediction import BatchRequest, predict_file
from mmcore.services.prediction_table import FORMATS

COLUMNS = CsvColumns("id", "title", image="image")


class Asked(Runtime):
    """A model that counts the products it answered for."""

    def __init__(self, artifact) -> None:
        super().__init__(artifact, torch.device("cpu"))
        self.num = 0

    def stream(self, pieces):
        for found in super().stream(pieces):
            self.num += len(found)
            yield found


@pytest.fixture
def runtime(artifact):
    return Asked(artifact)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(batch_source, "PIECE", 4)


@pytest.fixture
def shop(tmp_path, make_photo):
    """Return a request with everything that leaves a remark: doubles, lost photos, bad rows."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "good.jpg").write_bytes(make_photo())
    (folder / "cut.jpg").write_bytes(make_photo()[:300])
    photos = ("good.jpg", "", "cut.jpg", "none.jpg")
    rows = [f"{i},{('piscine', 'livre', 'inconnu')[i % 3]},{photos[i % 4]}\n" for i in range(15)]
    rows.insert(3, "1,livre,\n")  # a double
    rows.insert(9, ",livre,\n")
    rows.append("5,livre,\n")  # a double in the rows after the last product
    source = tmp_path / "new.csv"
    source.write_text("id,title,image\n" + "".join(rows))
    return BatchRequest(source, tmp_path / "out.csv", COLUMNS, folder)


def stop_after(num_rows: int):
    def stop(now):
        if now.done >= num_rows:
            raise KeyboardInterrupt

    return stop


def begun(runtime, request, num_rows=8):
    with pytest.raises(KeyboardInterrupt):
        predict_file(runtime, request, stop_after(num_rows))


def facts(report) -> dict:
    """Return what a report says but for the time that it took."""
    data = report.to_json()
    return {key: data[key] for key in data if key not in ("seconds", "products_per_s", "num_kept")}


@pytest.mark.parametrize("suffix", FORMATS)
def test_it_goes_on_to_the_same_bytes_and_remarks(runtime, shop, suffix):
    request = replace(shop, target=shop.target.with_suffix(suffix))
    whole = predict_file(runtime, request)
    expected, num_products = request.target.read_bytes(), runtime.num
    assert facts(whole)["num_left_out"] == 3 and num_products == 15
    assert not part_of(request.target).exists()
    for num_rows in (1, 6, 12, 17):
        request.target.unlink()
        runtime.num = 0
        begun(runtime, request, num_rows)
        assert not request.target.exists()
        report = predict_file(runtime, request)
        assert request.target.read_bytes() == expected and facts(report) == facts(whole)
        assert report.num_kept >= num_rows and runtime.num == num_products
        assert f"{report.num_kept} rows had been dealt with before" in report.summary()[1]


def test_it_goes_on_from_whatever_a_crash_has_left_of_its_file(runtime, shop):
    whole = predict_file(runtime, shop)
    expected = shop.target.read_bytes()
    begun(runtime, shop, 17)
    data = part_of(shop.target).read_bytes()
    ends = [i + 1 for i, byte in enumerate(data) if byte == 10]
    assert len(ends) == 5, "a header and four pieces"
    cuts = {*range(0, 50), *(end + by for end in ends for by in (-2, -1, 0, 1, 12)), len(data)}
    for cut in sorted(cut for cut in cuts if cut <= len(data)):
        shop.target.unlink(missing_ok=True)
        part_of(shop.target).write_bytes(data[:cut])
        runtime.num = 0
        report = predict_file(runtime, shop)
        assert shop.target.read_bytes() == expected and facts(report) == facts(whole), cut
        assert runtime.num == 15 - 4 * sum(end <= cut for end in ends[1:4]) - 3 * (cut == len(data))


def test_a_flipped_byte_is_not_believed(runtime, shop):
    predict_file(runtime, shop)
    expected = shop.target.read_bytes()
    begun(runtime, shop, 17)
    part = part_of(shop.target)
    data = bytearray(part.read_bytes())
    second = data.index(b"\n", data.index(b"\n") + 1) + 30
    data[second] ^= 1
    part.write_bytes(data)
    predict_file(runtime, shop)
    assert shop.target.read_bytes() == expected


def another_row(request):
    with request.source.open("a") as file:
        file.write("99,livre,\n")
    return request


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (another_row, "the source file holds something else"),
        (lambda r: replace(r, images=None), "the photos come from elsewhere"),
        (lambda r: replace(r, columns=CsvColumns("id", "title")), "columns have another meaning"),
    ],
    ids=["source", "photos", "columns"],
)
def test_what_was_begun_otherwise_is_refused_until_told_to_drop_it(runtime, shop, change, told):
    begun(runtime, shop)
    left = part_of(shop.target).read_bytes()
    request = change(shop)
    message = rf"out.csv.part holds 9 of 18 rows, predicted by m1 since .*, but {told}.*--anew"
    with pytest.raises(OtherPredictionError, match=message):
        predict_file(runtime, request)
    assert part_of(shop.target).read_bytes() == left and not shop.target.exists()
    report = predict_file(runtime, replace(request, anew=True))
    assert report.num_kept == 0 and shop.target.exists() and not part_of(shop.target).exists()


def test_another_model_is_named(runtime, artifact, shop):
    begun(runtime, shop)
    other = Asked(replace(artifact, manifest=replace(artifact.manifest, name="m2")))
    with pytest.raises(OtherPredictionError, match="but the model is m2 now; give the same"):
        predict_file(other, shop)
    later = Asked(replace(artifact, manifest=replace(artifact.manifest, created_at="later")))
    with pytest.raises(OtherPredictionError, match="but m1 was made anew"):
        predict_file(later, shop)


def test_a_part_of_another_format_is_refused(runtime, shop, monkeypatch):
    monkeypatch.setattr(batch_journal, "FORMAT", 2)
    begun(runtime, shop)
    monkeypatch.undo()
    with pytest.raises(OtherPredictionError, match="it was another version of Rayon"):
        predict_file(runtime, shop)


def test_a_file_that_is_none_of_ours_is_left_alone(runtime, shop):
    part = part_of(shop.target)
    for text in ("half a film", "half a film\n", '{"a": 1}\n'):
        part.write_text(text)
        for anew in (False, True):
            with pytest.raises(WorkspaceError, match="is no unfinished prediction.*move or delete"):
                predict_file(runtime, replace(shop, anew=anew))
        assert part.read_text() == text


def test_two_at_once_are_refused(runtime, shop):
    def second(now):
        with pytest.raises(WorkspaceError, match="another process is writing .*out.csv.part"):
            predict_file(runtime, shop)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_file(runtime, shop, second)
    assert unfinished(shop.target).num_done == 5


def test_what_ends_before_the_first_piece_leaves_nothing(runtime, shop, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Runtime, "_answers", fail)
    with pytest.raises(KeyboardInterrupt):
        predict_file(runtime, shop)
    assert sorted(path.name for path in shop.target.parent.iterdir()) == ["new.csv", "photos"]
    assert unfinished(shop.target) is None


def test_the_name_of_the_part_fits_beside_the_longest_target(tmp_path):
    long = tmp_path / f"{'é' * 120}.csv"
    assert len(part_of(long).name.encode()) < 255 and part_of(long) == part_of(long)
    assert part_of(long) != part_of(tmp_path / f"{'é' * 121}.csv")
    assert part_of(tmp_path / "a.csv").name == "a.csv.part"


def test_lines_hold_plain_json_after_their_checksum(runtime, shop):
    begun(runtime, shop)
    header, piece, *_ = part_of(shop.target).read_bytes().splitlines()
    assert json.loads(header[9:])["identity"]["model"]["name"] == "m1"
    assert len(json.loads(piece[9:])["rows"]) == 4


def test_ids_on_disk_are_those_of_a_dictionary():
    on_disk, plain = FirstLinesOnDisk(), {}
    for line in range(5000):
        key = f"é{line * 7919 % 3001}"
        assert on_disk.get(key) == plain.get(key)
        if key not in plain:
            plain[key] = line
            on_disk[key] = line
    on_disk.close()
