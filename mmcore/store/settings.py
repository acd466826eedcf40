"""Choices and facts that belong to a workspace, by name."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from mmcore.store.tables import Setting


def get_setting(session: Session, name: str) -> dict[str, Any]:
    """Return a setting's value, {} where it was never put."""
    found = session.get(Setting, name)
    return dict(found.value) if found else {}


def put_setting(session: Session, name: str, value: Mapping[str, Any]) -> None:
    """Write a setting's value over what was there."""
    session.merge(Setting(name=name, value=dict(value)))
    session.flush()
