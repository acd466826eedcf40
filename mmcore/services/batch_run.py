"""Predicting a batch beside the screen that shows it: progress, cancel, and the result kept."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from mmcore.errors import JobCancelledError, MmcoreError
from mmcore.services.batch_journal import OtherPredictionError, Unfinished, unfinished
from mmcore.services.batch_pace import BatchProgress
from mmcore.services.batch_prediction import BatchRequest, extra_columns, predict_file
from mmcore.services.batch_report import BatchReport
from mmcore.services.batches import Batch, save_batch

if TYPE_CHECKING:
    from mmcore.runtime import Runtime


def unfinished_batch(batch: Batch) -> Unfinished | None:
    """Return what was predicted of a batch by a run that didn't end well, None without any."""
    return unfinished(batch.result)


class BatchRun:
    """One batch being predicted in a thread of its own; whoever holds it may look and cancel."""

    def __init__(self, batch: Batch, load: Callable[[], "Runtime"]) -> None:
        """Begin at once; where the same model was ended before, it goes on from there.

        Args:
            load: gives the model; called in the thread, as it may take seconds.
        """
        self.batch = batch
        self.at: BatchProgress | None = None  # where it stands; None while it loads
        self._load, self._is_cancelled = load, threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"batch {batch.id}", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    @property
    def is_cancelled(self) -> bool:
        return self._is_cancelled.is_set()

    def cancel(self) -> None:
        """Ask it to end; it does after the piece of 64 products at hand."""
        self._is_cancelled.set()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until it has ended."""
        self._thread.join(timeout_s)

    def _progress(self, now: BatchProgress) -> None:
        self.at = now
        if self.is_cancelled and now.done < now.total:
            raise JobCancelledError("the prediction was cancelled")

    def _run(self) -> None:
        try:
            self._keep(**self._predict())
        except MmcoreError as error:
            # what was predicted before stays to be seen
            ended = "cancelled" if isinstance(error, JobCancelledError) else "failed"
            state = "done" if self.batch.state == "done" else ended
            self._keep(state=state, error=str(error))
        except Exception as error:
            self._keep(state="failed", error=f"a defect of ours: {error!r}; the log has more")
            raise  # to the log, with its traceback

    def _predict(self) -> dict:
        runtime = self._load()
        if self.is_cancelled:
            raise JobCancelledError("the prediction was cancelled before it began")
        report = self._report(runtime)
        return {
            "state": "done",
            "error": "",
            "model": report.model,
            "seconds": report.seconds,
            "num_predicted": report.num_predicted,
            "num_without": report.num_without_prediction,
            "issues": tuple(report.to_json()["issues"]),
        }

    def _report(self, runtime: "Runtime") -> BatchReport:
        batch = self.batch
        columns = replace(batch.columns, extra=tuple(dict.fromkeys(extra_columns(runtime))))
        request = BatchRequest(batch.source, batch.result, columns, batch.photos, batch.separator)
        try:
            return predict_file(runtime, request, self._progress)
        except OtherPredictionError:  # another model was chosen: the screen said what that means
            return predict_file(runtime, replace(request, anew=True), self._progress)

    def _keep(self, **found: object) -> None:
        if self.batch.folder.is_dir():  # else it was deleted meanwhile
            save_batch(replace(self.batch, **found))
