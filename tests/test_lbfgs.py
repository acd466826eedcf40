"""L-BFGS: it ends at the lowest point, and a good preconditioner takes it there at once."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from mmcore.lbfgs import Limits, minimise

WIDTH = 30
LIMITS = Limits(max_iterations=500, tolerance=1e-9)


@pytest.fixture
def bowl():
    """Return the Hessian and the lowest point of a parabola, and the parabola."""
    draw = np.random.default_rng(0)
    root = draw.normal(size=(WIDTH, WIDTH))
    hessian = (root @ root.T / WIDTH + 0.1 * np.eye(WIDTH)).astype(np.float32)
    lowest = draw.normal(size=(WIDTH, 2)).astype(np.float32)

    def parabola(point):
        pull = hessian @ (point - lowest)
        return float(((point - lowest) * pull).sum()) / 2 + 3.0, pull

    return hessian, lowest, parabola


def test_it_ends_at_the_lowest_point(bowl):
    _, lowest, parabola = bowl
    found = minimise(parabola, np.zeros_like(lowest), lambda gradient: gradient.copy(), LIMITS)
    assert found == pytest.approx(lowest, abs=0.02) and found.dtype == np.float32


def test_the_inverse_hessian_leads_there_in_a_few_steps(bowl):
    hessian, lowest, parabola = bowl
    inverse, calls = np.linalg.inv(hessian), []

    def counted(point):
        calls.append(1)
        return parabola(point)

    found = minimise(counted, np.zeros_like(lowest), lambda gradient: inverse @ gradient, LIMITS)
    assert found == pytest.approx(lowest, abs=0.01) and len(calls) <= 5


def test_a_step_that_is_too_long_is_shortened():
    """Oracle: SciPy, on a function that isn't a parabola, from steps a hundred times too long."""

    def softplus(point):
        value = np.logaddexp(0, 4 * point).sum() + (point**2).sum() / 2
        gradient = 4 * expit(4 * point) + point
        return float(value), gradient.astype(np.float32)

    start = np.linspace(-2, 2, 9, dtype=np.float32)
    found = minimise(softplus, start, lambda gradient: 100 * gradient, LIMITS)
    oracle = minimize(lambda p: softplus(p)[0], start, method="Nelder-Mead", tol=1e-6)
    assert softplus(found)[0] <= oracle.fun + 1e-3


def test_what_it_starts_from_stays_as_it_is(bowl):
    _, lowest, parabola = bowl
    start = np.zeros_like(lowest)
    minimise(parabola, start, lambda gradient: gradient.copy(), LIMITS)
    assert not start.any()


def test_it_ends_after_so_many_steps(bowl):
    _, lowest, parabola = bowl
    start = np.zeros_like(lowest)
    found = minimise(parabola, start, lambda gradient: 1e-3 * gradient, Limits(1, 1e-9))
    assert found == pytest.approx(-1e-3 * parabola(start)[1], rel=1e-3)
