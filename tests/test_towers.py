"""The seed's network has every shape of the seed's drawing."""

import pytest
import torch
from torch import nn

from mmcore import towers
from mmcore.backbones import SPECS, build_backbone
from mmcore.build import build_model
from mmcore.config import IMAGE, TEXT, RunChoices, build_run_config
from mmcore.encoders import TextEncoder
from mmcore.text import PAD_ID, Vocabulary
from mmcore.towers import TextTower

K = 27


@pytest.fixture(scope="module", params=["mobilenet_v2", "efficientnet_b0"])
def seed_network(request):
    choices = RunChoices(preset="seed", backbone=request.param, weights="random")
    config = build_run_config(choices)
    encoders = {"text": TextEncoder(TEXT.columns, Vocabulary(("mot",)))}
    backbone = build_backbone(request.param, None)
    return build_model(config.model, encoders, K, backbone, seed=0).eval()


def shapes_of(network: nn.Module, *inputs) -> dict[str, tuple]:
    """Return the output shape of every module that ran, by name."""
    seen: dict[str, tuple] = {}

    def remember(name):
        def hook(module, given, output):  # returns nothing: what a hook returns replaces the output
            seen[name] = tuple(getattr(output, "shape", ()))

        return hook

    hooks = [m.register_forward_hook(remember(name)) for name, m in network.named_modules()]
    with torch.inference_mode():
        network(*inputs)
    for hook in hooks:
        hook.remove()
    return seen


def test_every_shape_of_the_drawing(seed_network):
    size = 4
    inputs = {
        "text": torch.randint(1, 15_001, (size, 60)),
        "image": torch.rand(size, 3, 224, 224) * 2 - 1,
    }
    present = {name: torch.ones(size, dtype=torch.bool) for name in inputs}
    seen = shapes_of(seed_network, inputs, present)
    assert seen["towers.on_text.embedding"] == (size, 60, 128)
    assert [seen[f"towers.on_text.norms.{i}"] for i in range(3)] == [(size, 64, 60)] * 3
    assert seen["towers.on_text.project"] == (size, 128)
    assert seen["towers.on_image.backbone"] == (size, 1280, 7, 7)
    assert seen["towers.on_image.project"] == (size, 256)
    assert seen["fusion.0"] == (size, 256)
    assert seen["fusion.1"] == (size, 128)
    assert seen["fusion"] == (size, K)


def test_widths_inside(seed_network):
    text, image = seed_network.towers["text"], seed_network.towers["image"]
    assert text.embedding.weight.shape == (15_001, 128)
    assert [conv.kernel_size for conv in text.convs] == [(2,), (3,), (4,)]
    assert [conv.out_channels for conv in text.convs] == [64, 64, 64]
    assert text.project[0].in_features == 192  # three branches of (B, 64), side by side
    assert image.project[0].in_features == 1280
    assert seed_network.fusion[0][0].in_features == 384  # 128 + 256


def test_branches_are_64_wide_and_concatenate_to_192():
    tower = TextTower().eval()
    widths = []
    tower.project.register_forward_pre_hook(lambda m, args: widths.append(args[0].shape))
    tower(torch.randint(1, 100, (2, 60)))
    assert widths == [(2, 192)]


def test_dropout_rates(seed_network):
    def rate(block):
        return next(m.p for m in block if isinstance(m, nn.Dropout))

    assert rate(seed_network.towers["text"].project) == 0.3
    assert rate(seed_network.towers["image"].project) == 0.3
    assert [rate(block) for block in list(seed_network.fusion)[:2]] == [0.4, 0.3]


@pytest.mark.parametrize("name", sorted(SPECS))
def test_every_backbone_ends_in_1280_by_7_by_7(name):
    with torch.inference_mode():
        assert build_backbone(name, None).eval()(torch.zeros(1, 3, 224, 224)).shape == (
            (1, 1280, 7, 7)
        )


def test_padding_changes_nothing():
    torch.manual_seed(0)
    tower = TextTower().eval()
    short = torch.tensor([[3, 4, 5]])
    padded = torch.nn.functional.pad(short, (0, 57))
    with torch.inference_mode():
        assert torch.allclose(tower(short), tower(padded), atol=1e-6)


def test_a_title_of_one_word_has_an_answer_of_its_own():
    torch.manual_seed(0)
    tower = TextTower().eval()
    rows = torch.zeros(3, 60, dtype=torch.int64)
    rows[0, 0], rows[1, 0] = 7, 8  # row 2 has no word at all
    with torch.inference_mode():
        out = tower(rows)
    assert torch.isfinite(out).all()
    assert not torch.allclose(out[0], out[1])


