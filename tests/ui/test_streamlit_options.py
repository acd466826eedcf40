"""Streamlit knows every option of .streamlit/config.toml; an unknown one it would pass over."""

import tomllib
from pathlib import Path

from streamlit import config

FILE = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"


def names(values: dict, prefix: str = "") -> list[str]:
    """Return the dotted names of all options, tables within tables too."""
    found = []
    for name, value in values.items():
        inner = names(value, f"{prefix}{name}.") if isinstance(value, dict) else None
        found += [f"{prefix}{name}"] if inner is None else inner
    return found


def test_every_option_is_known():
    given = tomllib.loads(FILE.read_text(encoding="utf-8"))
    known = config.get_config_options()
    assert [name for name in names(given) if name not in known] == []


def test_nothing_lies_over_the_buttons_of_the_pages():
    given = tomllib.loads(FILE.read_text(encoding="utf-8"))
    assert given["logger"]["hideWelcomeMessage"] and given["client"]["toolbarMode"] == "viewer"
