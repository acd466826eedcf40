"""How the queue of a workspace is mixed and shared: choices of the lead, kept in the store."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

from sqlalchemy import select
from sqlalchemy.orm import Session

from mmcore.errors import ConfigError
from mmcore.services.people import Actor, require
from mmcore.store import queue
from mmcore.store.engine import Store
from mmcore.store.queue_next import ORDERS
from mmcore.store.queue_rows import OVERLAP_SHARE, SETTING
from mmcore.store.tables import Setting

LEASE_MINUTES = (1.0, 240.0)
_MIX = {"disagreement": 0.4, "suspicion": 0.25, "margin": 0.2, "random": 0.15}


@dataclass(frozen=True)
class QueueSettings:
    """What the lead may choose.

    Attributes:
        overlap_share: of the products, given to exactly two people, one after the other.
        hidden_share: of the products, shown without the suggestion, to measure its influence.
        lease_minutes: how long a product is kept for whoever has it open.
        mix: order -> how often the mixed queue draws from it; the sum is taken as the whole.
    """

    overlap_share: float = OVERLAP_SHARE
    hidden_share: float = 0.05
    lease_minutes: float = 10.0
    mix: Mapping[str, float] = field(default_factory=lambda: dict(_MIX))

    @property
    def drawn(self) -> dict[str, float]:
        """Return order -> share of the products that come from it; the sum is 1, or nothing."""
        total = sum(self.mix.values())
        return {order: share / total for order, share in self.mix.items() if share and total}


def queue_settings(store: Store) -> QueueSettings:
    """Return the choices in force."""
    with store.reading() as session:
        return read_settings(session)


def put_queue_settings(store: Store, actor: Actor, settings: QueueSettings) -> None:
    """Make these the choices in force.

    A larger overlap asks for second opinions on what is decided from now on; a smaller one lets
    go of those that are waited for.

    Raises:
        RefusedError: if the actor isn't a lead.
        ConfigError: naming the choice, its value and its limits.
    """
    require(actor, "lead")
    _check(settings)
    with store.writing() as session:
        # what was asked for once counts as overlap for ever, or a report would forget opinions
        largest = max(settings.overlap_share, largest_overlap(session))
        value = {**asdict(settings), "mix": dict(settings.mix), _LARGEST: largest}
        session.merge(Setting(name=SETTING, value=value))
        session.flush()
        queue.drop_second_opinions(session, value)


def read_settings(session: Session) -> QueueSettings:
    """Return the choices in force, in a transaction that is open already."""
    return settings_of(session.connection().execute(_VALUE).scalar())


def settings_of(value: Mapping | None) -> QueueSettings:
    """Return the choices that a stored value stands for; None where there is none yet."""
    return QueueSettings(**{name: value[name] for name in _NAMES if name in (value or {})})


def largest_overlap(session: Session) -> float:
    """Return the largest share of products that second opinions were ever asked for."""
    value = session.connection().execute(_VALUE).scalar() or {}
    return value.get(_LARGEST, OVERLAP_SHARE)


_LARGEST = "largest_overlap_share"
_NAMES = [choice.name for choice in fields(QueueSettings)]
_VALUE = select(Setting.value).where(Setting.name == SETTING)


def _check(settings: QueueSettings) -> None:
    for name in ("overlap_share", "hidden_share"):
        share = getattr(settings, name)
        if not 0 <= share <= 1:
            raise ConfigError(f"{name} is {share}; it is a share of the products, from 0 to 1")
    low, high = LEASE_MINUTES
    if not low <= settings.lease_minutes <= high:
        raise ConfigError(
            f"lease_minutes is {settings.lease_minutes}; use {low:.0f} to {high:.0f} minutes"
        )
    unknown = [name for name in settings.mix if name not in ORDERS]
    if unknown:
        raise ConfigError(f"the mix names the order {unknown[0]!r}; use {', '.join(ORDERS)}")
    if not all(0 <= share < float("inf") for share in settings.mix.values()) or not any(
        settings.mix.values()
    ):
        raise ConfigError(
            f"the mix is {dict(settings.mix)}; give each order 0 or more, and one more than 0"
        )
