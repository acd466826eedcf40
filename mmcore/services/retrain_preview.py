"""What a retrain would learn from, looked at before anybody presses the button."""

from dataclasses import dataclass

from sqlalchemy import select

from mmcore.services.catalogue_numbers import CatalogueNumbers, ClassCount, catalogue_numbers
from mmcore.services.jobs import NewLabels, new_labels_since_production
from mmcore.services.training_data import MIN_CLASSES, MIN_TRAIN, SMALL_CLASS
from mmcore.store.engine import Store
from mmcore.store.models import PRODUCTION
from mmcore.store.tables import ModelVersion


@dataclass(frozen=True)
class ClassPreview:
    """One class as a retrain would find it.

    Attributes:
        num_new: train and val products that got this label since production was trained.
        problem: why little or nothing can be learnt of it, "" where all is well.
    """

    code: str
    name_fr: str
    name_en: str
    num_train: int
    num_val: int
    num_test: int
    num_new: int
    problem: str


@dataclass(frozen=True)
class Preview:
    """What would be learnt, by whom it is judged, and what stands in the way.

    Attributes:
        num_products: of the catalogue, with a label or without.
        num_new: products relabelled since production was trained; num_unlabelled_new of them lost
            their label.
        production: name of the model that answers, None without one.
        obstacle: why nothing can be trained at all, "" where it can.
    """

    num_products: int
    num_train: int
    num_val: int
    num_test: int
    num_unlabelled: int
    num_with_photo: int
    num_new: int
    num_unlabelled_new: int
    production: str | None
    production_at: float | None
    obstacle: str
    classes: tuple[ClassPreview, ...]

    @property
    def num_learnt(self) -> int:
        return self.num_train + self.num_val

    @property
    def num_labelled(self) -> int:
        return self.num_learnt + self.num_test

    @property
    def small(self) -> tuple[ClassPreview, ...]:
        return tuple(c for c in self.classes if c.problem)


def preview(store: Store) -> Preview:
    """Return what a retrain would learn if it began now."""
    numbers, new = catalogue_numbers(store), new_labels_since_production(store)
    query = select(ModelVersion.name, ModelVersion.created_at)
    with store.reading() as session:
        found = session.execute(query.where(ModelVersion.stage == PRODUCTION)).one_or_none()
    name, made_at = found or (None, None)
    labelled = numbers.labelled_by_split
    return Preview(
        num_products=numbers.num_products,
        num_train=labelled["train"],
        num_val=labelled["val"],
        num_test=labelled["test"],
        num_unlabelled=numbers.num_unlabelled,
        num_with_photo=numbers.num_products - numbers.num_without_photo,
        num_new=new.total,
        num_unlabelled_new=new.by_class.get("", 0),
        production=name,
        production_at=made_at,
        obstacle=_obstacle(numbers),
        classes=tuple(_class(c, new) for c in numbers.classes),
    )


def _class(found: ClassCount, new: NewLabels) -> ClassPreview:
    splits = found.by_split
    return ClassPreview(
        code=found.code,
        name_fr=found.name_fr,
        name_en=found.name_en,
        num_train=splits["train"],
        num_val=splits["val"],
        num_test=splits["test"],
        num_new=new.by_class.get(found.code, 0),
        problem=_problem(splits["train"]),
    )


def _problem(num_train: int) -> str:
    if not num_train:
        return "no train product: it can't be learnt"
    if num_train < SMALL_CLASS:
        return f"fewer than {SMALL_CLASS} train products: expect little"
    return ""


def _obstacle(numbers: CatalogueNumbers) -> str:
    """Return what `training_data.select` would refuse, as long as that can still be mended."""
    num_train = numbers.labelled_by_split["train"]
    num_classes = sum(1 for c in numbers.classes if c.by_split["train"])
    if num_classes < MIN_CLASSES:
        return (
            f"The train products have {num_classes} class{'es' if num_classes != 1 else ''}, at "
            f"least {MIN_CLASSES} are needed. Label some products first; {numbers.num_unlabelled:,}"
            " have no label."
        )
    if num_train < MIN_TRAIN:
        return (
            f"There are {num_train} labelled train products, at least {MIN_TRAIN} are needed. "
            "Label or import more first."
        )
    return ""
