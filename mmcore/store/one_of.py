"""One condition for many values: a parameter, however many they are."""

import json
from collections.abc import Sequence

from sqlalchemy import ARRAY, ColumnElement, cast, func, select
from sqlalchemy.orm import Session


def is_one_of(
    session: Session, column: ColumnElement, values: Sequence[int] | Sequence[str]
) -> ColumnElement[bool]:
    """Return the condition that a column holds one of these numbers or texts."""
    if session.get_bind().dialect.name == "postgresql":
        return column.in_(select(func.unnest(cast(list(values), ARRAY(column.type)))))
    # SQLite admits 32,766 parameters in a statement
    listed = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(listed.c.value))
