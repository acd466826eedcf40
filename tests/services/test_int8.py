"""A backbone in integers: made, judged beside the exact one, and used only when asked for."""

import dataclasses

import numpy as np
import pytest
from tiny_shop import Shop, shrink
from typer.testing import CliRunner

from mmcore.artifact import load_artifact
from mmcore.cli.app import app
from mmcore.errors import ConfigError, TrainingDataError
from mmcore.extractors import OnnxExtractor
from mmcore.onnx_export import BACKBONE_FILE
from mmcore.services.batch_report import BatchReport
from mmcore.services.int8 import int8_path, make_int8, with_int8
from mmcore.services.prediction import load_runtime
from mmcore.workspace import Workspace


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Return a shop with a trained model."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch.setattr)
        shop = Shop(tmp_path_factory.mktemp("int8"))
        shop.work()
        yield shop
        shop.store.close()


@pytest.fixture(scope="module")
def exact(shop):
    return load_artifact(shop.model)


@pytest.fixture(scope="module")
def report(shop):
    return make_int8(shop.workspace, shop.settings, shop.model.name, 16)


def test_the_cost_is_told_for_every_view_that_looks_at_photos(report):
    assert set(report.views) == {"image", "fused"} and report.num_judged > 0
    for cost in report.views.values():
        values = dataclasses.astuple(cost)
        assert all(0 <= value <= 1 for value in values)
    assert 0 <= report.num_changed <= report.num_judged and report.speed > 0
    text = "\n".join(report.summary())
    assert "macro-F1" in text and f"{report.speed:.2f} times" in text


def test_its_features_are_near_the_exact_ones(report, shop, exact):
    small = with_int8(shop.workspace, exact)
    pixels = np.random.default_rng(3).integers(0, 256, (4, 224, 224, 3), np.uint8)
    fine, rough = (
        OnnxExtractor(model.graphs[BACKBONE_FILE]).features(pixels) for model in (exact, small)
    )
    assert not np.array_equal(fine, rough)
    assert np.corrcoef(fine.ravel(), rough.ravel())[0, 1] > 0.7
    assert small.graphs.keys() == exact.graphs.keys()
    assert small.graphs[BACKBONE_FILE] == report.path.read_bytes()


def test_unasked_nobody_uses_it(report, shop, exact):
    assert report.path == int8_path(shop.workspace, exact)
    runtime = load_runtime(shop.workspace, shop.settings, shop.model.name)
    assert runtime.artifact.graphs[BACKBONE_FILE] == exact.graphs[BACKBONE_FILE]


def test_before_it_is_made_the_error_names_the_command(shop, exact, tmp_path):
    with pytest.raises(ConfigError, match=f"models int8 {exact.manifest.name}"):
        with_int8(Workspace(tmp_path), exact)
    with pytest.raises(ConfigError, match="looks at no photo"):
        with_int8(shop.workspace, dataclasses.replace(exact, graphs={}))


def test_a_shop_with_hardly_a_photo_is_told_how_many_it_takes(shop, report):
    folder, hidden = shop.workspace.photos, shop.workspace.home / "hidden"
    folder.rename(hidden)
    try:
        with pytest.raises(TrainingDataError, match="^0 photos .* 16 are the least"):
            make_int8(shop.workspace, shop.settings, shop.model.name, 16)
    finally:
        hidden.rename(folder)
    assert report.path.is_file(), "the one made before is still there"


def test_a_file_is_predicted_by_it_where_asked_for(shop, report, tmp_path, monkeypatch):
    source = tmp_path / "new.csv"
    source.write_text("product_id,title\np1,livre roman\np2,piscine\n", encoding="utf-8")
    used = []
    monkeypatch.setattr(
        "mmcore.services.batch_prediction.predict_file",
        lambda runtime, request, show: used.append(runtime) or BatchReport(request.target, "m"),
    )
    named = (str(source), str(tmp_path / "out.csv"), "--home", str(shop.workspace.home))
    for words in ((), ("--int8",)):
        found = CliRunner().invoke(app, ["predict-batch", *named, *words])
        assert found.exit_code == 0, found.output
    plain, small = (runtime.artifact.graphs[BACKBONE_FILE] for runtime in used)
    assert small == report.path.read_bytes() != plain
