"""Rows of a CSV file and what is read of them."""

from mmcore.catalog.csv_columns import guess_columns
from mmcore.catalog.csv_reader import RawProduct, read_products
from mmcore.catalog.csv_table import open_table
from mmcore.catalog.issues import RowIssue

HEADER = "id,title,description,category\n"


def rows(start: int, stop: int) -> str:
    """Return good rows without quotes."""
    return "".join(f"p{i},Chaise {i},une chaise belle,c{i % 3}\n" for i in range(start, stop))


def ids(products: list[RawProduct]) -> list[str]:
    return [product.product_id for product in products]


def read_rows(path, data, columns=None, separator=None):
    """Return the products and the issues of a file of these bytes."""
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    table = open_table(path, separator)
    columns = columns or guess_columns(table.header, table.unnamed)
    found = list(read_products(table, columns))
    products = [row for row in found if isinstance(row, RawProduct)]
    return products, [row for row in found if isinstance(row, RowIssue)]
