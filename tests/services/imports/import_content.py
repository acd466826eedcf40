"""What an import left in the store, and pictures to import."""

import struct
import zlib

import numpy as np
from photo_files import encode_photo
from PIL import Image
from sqlalchemy import select

from mmcore.services.catalogue_frame import load_catalogue
from mmcore.store.engine import Store
from mmcore.store.products import read_facts
from mmcore.store.tables import Act, Annotation, Product

NOW = 1_700_000_000.0
HEADER = "id,title,description,image,category\n"


def products(store: Store):
    return load_catalogue(store).products.set_index("product_id")


def is_empty(store: Store) -> bool:
    """Return whether nothing was ever imported."""
    with store.reading() as session:
        return read_facts(session) is None and not session.scalars(select(Product.id)).all()


def everything(store: Store) -> tuple:
    """Return all that an import writes."""
    with store.reading() as session:
        tables = [session.execute(select(t.__table__)).all() for t in (Product, Act, Annotation)]
        return read_facts(session), tables


def counts(report) -> tuple[int, int, int, int]:
    return report.num_added, report.num_updated, report.num_unchanged, report.num_left_out


def scene(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 9, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((90, 90), Image.Resampling.BICUBIC))


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        checked = kind + body
        return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0"))


# --- photos that can't be used


GOOD = encode_photo(scene(5))
