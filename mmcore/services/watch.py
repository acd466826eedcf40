"""How a long task is watched and stopped, by a page's job or by the command line."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from mmcore.errors import TrainingInterrupted

Count = Callable[[int, int], object]


def _ignore(done: int, total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Watch:
    """What a long task tells, and asks.

    Attributes:
        progress: called with (done, total) products while a model predicts.
        checking: called with (done, total) units of work while labels are checked.
        should_stop: asked every second or so; raises, or returns True, to stop.
        guard: called in the transaction that writes the outcome; raises where it mustn't be
            written any more.
    """

    progress: Count = _ignore
    checking: Count = _ignore
    should_stop: Callable[[], bool] = lambda: False
    guard: Callable[[Session], None] = lambda session: None

    def check(self, text: str) -> None:
        """Return if the task may go on.

        Raises:
            TrainingInterrupted: with the text, if it was asked to stop.
        """
        if self.should_stop():
            raise TrainingInterrupted(text)
