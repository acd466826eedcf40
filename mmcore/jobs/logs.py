"""One plain text file a job: what happened, when, in which attempt."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from mmcore.workspace import Workspace

TAIL_BYTES = 64 * 1024


def log_path(workspace: Workspace, job_id: int) -> Path:
    """Return where the log of a job lies, whether it is there or not."""
    return workspace.logs / f"job-{job_id:06d}.log"


class JobLog:
    """Appends lines to a job's log; every line is in the file when `write` returns."""

    def __init__(self, path: Path, attempt: int, clock: Callable[[], float]) -> None:
        self.path = path
        self._attempt = attempt
        self._clock = clock

    def write(self, text: str) -> None:
        """Append text, each of its lines with the time (UTC) and the attempt.

        A log that can't be written (full disk) must not end the job that it tells of.
        """
        at = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%d %H:%M:%S")
        lines = "".join(f"{at} [{self._attempt}] {line}\n" for line in text.splitlines())
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(lines)
        except OSError:
            return


def read_tail(path: Path, max_bytes: int = TAIL_BYTES) -> str:
    """Return the last whole lines of a log, "" where there is none yet."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - max_bytes))
            data = file.read()
    except FileNotFoundError:
        return ""
    if size > max_bytes:
        data = data.partition(b"\n")[2]
    return data.decode("utf-8", errors="replace")


def read_from(path: Path, offset: int) -> tuple[str, int]:
    """Return the whole lines after `offset` bytes and where they end; for following a log."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return "", offset
    whole = data[: data.rfind(b"\n") + 1]
    return whole.decode("utf-8", errors="replace"), offset + len(whole)
