"""One thing that `doctor` looked at."""

from dataclasses import dataclass

OK, NOTE, PROBLEM = "ok", "note", "problem"


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, what was found and what to do."""

    what: str
    state: str  # ok, note (worth knowing) or problem (must be mended)
    found: str
    advice: str = ""


def problem(what: str, error: Exception) -> Finding:
    """Return an error as a finding; our messages end with their remedy."""
    text = " ".join(str(error).split()) or type(error).__name__
    found, parted, advice = text.rpartition("; ")
    if not parted:
        found, advice = text, "put it right and run doctor again"
    return Finding(what, PROBLEM, found, advice)
