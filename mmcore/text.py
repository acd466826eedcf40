"""Titles and descriptions from shop HTML to token ids.

Unknown words are dropped, in training and in serving alike: the seed's 15,001 embedding rows are
the padding and the 15,000 most frequent words, so no row is left for "unknown", and a train text
of a small catalogue holds no unknown word that such a row could learn from. Dropping them also
leaves the 60 places to words the model knows.
"""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mmcore.errors import ConfigError

VOCABULARY_WORDS = 15_000
TEXT_LENGTH = 60  # tokens a product, title first
PAD_ID = 0
MAX_CHARACTERS = 20_000  # of one field; at 60 tokens the rest can't be seen by the model anyway

_COMMENT = ("<!--", "-->")
_TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")
_SPACE = re.compile(r"\s+")
# decimals stay one word ("1,5" and "2.0"); an apostrophe or hyphen separates ("l'eau")
_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+")


def clean_text(text: str) -> str:
    """Return the text without HTML, in Unicode NFC, lower case, single spaces.

    Accents, digits and units are kept. Only the first MAX_CHARACTERS characters are read.
    """
    text = _without_tags(text[:MAX_CHARACTERS])
    # shops escape twice (&amp;eacute;) and escape whole tags (&lt;br&gt;)
    text = _without_tags(html.unescape(html.unescape(text)))
    # NFC after lower(): the lower case of one letter can be two (the Turkish dotted I)
    text = unicodedata.normalize("NFC", text.lower())
    return _SPACE.sub(" ", text.replace("\x00", " ")).strip()


def _without_tags(text: str) -> str:
    for start, end in (_COMMENT, ("<script", "</script>"), ("<style", "</style>")):
        text = _without_blocks(text, start, end)
    return _TAG.sub(" ", text)


def _without_blocks(text: str, start: str, end: str) -> str:
    """Return `text` without the spans from `start` to `end`, in time linear in its length.

    A regular expression with a lazy body takes quadratic time on text that opens often and never
    closes, which a hostile catalogue may hold.
    """
    lowered, kept, position = text.lower(), [], 0
    if len(lowered) != len(text):  # rare letters grow in lower case and would shift the offsets
        lowered = text
    while (opened := lowered.find(start, position)) >= 0:
        closed = lowered.find(end, opened)
        if closed < 0:
            break
        kept += [text[position:opened], " "]
        position = closed + len(end)
    return "".join([*kept, text[position:]])


def words(text: str) -> list[str]:
    """Return the words of a text, cleaned, in order."""
    return _WORD.findall(clean_text(text))


@dataclass(frozen=True)
class Vocabulary:
    """The words the model knows, most frequent first: word i has id i + 1, 0 is padding."""

    words: tuple[str, ...]
    ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids = {word: i for i, word in enumerate(self.words, start=1)}
        if len(ids) != len(self.words):
            raise ConfigError("the vocabulary holds a word twice; build it from the train texts")
        object.__setattr__(self, "ids", ids)

    def __len__(self) -> int:
        """Return the number of words, without padding."""
        return len(self.words)

    def encode(self, texts: Sequence[str], length: int = TEXT_LENGTH) -> np.ndarray:
        """Return (length,) int64: ids of the known words of the texts in order, 0 at the end.

        Args:
            texts: the fields of one product, the most important first (title, description).
            length: places; the first `length` known words are kept, so the title survives.
        """
        ids: list[int] = []
        for text in texts:
            if len(ids) >= length:
                break
            ids += [self.ids[word] for word in words(text) if word in self.ids]
        row = np.full(length, PAD_ID, dtype=np.int64)
        row[: min(length, len(ids))] = ids[:length]
        return row


def build_vocabulary(texts: Iterable[str], size: int = VOCABULARY_WORDS) -> Vocabulary:
    """Return the `size` most frequent words of the texts; ties go in alphabetical order.

    Args:
        texts: of the TRAIN products only; words of val and test would leak into the model.
    """
    counts = Counter[str]()
    for text in texts:
        counts.update(words(text))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return Vocabulary(tuple(word for word, _ in ranked[:size]))
