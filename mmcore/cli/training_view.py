"""Training events as progress bars and lines."""

from collections.abc import Iterable

from rich.text import Text

from mmcore.cli import screen
from mmcore.features import FeatureResult
from mmcore.services.finished import Finished
from mmcore.services.fold_networks import FoldResult
from mmcore.services.judging import Judging
from mmcore.services.linear_heads import LinearResult
from mmcore.services.training import Event, Started
from mmcore.trainer import EpochResult, StepResult


def watch(events: Iterable[Event]) -> Finished:
    """Show a training run while it goes on, and return its end."""
    with screen.progress() as bars:
        view = _View(bars)
        for event in events:
            if isinstance(event, Finished):
                return event
            view.show(event)
    raise AssertionError("a training run ends with Finished or an error")


class _View:
    """One bar for photos and one a phase, whose unit is the step: so its time left holds."""

    def __init__(self, bars: screen.Bars) -> None:
        self._bars = bars
        self._scores = ""

    def show(self, event: Event) -> None:
        if isinstance(event, Started):
            self._started(event)
        elif isinstance(event, FeatureResult):
            self._bars.show("photos: frozen features", event.done, event.total)
        elif isinstance(event, StepResult):
            done = (event.epoch - 1) * event.num_steps + event.step
            text = f"epoch {event.epoch}/{event.num_epochs}  loss {event.loss:.3f}{self._scores}"
            name = f"phase {event.phase}: {event.phase_name}"
            self._bars.show(name, done, event.num_epochs * event.num_steps, text)
        elif isinstance(event, EpochResult):
            self._epoch(event)
        elif isinstance(event, FoldResult):
            self._bars.show("weighing the network on folds", event.done, event.total, event.place)
        elif isinstance(event, LinearResult):
            self._bars.show("linear heads", event.done, event.total, event.modality)
        elif isinstance(event, Judging):
            self._bars.show(f"judging on {event.split}", event.done, event.total)

    def _started(self, event: Started) -> None:
        model = event.config.model
        names = " + ".join(modality.name for modality in model.modalities)
        backbone = f", {model.backbone}" if model.image_name else ""
        facts = (
            f": preset {event.config.preset}, {names}{backbone}, "
            f"{event.num_classes} classes, {event.num_train} train / {event.num_val} val / "
            f"{event.num_test} test products, on {event.device}"
        )
        self._bars.say(Text.assemble("training ", (event.name, "bold"), facts))
        for text in event.notes:
            self._bars.say(screen.note_line(text))

    def _epoch(self, event: EpochResult) -> None:
        fused = event.val_macro_f1.get("fused")
        self._scores = "" if fused is None else f"  val macro-F1 {fused:.3f}"
        if event.skipped_steps:
            self._scores += f"  {event.skipped_steps} steps skipped"
        if self._bars.on_terminal:
            return
        # no terminal: a line an epoch, so that a log file tells the story
        views = "  ".join(f"{view} {f1:.3f}" for view, f1 in event.val_macro_f1.items())
        star = " *" if event.is_best else ""
        self._bars.say(
            f"phase {event.phase} epoch {event.epoch}/{event.num_epochs}: "
            f"loss {event.train_loss:.3f}  val macro-F1: {views}{star}  {event.seconds:.1f} s"
        )
