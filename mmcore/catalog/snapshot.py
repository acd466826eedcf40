"""The fingerprint of the exact labels a training run saw."""

import hashlib

from mmcore.catalog.products import BASE_COLUMNS, Catalogue

# of the base columns: what a network reads or is taught; groups only decide the split
_READ = ("product_id", "title", "description", "photo", "label", "split")


def snapshot_hash(catalogue: Catalogue) -> str:
    """Return the sha256, in hex, of the labelled products, whatever their order.

    Further columns count, too: a model may read them.
    """
    products = catalogue.products
    extra = sorted(column for column in products.columns if column not in BASE_COLUMNS)
    labelled = products[products["label"] != ""].sort_values("product_id")
    digest = hashlib.sha256()
    for row in labelled[[*_READ, *extra]].itertuples(index=False, name=None):
        for value in row:
            data = value.encode()
            # lengths between values: "ab" + "c" must not equal "a" + "bc"
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