def test_image_tower_takes_pixels_maps_or_pooled_features(seed_network):
    tower = seed_network.towers["image"]
    pixels = torch.rand(2, 3, 224, 224) * 2 - 1
    with torch.inference_mode():
        maps = tower.backbone(pixels)
        assert torch.allclose(tower(pixels), tower(maps), atol=1e-5)
        assert torch.allclose(tower(maps), tower(maps.mean(dim=(2, 3))), atol=1e-5)


def test_modalities_are_text_and_image_by_default():
    config = build_run_config(RunChoices(preset="seed"))
    assert config.model.modalities == (TEXT, IMAGE)
    assert config.model.backbone == "mobilenet_v2"
    assert [phase.lr for phase in config.phases] == [1e-3, 1e-4]
    assert [phase.train_backbone for phase in config.phases] == [False, True]


def as_drawn(tower: TextTower, token_ids: torch.Tensor) -> torch.Tensor:
    """The text tower without shortcuts: every window computed, plain BatchNorm over all of them."""
    is_token = (token_ids != PAD_ID).unsqueeze(1)
    embedded = tower.embedding(token_ids).transpose(1, 2)
    branches = []
    for conv, norm in zip(tower.convs, tower.norms, strict=True):
        padded = nn.functional.pad(embedded, (0, conv.kernel_size[0] - 1))
        answers = nn.BatchNorm1d.forward(norm, torch.relu(conv(padded)))
        strongest = answers.masked_fill(~is_token, -1e30).amax(dim=2)
        branches.append(torch.where(is_token.any(dim=2), strongest, 0.0))
    return tower.project(torch.cat(branches, dim=1))


def texts(longest: int, num: int = 9) -> torch.Tensor:
    """Texts of 0 to `longest` words, one of them the longest and one empty."""
    rows = torch.zeros(num, 60, dtype=torch.int64)
    for row, size in zip(
        rows, [longest, 0, *torch.randint(0, longest + 1, (num - 2,))], strict=True
    ):
        row[:size] = torch.randint(1, 40, (int(size),))
    return rows


def twins() -> tuple[TextTower, TextTower]:
    """Two equal towers of double precision, without dropout, some filters weighed negatively."""
    torch.manual_seed(3)
    first, second = (TextTower(50).double() for _ in range(2))
    for norm in first.norms:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    for conv in first.convs:
        nn.init.normal_(conv.bias, std=0.5)  # what padding answers isn't 0 then
    second.load_state_dict(first.state_dict())
    for tower in (first, second):
        tower.project[-1].p = 0.0
    return first, second


def test_a_batch_without_any_word_is_learnt_from_without_harm():
    tower = twins()[0]
    tower(torch.zeros(4, 60, dtype=torch.int64)).sum().backward()
    tensors = [*tower.state_dict().values(), *(p.grad for p in tower.parameters())]
    assert all(torch.isfinite(tensor).all() for tensor in tensors)


@pytest.mark.parametrize("few_words", [0.0, 1.0])  # by convolutions, by windows one by one
@pytest.mark.parametrize("longest", [1, 2, 7, 31, 59, 60])
def test_what_is_left_out_changes_neither_step_nor_statistics(monkeypatch, few_words, longest):
    monkeypatch.setattr(towers, "FEW_WORDS", few_words)
    quick, plain = twins()
    for _ in range(3):  # the statistics of one step are kept for the next
        rows = texts(longest)
        weights = torch.randn(len(rows), quick.dim, dtype=torch.float64)
        answers = quick(rows), as_drawn(plain, rows)
        assert torch.allclose(*answers, rtol=1e-8, atol=1e-8)
        for tower, out in zip((quick, plain), answers, strict=True):
            tower.zero_grad()
            (out * weights).sum().backward()
        for (name, a), b in zip(quick.named_parameters(), plain.parameters(), strict=True):
            assert torch.allclose(a.grad, b.grad, rtol=1e-5, atol=1e-6), name
        for (name, a), b in zip(quick.named_buffers(), plain.buffers(), strict=True):
            assert torch.allclose(a, b, rtol=1e-9), name
            assert a.dtype == b.dtype


@pytest.mark.parametrize("longest", [1, 7, 60])
def test_what_is_left_out_of_short_texts_changes_no_answer(longest):
    tower, plain = twins()
    for either in (tower, plain):
        either(texts(20))  # statistics that aren't 0 and 1
        either.eval()
    rows = texts(longest)
    plain.load_state_dict(tower.state_dict())
    with torch.inference_mode():
        assert torch.allclose(tower(rows), as_drawn(plain, rows), rtol=1e-9, atol=1e-9)
