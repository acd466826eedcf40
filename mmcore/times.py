"""Moments as text: one way for people, one for files and programs."""

from datetime import UTC, datetime


def iso_utc(seconds: float) -> str:
    """Return a moment (seconds since 1970) as ISO 8601 in UTC, to the microsecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def local_time(seconds: float) -> str:
    """Return a moment on this machine's clock, with the zone's name: 2026-01-02 03:04 CET."""
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M %Z}"
