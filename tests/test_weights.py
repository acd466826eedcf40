"""Whose tensors are whose, whatever the modalities are called."""

from networks import NUM_CLASSES, TinyBackbone, tiny_model

from mmcore.fusion import FusionClassifier
from mmcore.towers import ImageTower, TextTower
from mmcore.weights import backbone_names


def test_the_backbones_tensors_are_named_exactly():
    model = tiny_model()
    backbone = model.image_tower.backbone
    names = backbone_names(model)
    assert len(names) == len(backbone.state_dict()) > 0
    state = model.state_dict()
    own = {tensor.data_ptr() for tensor in backbone.state_dict().values()}
    assert {name for name in state if state[name].data_ptr() in own} == names


def test_a_modality_called_backbone_is_none():
    towers = {"backbone": TextTower(), "image": ImageTower(TinyBackbone())}
    names = backbone_names(FusionClassifier(towers, NUM_CLASSES))
    assert len(names) == len(TinyBackbone().state_dict())
    assert backbone_names(FusionClassifier({"backbone": TextTower()}, NUM_CLASSES)) == frozenset()
