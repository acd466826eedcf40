"""Linear heads scale what they look at, and stay calm where a new product is unlike all others."""

import numpy as np
import pytest
import torch
from scipy import sparse

from mmcore.batches import to_sparse_rows
from mmcore.linear import LinearHead, heads_from_specs

N, WIDTH, NUM_CLASSES = 40, 6, 3


@pytest.fixture
def rows():
    return torch.randn(N, WIDTH, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def head(rows):
    rows[:, 0] = 0.0  # never moved while fitting
    head = LinearHead(WIDTH, NUM_CLASSES, is_sparse=False)
    head.fit_scale([rows])
    head.weight.normal_(generator=torch.Generator().manual_seed(1))
    return head


def test_learnt_rows_are_standardised_and_of_length_1(head, rows):
    values = rows.numpy()
    spread = np.maximum(values.std(axis=0), 1e-4)
    expected = (values - values.mean(axis=0)) / spread
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(head.scaled(rows).numpy(), expected, atol=1e-5)


def test_a_feature_that_never_moved_says_nothing_of_a_new_product(head, rows):
    new = rows[:1].clone()
    new[0, 0] = 0.5
    torch.testing.assert_close(head(new), head(rows[:1]))


def test_no_feature_of_a_new_product_drowns_the_others(head, rows):
    new = rows[:1].clone()
    new[0, 1] = 1e6
    edge = rows[:1].clone()
    edge[0, 1] = head.mean[1] + head.limit[1] * head.deviation[1]
    torch.testing.assert_close(head(new), head(edge))


def test_one_number_says_more_than_its_sign():
    prices = torch.tensor([[1.0], [2.0], [3.0], [10.0]])
    head = LinearHead(1, NUM_CLASSES, is_sparse=False, is_unit=False)
    head.fit_scale([prices])
    torch.testing.assert_close(
        head.scaled(prices), (prices - prices.mean()) / prices.std(correction=0)
    )


def test_rows_that_are_not_brought_to_length_1_have_it_on_average(rows):
    head = LinearHead(WIDTH, NUM_CLASSES, is_sparse=False, is_unit=False)
    head.fit_scale([rows])
    assert float((head.scaled(rows) ** 2).sum(dim=1).mean()) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("is_unit", [True, False])
def test_a_saved_head_answers_the_same(head, rows, is_unit):
    head.is_unit = is_unit
    again = heads_from_specs({"image": head.spec()}, NUM_CLASSES)["image"]
    again.load_state_dict(head.state_dict())
    assert torch.equal(head(rows), again(rows))


def test_sparse_rows_give_what_the_matrix_gives():
    dense = sparse.random(5, WIDTH, density=0.5, random_state=0, format="csr", dtype=np.float32)
    dense = sparse.csr_array(dense)
    head = LinearHead(WIDTH, NUM_CLASSES, is_sparse=True)
    head.weight.normal_(generator=torch.Generator().manual_seed(2))
    head.bias.copy_(torch.tensor([1.0, 0.0, -1.0]))
    expected = dense.toarray() @ head.weight.numpy() + head.bias.numpy()
    np.testing.assert_allclose(head(to_sparse_rows(dense)).numpy(), expected, atol=1e-5)
