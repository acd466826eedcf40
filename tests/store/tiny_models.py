"""A real, untrained model of text and price, quick to make and to load."""

import pandas as pd

from mmcore.artifact import Artifact, save_artifact
from mmcore.build import build_model
from mmcore.catalog.class_names import ClassName
from mmcore.combiner import equal_shares
from mmcore.config import TEXT, ModalityConfig, RunChoices, build_run_config
from mmcore.encoders import TextEncoder, fit_encoder
from mmcore.manifest import Manifest
from mmcore.reports import PREDICTION_COLUMNS
from mmcore.services.registry import register_folder
from mmcore.text import Vocabulary

PRICE = ModalityConfig("price", "tabular", ("price",))
WORDS = ("titre", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


def tiny_parts(seed: int = 1):
    """Return (config, model, encoders)."""
    config = build_run_config(RunChoices(modalities=(TEXT, PRICE)))
    prices = pd.DataFrame({"price": ["1", "20", "300"]}, dtype="str")
    encoders = {
        "text": TextEncoder(TEXT.columns, Vocabulary(WORDS)),
        "price": fit_encoder(PRICE, prices),
    }
    return config, build_model(config.model, encoders, 3, None, seed=seed).eval(), encoders


def save_model(store, workspace, parts, name, codes=("10", "20", "30")) -> int:
    """Write the model's folder, register it, and return the id of its version."""
    config, model, encoders = parts
    manifest = Manifest(name, "2026-01-01", "ab" * 32, "0.1", None, False)
    classes = tuple(ClassName(code, code, code) for code in codes)
    combiner = equal_shares(model.names, "test")
    artifact = Artifact(manifest, config, model, encoders, classes, combiner, {"scores": {}})
    rows = pd.DataFrame(columns=list(PREDICTION_COLUMNS))
    save_artifact(workspace.models / name, artifact, rows)
    return register_folder(store, workspace, name, 0.0)
