"""Hashed n-grams: what is in a row, what is left out, and that serving sees what training saw."""

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from mmcore import ngrams
from mmcore.errors import ConfigError
from mmcore.ngrams import fit_ngrams, ngrams_from_json, ngrams_to_json

COLUMNS = ("title", "description")


def frame(*pairs):
    return pd.DataFrame(list(pairs), columns=COLUMNS)


PRODUCTS = frame(
    ("Piscine gonflable ronde", "une piscine d'été"),
    ("Piscine tubulaire", ""),
    ("Livre de poche", "roman policier"),
    ("Livre relié", "un roman"),
)


def test_rows_have_length_one_or_nothing():
    rows = fit_ngrams(COLUMNS, PRODUCTS).encode(
        frame(("piscine", ""), ("", ""), ("xyz", "qqq"), ("livre", "roman"))
    )
    lengths = np.sqrt(rows.multiply(rows).sum(axis=1))
    assert lengths == pytest.approx([1, 0, 0, 1])


@pytest.mark.parametrize("analyzer", ["word", "char_wb"])
def test_weights_are_those_of_scikit_learns_tfidf(analyzer, monkeypatch):
    """Oracle: without the hash, scikit-learn's own vectorizer gives the same inner products."""
    alone = [h for h in ngrams._hashers() if h.analyzer == analyzer]
    monkeypatch.setattr(ngrams, "_hashers", lambda: alone)
    ours = fit_ngrams(("title",), PRODUCTS).encode(PRODUCTS)
    options = {"word": {"token_pattern": r"(?u)\b\w+\b", "ngram_range": (1, 2)}}
    options = options.get(analyzer, {"ngram_range": (3, 5)})
    oracle = TfidfVectorizer(analyzer=analyzer, min_df=2, sublinear_tf=True, **options)
    theirs = oracle.fit_transform(PRODUCTS["title"])
    assert (ours @ ours.T).toarray() == pytest.approx((theirs @ theirs.T).toarray(), abs=1e-5)


def test_an_ngram_of_one_product_does_not_count():
    encoder = fit_ngrams(("title",), frame(("commun rare", ""), ("commun", "")))
    assert encoder.encode(frame(("rare", ""))).nnz == 0
    assert encoder.encode(frame(("commun", ""))).nnz > 0


def test_columns_are_read_together_and_each_by_itself():
    swapped = PRODUCTS.rename(columns={"title": "description", "description": "title"})
    encoder = fit_ngrams(COLUMNS, pd.concat([PRODUCTS, swapped]))
    assert encoder.readings == (COLUMNS, ("title",), ("description",))
    rows = encoder.encode(frame(("livre", ""), ("", "livre"), ("livre", "livre"))).toarray()
    title, description, both = (set(np.flatnonzero(row)) for row in rows)
    assert title & description and title - description and description - title
    assert both == title | description


def test_a_column_that_is_always_empty_is_not_read_by_itself():
    products = PRODUCTS.assign(description=" ")
    encoder = fit_ngrams(COLUMNS, products)
    assert encoder.readings == (COLUMNS,)
    new = encoder.encode(frame(("", "livre")))
    assert new.nnz, "what a later product says there counts like words of its title"


def test_only_the_most_frequent_are_kept(monkeypatch):
    monkeypatch.setattr(ngrams, "MAX_NGRAMS", 5)
    encoder = fit_ngrams(COLUMNS, PRODUCTS)
    assert encoder.width == 5
    assert (np.diff(encoder.hashes) > 0).all()


def test_one_product_alone_is_read_as_among_many():
    encoder = fit_ngrams(COLUMNS, PRODUCTS)
    whole = encoder.encode(PRODUCTS).toarray()
    for i in range(len(PRODUCTS)):
        assert encoder.encode(PRODUCTS.iloc[i : i + 1]).toarray()[0] == pytest.approx(whole[i])


def test_many_products_are_read_in_pieces(monkeypatch):
    whole = fit_ngrams(COLUMNS, PRODUCTS)
    monkeypatch.setattr(ngrams, "_PIECE", 3)
    pieces = fit_ngrams(COLUMNS, PRODUCTS)
    assert pieces.hashes.tolist() == whole.hashes.tolist()
    assert pieces.encode(PRODUCTS).toarray() == pytest.approx(whole.encode(PRODUCTS).toarray())


def test_no_products_no_ngrams():
    encoder = fit_ngrams(COLUMNS, PRODUCTS.iloc[:0])
    assert encoder.width == 0
    assert encoder.encode(PRODUCTS).shape == (4, 0)
    assert fit_ngrams(COLUMNS, PRODUCTS).encode(PRODUCTS.iloc[:0]).shape[0] == 0


def test_json_round_trip():
    encoder = fit_ngrams(COLUMNS, PRODUCTS)
    again = ngrams_from_json(ngrams_to_json(encoder))
    assert (again.encode(PRODUCTS) != encoder.encode(PRODUCTS)).nnz == 0


@pytest.mark.parametrize("change", [{"hashes": [3, 2, 1]}, {"counts": []}, {"num_products": "x"}])
def test_damaged_json_is_refused(change):
    data = ngrams_to_json(fit_ngrams(COLUMNS, PRODUCTS))
    with pytest.raises(ConfigError, match="n-grams can't be read.*train the model again"):
        ngrams_from_json(data | change)


TEXTS = ["", "a", "Table en bois, table basse", "l'été à la plage 12 x 40", "ab ab ab", "  un  "]


@pytest.mark.parametrize("texts", [TEXTS, [], ["", ""], TEXTS * 40])
def test_ngrams_by_word_are_those_of_the_whole_text(texts):
    """Oracle: scikit-learn's hasher on the texts themselves."""
    [hasher] = [h for h in ngrams._hashers() if h.analyzer == "char_wb"]
    found, wanted = ngrams.counted_by_word(hasher, texts), ngrams._transformed(hasher, texts)
    assert found.shape == wanted.shape and found.has_canonical_format
    assert np.array_equal(found.indptr, wanted.indptr)
    assert np.array_equal(found.indices, wanted.indices)
    assert np.array_equal(found.data, wanted.data)
