"""Predicting a batch beside the screen that shows it: progress, cancel, and the result kept."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from mmcore.errors import JobCancelledError, MmcoreError
from mmcore.services.batch_prediction import BatchRequest, extra_columns, predict_file
from mmcore.services.batches import Batch, save_batch

if TYPE_CHECKING:
    from mmcore.runtime import TorchRuntime


class BatchRun:
    """One batch being predicted in a thread of its own; whoever holds it may look and cancel."""

    def __init__(self, batch: Batch, load: Callable[[], "TorchRuntime"]) -> None:
        """Begin at once.

        Args:
            load: gives the model; called in the thread, as it may take seconds.
        """
        self.batch = batch
        self.done, self.total = 0, 0
        self.started_at = time.time()
        self._load, self._is_cancelled = load, threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"batch {batch.id}", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    @property
    def eta_s(self) -> float | None:
        """Return the seconds that are left, None before they can be told."""
        if not self.done or not self.total:
            return None
        return (time.time() - self.started_at) / self.done * (self.total - self.done)

    def cancel(self) -> None:
        """Ask it to end; it does after the piece of 64 products at hand."""
        self._is_cancelled.set()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until it has ended."""
        self._thread.join(timeout_s)

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self._is_cancelled.is_set():
            raise JobCancelledError("the prediction was cancelled; nothing of it was kept")

    def _run(self) -> None:
        try:
            runtime = self._load()
            wanted = tuple(extra_columns(runtime))
            columns = replace(
                self.batch.columns, extra=tuple(dict.fromkeys(wanted)) if wanted else ()
            )
            request = BatchRequest(self.batch.source, self.batch.result, columns, self.batch.photos)
            report = predict_file(runtime, request, self._progress)
            found = {"state": "done", "model": report.model, "seconds": report.seconds}
            found |= {
                "num_predicted": report.num_predicted,
                "num_without": report.num_without_prediction,
                "issues": tuple(report.to_json()["issues"]),
            }
        except JobCancelledError as error:
            found = {"state": "cancelled", "error": str(error)}
        except MmcoreError as error:
            found = {"state": "failed", "error": str(error)}
        except Exception as error:
            save_batch(replace(self.batch, state="failed", error=f"a defect of ours: {error!r}"))
            raise  # to the log, with its traceback
        save_batch(replace(self.batch, **found))
