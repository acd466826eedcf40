"""Numbers and times in words, the same on every screen."""

import time


def duration(seconds: float) -> str:
    """Return a length of time: 45 s, 3 min, 1 h 20 min."""
    seconds = max(0, round(seconds))
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def moment(at: float | None) -> str:
    """Return a time of this machine's zone, to the minute; "–" for none."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at)) if at else "–"


def percent(share: float) -> str:
    """Return a share of 0 to 1 as a percentage; never 100% of what isn't certain."""
    if 0.995 <= share < 1:
        return ">99%"
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def counted(num: int, noun: str) -> str:
    """Return a number of things: 1 product, 2,000 products."""
    return f"{num:,} {noun}" if num == 1 else f"{num:,} {noun}s"


def megabytes(num_bytes: int) -> str:
    """Return a size in MB, or in GB from one up."""
    return f"{num_bytes / 1e9:.1f} GB" if num_bytes >= 1e9 else f"{num_bytes / 1e6:.1f} MB"


def plain(text: str) -> str:
    """Return text that Markdown shows as it is: product texts may hold anything."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-.!|~$:^=&" else c for c in text)
