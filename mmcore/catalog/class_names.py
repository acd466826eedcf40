"""A class as people see it, alone and with a probability."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassName:
    """A class as stored (code) and as shown."""

    code: str
    name_fr: str
    name_en: str


@dataclass(frozen=True)
class Ranked:
    """A class and the probability (0 to 1) that a model, or one view of it, gives it."""

    code: str
    name_fr: str
    name_en: str
    probability: float
