"""A run that is asked to stop does so at the next place where its checkpoint is whole."""

from collections.abc import Callable

from mmcore.errors import TrainingInterrupted


def stop_if_asked(should_stop: Callable[[], bool], where: str) -> None:
    """Return if a run may go on.

    Raises:
        TrainingInterrupted: if not; its last checkpoint is kept.
    """
    if should_stop():
        raise TrainingInterrupted(f"training was stopped {where}; its checkpoint is kept")
