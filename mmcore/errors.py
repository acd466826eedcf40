"""One exception per meaning: what happened, with which value, the limit and the remedy.

Every class here is a user error: the command line prints its message on one line and exits
with 1, a page shows it. Anything else that escapes is a defect of ours and keeps its traceback.
"""


class MmcoreError(Exception):
    """Something the user can understand and mend."""


class CatalogueError(MmcoreError):
    """A catalogue file, or the catalogue as a whole, can't be used."""


class ImageError(MmcoreError):
    """A photo can't be decoded within the limits."""


class ConfigError(MmcoreError):
    """A run choice is out of its range, or two choices contradict each other."""


class WarmStartError(ConfigError):
    """A run can't start from the model it was to start from."""


class WeightsError(MmcoreError):
    """Pretrained backbone weights are missing or don't fit."""


class TrainingDataError(MmcoreError):
    """The catalogue has too little to learn from."""


class NonFiniteLossError(MmcoreError):
    """The loss or its gradient was infinite or not a number several steps in a row."""


class TrainingInterrupted(MmcoreError):
    """Training was asked to stop; its checkpoint is on disk."""

    run: str | None = None  # name of the run that can be resumed


class JobLostError(MmcoreError):
    """A job went to another worker, or ended; this one may write nothing of it any more."""


class JobCancelledError(MmcoreError):
    """A person asked for the job to be cancelled."""


class CheckpointError(MmcoreError):
    """A checkpoint can't be written, read, or belongs to another run."""


class ArtifactError(MmcoreError):
    """A model folder is incomplete, altered or of an unknown format."""


class ProductError(MmcoreError):
    """A product has nothing a prediction could be made from."""


class WorkspaceError(MmcoreError):
    """The workspace folder can't be used, or doesn't hold what was asked for."""


class StoreError(MmcoreError):
    """The database can't be opened, is newer than this version, or is damaged."""


class BackupError(MmcoreError):
    """A backup can't be made, read, or put back."""


class StaleWriteError(MmcoreError):
    """Somebody else changed the product since it was shown; nothing was written.

    Attributes:
        version: of the product now; a person who has seen it may write again with this one.
        label: its class code now, None without a label.
    """

    def __init__(self, message: str, version: int | None = None, label: str | None = None) -> None:
        super().__init__(message)
        self.version, self.label = version, label


class NotFoundError(MmcoreError):
    """A product, class, annotator, job or model that was named doesn't exist."""


class RefusedError(MmcoreError):
    """An act that the rules don't allow, e.g. a label of an archived class."""
