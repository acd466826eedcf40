"""A made-up workspace of any size: texts, photos, predictions, a full queue and a model to ask.

Titles and descriptions are random words with French frequencies; a tenth of the products have no
label, a third no description, a tenth no photo. The model is untrained, which costs the same.
"""

import hashlib
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sqlalchemy import insert, text

from mmcore.photos import PhotoStore
from mmcore.services.people import ensure_actor
from mmcore.services.photos import CARD_PX, LIST_PX, thumbnail
from mmcore.settings import Settings, read_settings
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate
from mmcore.store.products import CatalogueFacts, write_facts
from mmcore.store.search import search_text
from mmcore.store.tables import Product, ProductClass
from mmcore.workspace import Workspace

NUM_CLASSES = 27
NUM_FILES = 200  # different photos on the disk; a product's is the one of its number, modulo
FITTED_ON = 20_000  # products that the n-grams are counted on
MODEL = "m1"
PERSON = "lea"
SYLLABLES = (
    "ba be bi bo ca ce co da de di do fa fé ga gé ja ju la lé li lo ma mé mo na né pa".split()
)
ACCENTED = "été"
TITLE_WORDS, DESCRIPTION_WORDS = 8, 60


@dataclass(frozen=True)
class MadeShop:
    """A workspace, its open store, and the id of the model version in production."""

    workspace: Workspace
    settings: Settings
    store: Store
    version_id: int | None


def make_shop(home: Path, num_products: int, photos: str = "files", model: bool = True) -> MadeShop:
    """Return a workspace with products; their queue is full, their predictions aren't made yet.

    Args:
        photos: "files" gives 200 real ones, "features" each product its own, as cached features
            alone, which needs a model.
    """
    workspace = Workspace(home).create()
    store = Store(sqlite_url(workspace.database_file))
    migrate(store)
    keys = photo_files(workspace) if photos == "files" else photo_names(num_products)
    with store.writing() as session:
        session.add_all(map(_class, range(1, NUM_CLASSES + 1)))
        session.flush()
        draw = np.random.default_rng(0)
        for rows in product_rows(num_products, keys, draw):
            session.execute(insert(Product), rows)
        write_facts(session, CatalogueFacts("csv", revision=1))
    ensure_actor(store, PERSON, "admin", 0.0)
    settings = read_settings(home)
    version_id = add_model(workspace, settings, store, keys) if model else None
    return MadeShop(workspace, settings, store, version_id)


def make_words(count: int) -> list[str]:
    """Return different made-up words, shuffled: the first are the frequent ones."""
    rng = random.Random(0)
    found = {"".join(rng.choices(SYLLABLES, k=rng.randint(2, 4))) for _ in range(count * 2)}
    words = [*sorted(found)[: count - 1], ACCENTED]
    rng.shuffle(words)
    return words


class Texts:
    """Draws texts of words that are as unevenly frequent as those of a language."""

    def __init__(self, draw: np.random.Generator) -> None:
        self._words = np.array(make_words(20_000), object)
        self._limits = np.cumsum(1 / (np.arange(len(self._words)) + 10))
        self._draw = draw

    def some(self, count: int, length: int) -> list[str]:
        """Return that many texts of that many words."""
        at = self._draw.random((count, length)) * self._limits[-1]
        return [" ".join(row) for row in self._words[np.searchsorted(self._limits, at)]]


def product_rows(
    num: int, keys: Sequence[str], draw: np.random.Generator, first: int = 1, piece: int = 5_000
) -> Iterator[list[dict]]:
    """Yield the rows of products number `first` and on, piece by piece."""
    texts = Texts(draw)
    for start in range(first, first + num, piece):
        numbers = range(start, min(start + piece, first + num))
        titles = texts.some(len(numbers), TITLE_WORDS)
        descriptions = texts.some(len(numbers), DESCRIPTION_WORDS)
        chances = draw.random((len(numbers), 3))
        yield [
            _product(n, title, about if chance[0] > 1 / 3 else "", keys[n % len(keys)], chance)
            for n, title, about, chance in zip(numbers, titles, descriptions, chances, strict=True)
        ]


def _product(number: int, title: str, description: str, photo: str, chance) -> dict:
    name = f"ref-{number}"
    return {
        "id": number,
        "product_id": name,
        "title": title,
        "description": description,
        "search_text": search_text((name, title, description)),
        "photo": photo if number % 10 else "",
        "photo_hash": "",
        "group_id": f"g{number - number % 50 if number % 50 < 3 else number}",
        "split": ("train", "train", "train", "train", "val", "test")[number % 6],
        "extra": {"price": str(number % 97)},
        "class_id": None if chance[1] < 0.1 else 1 + int(number * 7919 % NUM_CLASSES),
        "is_flagged": number % 500 == 3,
        "random_rank": float(chance[2]),
        "created_at": 0.0,
    }


