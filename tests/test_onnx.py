"""The graphs give PyTorch's numbers, whatever is missing and however many come at once."""

import numpy as np
import pytest
import torch
from networks import CPU, NUM_CLASSES, TinyBackbone

from mmcore.artifact import load_artifact, save_artifact
from mmcore.backbones import SPECS, build_backbone
from mmcore.batches import Batch
from mmcore.engines import OnnxEngine, TorchEngine
from mmcore.extractors import OnnxExtractor, TorchExtractor, export_backbone
from mmcore.fusion import FusionClassifier
from mmcore.linear import LinearHead, SparseRows
from mmcore.onnx_export import graphs_of
from mmcore.pixels import PhotoReader, to_tensor
from mmcore.runtime import ProductInput, Runtime
from mmcore.towers import ImageTower, TabularTower, TextTower

CLOSE = 1e-4
NUM_NGRAMS = 500


@pytest.fixture(scope="module")
def model() -> FusionClassifier:
    """Return a network of four modalities whose parameters and statistics are all moved."""
    torch.manual_seed(0)
    towers = {
        "text": TextTower(200),
        "image": ImageTower(TinyBackbone()),
        "price": TabularTower(3),
        "reviews": TextTower(200),
    }
    model = FusionClassifier(towers, NUM_CLASSES).eval()
    for name, width, is_sparse in (("text", NUM_NGRAMS, True), ("image", 1280, False)):
        model.linear[name] = LinearHead(width, NUM_CLASSES, is_sparse)
        model.linear[name].weight.normal_()
    model.linear["price"] = LinearHead(3, NUM_CLASSES, False, is_unit=False)
    model.linear["price"].weight.normal_()
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_(torch.rand_like(tensor) * 0.01)
    return model


def batch(num: int, seed: int) -> Batch:
    """Return random products; each modality is missing from a third of them."""
    draw = torch.Generator().manual_seed(seed)
    features = torch.rand(num, 1280, generator=draw)
    tokens = torch.randint(0, 200, (2, num, 60), generator=draw)
    tokens[:, :, 7:] *= torch.randint(0, 2, (2, num, 1), generator=draw)  # short ones, too
    inputs = {
        "text": tokens[0],
        "image": features,
        "price": torch.randn(num, 3, generator=draw),
        "reviews": tokens[1],
    }
    present = {name: torch.rand(num, generator=draw) > 1 / 3 for name in inputs}
    ids = torch.randint(0, NUM_NGRAMS, (9 * num,), generator=draw)
    values, starts = torch.rand(9 * num, generator=draw), torch.arange(0, 9 * num, 9)
    ngrams = {"text": SparseRows(ids, values, starts)}
    return Batch(inputs, present, torch.zeros(num, dtype=torch.int64), ngrams)


def assert_equal(mine, theirs):
    assert mine.keys() == theirs.keys() and len(mine) > 3
    for key, rows in mine.items():
        assert rows.shape == theirs[key].shape and rows.dtype == np.float32
        assert np.abs(rows - theirs[key]).max() < CLOSE, key


def test_a_thousand_products_have_the_same_logits(model):
    engine, oracle = OnnxEngine(model, graphs_of(model), threads=1), TorchEngine(model)
    assert engine.sources == oracle.sources
    for num, seed in ((1, 1), (2, 2), (997, 3)):
        found, wanted = engine.logits(batch(num, seed)), oracle.logits(batch(num, seed))
        assert_equal(found.heads, wanted.heads)
        assert_equal(found.fused, wanted.fused)
        assert len(found.fused) == 15, "every choice of four modalities"


def noise(num: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (num, 224, 224, 3), np.uint8)


def test_photos_go_through_the_backbone_where_they_were_decoded(make_photo):
    photos = {"a": make_photo(seed=1), "b": b"no photo", "c": make_photo(seed=2)}
    backbone = TinyBackbone()
    found = []
    for extractor in (OnnxExtractor(export_backbone(backbone)), TorchExtractor(backbone, CPU)):
        reader = PhotoReader(photos.__getitem__, threads=2)
        extractor.begin(reader, ["a", "b"])
        found.append(list(extractor.stream(reader, [["a", "", "b"], [], ["c"]])))
        assert set(reader.unreadable) == {"b"}
        reader.close()
    for (mine, readable), (theirs, wanted) in zip(*found, strict=True):
        assert readable.tolist() == wanted.tolist() and mine.shape == theirs.shape
        assert np.abs(mine - theirs).max(initial=0) < CLOSE and mine.dtype == np.float32
    assert [readable.tolist() for _, readable in found[0]] == [[True, False, False], [], [True]]
    assert found[0][0][0][0].any() and not found[0][0][0][1:].any()


@pytest.mark.parametrize("name", sorted(SPECS))
def test_each_backbone_has_the_same_features(name):
    backbone = lively(build_backbone(name, None, seed=1))
    pixels = noise(3, 5)
    found = OnnxExtractor(export_backbone(backbone)).features(pixels)
    wanted = TorchExtractor(backbone, CPU).features(pixels)
    assert found.shape == (3, 1280) and found.dtype == np.float32
    assert wanted.std() > 0.01, "features that are all alike would prove nothing"
    assert np.abs(found - wanted).max() < CLOSE * max(1.0, np.abs(wanted).max())


def lively(backbone):
    """Return a random backbone with the statistics of its own activations, as training leaves it.

    Without, the signal dies on its way.
    """
    for norm in backbone.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.momentum = None  # the mean of what it sees
    pixels = noise(8, 6)
    with torch.no_grad():
        backbone.train()(to_tensor(pixels, CPU))
    return backbone.eval()


def test_a_model_without_photos_has_one_graph():
    model = FusionClassifier({"text": TextTower(9)}, 2).eval()
    graphs = graphs_of(model)
    assert set(graphs) == {"model.onnx"}
    rows = Batch(
        {"text": torch.ones(2, 60, dtype=torch.int64)},
        {"text": torch.tensor([True, False])},
        torch.zeros(2),
    )
    found = OnnxEngine(model, graphs, 1).logits(rows)
    assert set(found.fused) == {("text",)} and set(found.heads) == {"text"}


def test_exporting_leaves_the_network_as_it_was(model):
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    model.train()
    graphs_of(model)
    assert model.training
    model.eval()
    assert all(tensor.equal(before[key]) for key, tensor in model.state_dict().items())


def test_the_graphs_lie_in_the_folder_and_an_older_folder_does_without(artifact, tmp_path):
    import pandas as pd

    save_artifact(tmp_path / "m1", artifact, pd.DataFrame({"product_id": ["p"]}))
    loaded = load_artifact(tmp_path / "m1")
    assert set(loaded.graphs) == {"model.onnx", "backbone.onnx"}
    asked = [ProductInput("piscine"), ProductInput("livre été")]
    with_graphs = Runtime(loaded, CPU).predict(asked)
    import dataclasses

    without = Runtime(dataclasses.replace(loaded, graphs={}), CPU).predict(asked)
    for one, other in zip(with_graphs, without, strict=True):
        assert one.probs["fused"] == pytest.approx(other.probs["fused"], abs=1e-6)
