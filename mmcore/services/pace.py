"""How much people did, and how fast."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from mmcore.store import quality
from mmcore.store.engine import Store
from mmcore.store.quality import DAY_S, PAUSE_S


@dataclass(frozen=True)
class PersonWork:
    """What one person did.

    Attributes:
        labels: products decided one by one, and still standing; accepted: of these, with the
            suggestion taken.
        bulk: products decided in bulk; undone: single decisions that were taken back.
        active_hours: between acts less than five minutes apart.
        labels_per_hour: None without such time.
    """

    annotator: str
    labels: int
    accepted: int
    bulk: int
    skips: int
    flags: int
    undone: int
    active_hours: float
    labels_per_hour: float | None
    first_at: float
    last_at: float


@dataclass(frozen=True)
class DayWork:
    """What one person did on one day (UTC), as YYYY-MM-DD."""

    day: str
    annotator: str
    labels: int
    skips: int
    flags: int


def work_by_person(store: Store) -> tuple[PersonWork, ...]:
    """Return what each person did, and how fast; who did most comes first."""
    with store.reading() as session:
        rows = quality.counts_by_person(session)
        seconds = quality.active_seconds(session)
        names = quality.annotator_names(session)
    found = []
    for row in rows:
        hours = seconds.get(row.annotator_id, 0.0) / 3600
        rate = row.labels / hours if hours else None
        counts = (row.labels, row.accepted, row.bulk, row.skips, row.flags, row.undone)
        name = names[row.annotator_id]
        found.append(PersonWork(name, *counts, hours, rate, row.first_at, row.last_at))
    return tuple(sorted(found, key=lambda person: (-person.labels, person.annotator)))


def work_by_day(store: Store, since: float = 0.0) -> tuple[DayWork, ...]:
    """Return what each person did on each day, the oldest day first."""
    with store.reading() as session:
        rows = quality.per_day(session, since)
        names = quality.annotator_names(session)
    return tuple(
        DayWork(_date(row.day), names[row.annotator_id], row.labels, row.skips, row.flags)
        for row in rows
    )


def rate_per_hour(times: Sequence[float]) -> float | None:
    """Return how many acts an hour a person does, from the times of the last ones.

    Args:
        times: seconds since the epoch, in any order. Breaks (five minutes and more between two)
            don't count.

    Returns:
        None with fewer than three acts, or all of them at once.
    """
    gaps = [later - earlier for earlier, later in pairwise(sorted(times))]
    worked = [gap for gap in gaps if gap < PAUSE_S]
    if len(worked) < 2 or not sum(worked):
        return None
    return len(worked) / sum(worked) * 3600


def _date(day: int) -> str:
    return f"{datetime.fromtimestamp(day * DAY_S, UTC):%Y-%m-%d}"