def _class(number: int) -> ProductClass:
    names = {"name_fr": f"Classe {number}", "name_en": f"Class {number}"}
    return ProductClass(id=number, code=str(number * 10), position=number, **names)


def photo_files(workspace: Workspace) -> list[str]:
    """Return the keys of photos that are put into the workspace, with their small copies."""
    store, draw = PhotoStore(workspace.photos), np.random.default_rng(0)
    keys = []
    for _ in range(NUM_FILES):
        keys.append(store.add(photo_bytes(draw)))
        for size in (CARD_PX, LIST_PX):
            thumbnail(workspace, keys[-1], size)
    return keys


def photo_bytes(draw: np.random.Generator) -> bytes:
    """Return a JPEG of 800 x 800 pixels, blurred noise."""
    small = draw.integers(0, 255, (20, 20, 3), np.uint8)
    picture = Image.fromarray(small).resize((800, 800), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()


def photo_names(num: int) -> list[str]:
    """Return the keys that `num` photos might have."""
    return [hashlib.sha256(f"photo {i}".encode()).hexdigest() for i in range(num)]


def add_model(
    workspace: Workspace, settings: Settings, store: Store, keys: Sequence[str], name: str = MODEL
) -> int:
    """Return the id of a model version in production whose photo features are all cached."""
    from mmcore.features import open_cache
    from mmcore.services.registry import activate, register_folder

    artifact = _artifact(workspace, settings, store, name)
    cache = open_cache(workspace.cache, artifact.model.image_tower.backbone)
    draw, piece = np.random.default_rng(1), 5_000
    for start in range(0, len(keys), piece):
        part = keys[start : start + piece]
        cache.append(part, np.abs(draw.standard_normal((len(part), 1280), np.float32)))
    _save(workspace, artifact)
    version_id = register_folder(store, workspace, name, 0.0)
    activate(store, ensure_actor(store, PERSON, "admin", 0.0), workspace, name, 0.0)
    return version_id


def _artifact(workspace: Workspace, settings: Settings, store: Store, name: str):
    import pandas as pd
    import torch

    from mmcore.artifact import Artifact
    from mmcore.build import build_model
    from mmcore.catalog.class_names import ClassName
    from mmcore.combiner import equal_shares
    from mmcore.config import RunChoices, build_run_config
    from mmcore.encoders import fit_encoder, with_ngrams
    from mmcore.linear import LinearHead
    from mmcore.manifest import Manifest
    from mmcore.services.images import starting_backbone

    choices = RunChoices(weights="random", backbone="mobilenet_v2", epochs1=1, epochs2=0)
    config = build_run_config(choices)
    with store.reading() as session:
        found = session.execute(
            text("SELECT title, description FROM product ORDER BY random_rank LIMIT :n"),
            {"n": FITTED_ON},
        ).all()
    products = pd.DataFrame(found, columns=["title", "description"], dtype="str")
    modality = config.model.modalities[0]
    encoders = with_ngrams({"text": fit_encoder(modality, products)}, products)
    backbone = starting_backbone(config, workspace.weights, settings)
    model = build_model(config.model, encoders, NUM_CLASSES, backbone, 0).eval()
    draw = torch.Generator().manual_seed(0)
    for modality, width in (("text", encoders["text"].ngrams.width), ("image", 1280)):
        head = LinearHead(width, NUM_CLASSES, is_sparse=modality == "text")
        head.weight.copy_(torch.randn(head.weight.shape, generator=draw))
        model.linear[modality] = head
    manifest = Manifest(name, "2026-01-01", "ab" * 32, "0.1", None, False)
    names = [c for c in (str(10 * i) for i in range(1, NUM_CLASSES + 1))]
    classes = tuple(ClassName(code, f"Classe {code}", f"Class {code}") for code in names)
    combiner = equal_shares(model.names, "made up")
    return Artifact(manifest, config, model, encoders, classes, combiner, {"scores": {}})


def _save(workspace: Workspace, artifact) -> None:
    import pandas as pd

    from mmcore.artifact import save_artifact
    from mmcore.reports import PREDICTION_COLUMNS

    rows = pd.DataFrame(columns=list(PREDICTION_COLUMNS))
    save_artifact(workspace.models / artifact.manifest.name, artifact, rows)
