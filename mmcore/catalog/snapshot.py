"""The fingerprint of the exact labels a training run saw."""

import hashlib

import pandas as pd

SNAPSHOT_COLUMNS = ("product_id", "title", "description", "photo", "label", "split")


def snapshot_hash(products: pd.DataFrame) -> str:
    """Return the sha256, in hex, of the labelled products, whatever their order.

    Further columns count, too, where there are any (a model may read them).
    """
    extra = sorted(c for c in products.columns if c not in (*SNAPSHOT_COLUMNS, "group_id"))
    labelled = products[products["label"] != ""].sort_values("product_id")
    digest = hashlib.sha256()
    for row in labelled[[*SNAPSHOT_COLUMNS, *extra]].itertuples(index=False, name=None):
        for value in row:
            data = str(value).encode()
            # lengths between values: "ab" + "c" must not equal "a" + "bc"
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
