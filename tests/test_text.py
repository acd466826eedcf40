"""Cleaning, vocabulary and token ids."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcore.errors import ConfigError
from mmcore.text import MAX_CHARACTERS, Vocabulary, build_vocabulary, clean_text, words


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("<p>Piscine <b>gonflable</b></p>", "piscine gonflable"),
        ("caf&eacute;", "café"),
        ("caf&amp;eacute;", "café"),  # escaped twice
        ("a&lt;br /&gt;b", "a b"),  # an escaped tag
        ("E\u0301COLE", "école"),  # NFC
        ("prix < 20 € et > 5 €", "prix < 20 € et > 5 €"),  # no tag
        ("avant<script>alert(1)</script>apres", "avant apres"),
        ("a<!-- b -->c", "a c"),
        ("  L'été\n\t2024 ", "l'été 2024"),
        ("\x00nul", "nul"),
        ("", ""),
    ],
)
def test_clean_text(raw, cleaned):
    assert clean_text(raw) == cleaned


def test_words_keep_accents_digits_and_units():
    assert words("L'Été : 1,5 L, 220V – lot de 2 x 10cm") == (
        ["l", "été", "1,5", "l", "220v", "lot", "de", "2", "x", "10cm"]
    )


@given(st.text(max_size=300))
def test_cleaning_never_fails_and_leaves_no_double_space(text):
    cleaned = clean_text(text)
    assert "  " not in cleaned and cleaned == cleaned.strip()


@pytest.mark.timeout(20)  # a quadratic cleaner needs minutes for these
@pytest.mark.parametrize("hostile", ["<script", "<!--", "<", "<a ", "&lt;script"])
def test_hostile_text_ends(hostile):
    clean_text(hostile * (MAX_CHARACTERS // len(hostile)))


def test_vocabulary_is_by_frequency_then_alphabet():
    vocabulary = build_vocabulary(["b a", "a c", "a d"], size=3)
    assert vocabulary.words == ("a", "b", "c")


def test_encode_keeps_the_title_first_and_drops_unknown_words():
    vocabulary = Vocabulary(("piscine", "bleue", "grande"))
    row = vocabulary.encode(["Grande inconnue PISCINE", "bleue"], length=5)
    assert row.tolist() == [3, 1, 2, 0, 0]
    assert row.dtype == np.int64


def test_truncation_keeps_the_first_sixty():
    vocabulary = build_vocabulary([" ".join(f"mot{i}" for i in range(80))])
    texts = [" ".join(f"mot{i}" for i in range(70)), "mot75"]
    row = vocabulary.encode(texts)
    assert row.tolist() == [vocabulary.ids[f"mot{i}"] for i in range(60)]


def test_a_word_twice_in_a_vocabulary_is_refused():
    with pytest.raises(ConfigError, match="a word twice; build it"):
        Vocabulary(("a", "a"))
