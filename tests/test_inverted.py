"""Rows turned round on the disk: the same cosines as a product of matrices."""

import numpy as np
import pytest
from scipy import sparse

from mmcore.inverted import Segment, write_segment


def rows(num, width=40, share=0.2):
    draw = np.random.default_rng(0)
    found = sparse.random_array((num, width), density=share, rng=draw, dtype=np.float32)
    return sparse.csr_array(found)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "a.npy"


def test_a_text_is_held_to_every_product(path):
    products, text = rows(17), rows(1)
    write_segment(path, products)
    segment = Segment(path)
    expected = (products @ text.T).toarray()[:, 0]
    assert segment.num_products == 17 and segment.likeness(text) == pytest.approx(expected)


def test_a_text_without_any_known_ngram_is_like_nothing(path):
    write_segment(path, rows(5))
    nothing = sparse.csr_array((1, 40), dtype=np.float32)
    assert Segment(path).likeness(nothing).tolist() == [0.0] * 5


def test_products_without_any_ngram_are_like_nothing(path):
    write_segment(path, sparse.csr_array((3, 40), dtype=np.float32))
    assert Segment(path).likeness(rows(1)).tolist() == [0.0] * 3


def test_a_file_that_is_cut_off_is_refused(path):
    write_segment(path, rows(9))
    numbers = np.load(path)
    np.save(path, numbers[:-3])
    with pytest.raises(ValueError, match=f"a.npy is cut off at {len(numbers) - 3}"):
        Segment(path)
