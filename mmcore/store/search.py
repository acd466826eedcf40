"""Text search in the database: the same words found the same way in both.

`product.search_text` holds what can be searched for, already folded: lower case, no accents, words
of letters and digits with single spaces between. SQLite finds words in it with FTS5 (table
`product_search`, kept in step by triggers), PostgreSQL with a generated tsvector column; both are
made by the migration.
"""

import re
import unicodedata
from collections.abc import Iterable

from sqlalchemy import Boolean, ColumnElement, bindparam, false
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from mmcore.store.tables import Product
from mmcore.text import clean_text

MAX_WORD = 64  # letters kept of one word; PostgreSQL refuses words of more than 2,046 bytes
MAX_WORDS = 20  # of one search

_WORD = re.compile(r"[^\W_]+")
# accents and vowel points, once NFKD has parted them from their letters
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f]+"
)
# letters that no normal form takes apart
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ı": "i", "þ": "th"})


def search_text(texts: Iterable[str]) -> str:
    """Return the words of the texts as the column holds them, each once."""
    return " ".join(dict.fromkeys(word for text in texts for word in folded_words(text)))


def folded_words(text: str) -> list[str]:
    """Return the words of a text without accents and capitals: "Été" and "ETE" are both ete."""
    if text.isascii() and "<" not in text and "&" not in text:
        plain = text.lower()  # most ids, and many titles: nothing to clean
    else:
        parts = unicodedata.normalize("NFKD", clean_text(text).casefold())
        plain = _ACCENTS.sub("", parts).translate(_LETTERS)
    return [word[:MAX_WORD] for word in _WORD.findall(plain)]


def matches(search: str) -> ColumnElement[bool]:
    """Return the condition that a product has all words of a search, or words that begin so."""
    wanted = list(dict.fromkeys(folded_words(search)))[:MAX_WORDS]
    if not wanted:
        # "!!!" asks for something that no product has; it must not stand for all of them
        return false()
    return _Matches(
        Product.id,
        bindparam(None, " AND ".join(f'"{word}"*' for word in wanted)),
        bindparam(None, " & ".join(f"'{word}':*" for word in wanted)),
    )


def is_in_tables(name: str | None, kind: str, parents: object = None) -> bool:
    """Return whether a part of the database stands in `tables.py`: Alembic's `include_name`.

    What text search needs is made by the migration alone; no table definition can say it.
    """
    if kind == "table":
        return not str(name).startswith("product_search")
    return name not in ("search_vector", "ix_product_search_vector")


class _Matches(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


@compiles(_Matches, "sqlite")
def _on_sqlite(element: _Matches, compiler, **options) -> str:
    product_id, query, _ = element.clauses
    return (
        f"{compiler.process(product_id, **options)} IN (SELECT rowid FROM product_search "
        f"WHERE product_search MATCH {compiler.process(query, **options)})"
    )


@compiles(_Matches, "postgresql")
def _on_postgresql(element: _Matches, compiler, **options) -> str:
    _, _, query = element.clauses
    return f"product.search_vector @@ CAST({compiler.process(query, **options)} AS tsquery)"
