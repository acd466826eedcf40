"""How far people agree, and how sure a share is: pure functions."""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

Z = 1.96  # 95% of a normal distribution lie within this many standard deviations


def wilson_interval(count: int, n: int) -> tuple[float, float]:
    """Return the 95% interval of a share that was `count` of `n`: (0, 1) where n is 0.

    Wilson 1927; unlike the usual formula it stays within 0 and 1 and holds for few products.
    """
    if n == 0:
        return 0.0, 1.0
    share, spread = count / n, Z * Z / n
    middle = (share + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def difference_interval(count: int, n: int, other_count: int, other_n: int) -> tuple[float, float]:
    """Return the 95% interval of one share minus another (Newcombe 1998, method 10)."""
    if n == 0 or other_n == 0:
        return -1.0, 1.0
    share, other = count / n, other_count / other_n
    low, high = wilson_interval(count, n)
    other_low, other_high = wilson_interval(other_count, other_n)
    difference = share - other
    below = math.hypot(share - low, other_high - other)
    above = math.hypot(high - share, other - other_low)
    return max(-1.0, difference - below), min(1.0, difference + above)


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Return the agreement of two people beyond chance: 1 always, 0 as chance would have it.

    Args:
        first, second: what each said of the same products.

    Returns:
        None where both only ever used one class: nothing can be said then.
    """
    from sklearn.metrics import cohen_kappa_score  # half a second that most screens do without

    classes = sorted(set(first) | set(second), key=str)
    if len(classes) < 2:
        return None
    number = {name: i for i, name in enumerate(classes)}
    return float(cohen_kappa_score([number[c] for c in first], [number[c] for c in second]))


def krippendorff_alpha(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Return Krippendorff's alpha for names (nominal data): 1 all agree, 0 as by chance.

    Krippendorff 2011, https://repository.upenn.edu/asc_papers/43. Any number of people, each of
    whom may have left out any product.

    Args:
        units: what was said of each product; those with a single opinion tell nothing.

    Returns:
        None where there is nothing to compare, or only ever one class.
    """
    paired = [Counter(values) for values in units if len(values) > 1]
    totals = Counter[Hashable]()
    disagreed = 0.0
    for counts in paired:
        m = counts.total()
        totals += counts
        # ordered pairs of opinions that differ, each unit counting for its m opinions
        disagreed += sum(c * (m - c) for c in counts.values()) / (m - 1)
    n = totals.total()
    by_chance = sum(c * (n - c) for c in totals.values())
    if by_chance == 0:
        return None
    return 1.0 - (n - 1) * disagreed / by_chance
