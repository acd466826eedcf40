"""The drawn demo: a catalogue made by code, a model trained on it, and what it says."""

import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.catalog.rakuten_classes import RAKUTEN_CLASSES
from mmcore.config import RunChoices
from mmcore.errors import WorkspaceError
from mmcore.photos import PhotoStore
from mmcore.services.catalogue import CsvImport, import_csv
from mmcore.services.catalogue_frame import has_store, read_catalogue
from mmcore.services.demo_team import BEGAN_S
from mmcore.services.health_workspace import DRAWING_PREFIX
from mmcore.services.import_rows import READING, Progress
from mmcore.services.models import list_models
from mmcore.services.opening import opened_store
from mmcore.services.people import local_actor
from mmcore.settings import Settings
from mmcore.store.products import count_products, read_facts
from mmcore.workspace import Workspace

COLUMNS = CsvColumns(
    product_id="product_id",
    title="title",
    description="description",
    image="image",
    label="label",
    extra=("price", "brand", "_true_label", "_drawn"),
)
# without the folds, which would take as long again: it is to be there soon
CHOICES = RunChoices(epochs1=20, values=("refit=false",))
RUN = "demo"  # its training has a name, so that a second call finds one that was killed
EXAMPLES = 6  # test products shown with their predictions

Count = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]


@dataclass(frozen=True)
class DemoState:
    """How far the demo has come.

    Attributes:
        num_products: in the drawn catalogue.
        model: the newest one, None where none is finished.
        run: name of a training that was stopped, to be resumed.
    """

    num_products: int
    model: str | None = None
    run: str | None = None


@dataclass(frozen=True)
class Example:
    """One test product and what the model says."""

    title: str
    label: str
    text: str
    image: str
    fused: str
    probability: float


@dataclass(frozen=True)
class DemoSummary:
    """What the demo shows at its end."""

    home: Path
    model: str
    scores: dict
    examples: tuple[Example, ...]

    def to_json(self) -> dict:
        """Return the summary as plain JSON values."""
        examples = [vars(example) for example in self.examples]
        return {
            "drawn": True,
            "home": str(self.home),
            "model": self.model,
            "test": self.scores,
            "examples": examples,
        }


def find_or_draw(
    workspace: Workspace, settings: Settings, products_per_class: int, count: Count
) -> DemoState:
    """Return the demo that is there, or draw and import one.

    Raises:
        WorkspaceError: if the workspace holds a real catalogue.
    """
    facts = _facts(workspace, settings)
    if facts is None:
        return DemoState(_draw(workspace, settings, products_per_class, count))
    source, num_products = facts
    if source != "drawn":
        raise WorkspaceError(
            f"workspace {workspace.home} holds a real catalogue, which the drawn demo must "
            "not mix with; choose another folder with --home DIR or MMCORE_HOME"
        )
    models = list_models(workspace)
    is_waiting = (workspace.runs / RUN / "run.json").is_file()
    return DemoState(
        num_products=num_products,
        model=models[0].name if models else None,
        run=RUN if is_waiting else None,
    )


def _facts(workspace: Workspace, settings: Settings) -> tuple[str, int] | None:
    """Return source and number of products of the catalogue, None where there is none."""
    if not has_store(workspace, settings):
        return None
    with opened_store(workspace, settings) as store, store.reading() as session:
        facts = read_facts(session)
        return facts and (facts.source, count_products(session))


def _draw(workspace: Workspace, settings: Settings, products_per_class: int, count: Count) -> int:
    """Return how many products were drawn and imported."""
    from mmcore.catalog.demo import draw_catalogue

    workspace.create()
    with tempfile.TemporaryDirectory(prefix=DRAWING_PREFIX) as folder:
        with count("drawing products") as show:
            path = draw_catalogue(
                Path(folder), products_per_class=products_per_class, progress=show
            )
        options = CsvImport(
            path, COLUMNS, path.parent / "images", source="drawn", classes=RAKUTEN_CLASSES
        )
        with opened_store(workspace, settings) as store, count("importing them") as show:
            # the drawn team works on it in the days since
            now = time.time() - BEGAN_S
            actor = local_actor(store, now)
            report = import_csv(store, actor, workspace, options, now, _rows_read(show))
            return report.totals.num_products


def _rows_read(show: Callable[[int, int], None]) -> Progress:
    """Return the progress of an import as one bar; comparing and writing are a moment here."""

    def tell(stage: str, done: int, total: int) -> None:
        if stage == READING:
            show(done, total)

    return tell


def holds_real_catalogue(workspace: Workspace, settings: Settings) -> bool:
    """Return whether the workspace belongs to a shop, so that no demo is drawn into it."""
    facts = _facts(workspace, settings)
    return facts is not None and facts[0] != "drawn"


def run_name(workspace: Workspace) -> str | None:
    """Return the name of the demo's training, None (the time) where that is taken."""
    is_taken = any((folder / RUN).exists() for folder in (workspace.models, workspace.runs))
    return None if is_taken else RUN


def summarise(
    workspace: Workspace, settings: Settings, progress: Callable[[int, int], None]
) -> DemoSummary:
    """Return the newest model's test scores and some of its predictions."""
    from mmcore.runtime import ProductInput
    from mmcore.services.evaluation import evaluate
    from mmcore.services.prediction import load_runtime

    result = evaluate(workspace, settings, "test", None, progress)
    runtime = load_runtime(workspace, settings, result.model)
    store = PhotoStore(workspace.photos)
    products = read_catalogue(workspace, settings).products
    whole = products[(products["split"] == "test") & (products["photo"] != "")]
    examples = []
    for row in whole[:: max(1, len(whole) // EXAMPLES)][:EXAMPLES].itertuples():
        product = ProductInput(row.title, row.description, store.read(row.photo))
        answer = runtime.predict_one(product)
        text, image, fused = (_name(answer, view) for view in ("text", "image", "fused"))
        label = next((c.name_fr for c in answer.classes if c.code == row.label), row.label)
        sure = answer.top(k=1)[0].probability
        examples.append(Example(row.title, label, text, image, fused, sure))
    return DemoSummary(workspace.home, result.model, result.scores, tuple(examples))


def _name(answer, view: str) -> str:
    best = answer.top(view, 1)
    return best[0].name_fr if best else "-"
