"""Commands that make and judge models: train, evaluate, demo."""

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmcore.cli import screen
from mmcore.cli.options import Home, Json, Model, home_for_all, open_workspace
from mmcore.config import BACKBONES, PRESETS, WEIGHTS, RunChoices, parse_modality
from mmcore.errors import TrainingInterrupted

if TYPE_CHECKING:
    from mmcore.services.training import Finished


def train(
    home: Home = None,
    preset: Annotated[
        str, typer.Option(help=f"{' or '.join(PRESETS)}: the best network, or the seed's drawing.")
    ] = "strong",
    backbone: Annotated[
        str | None, typer.Option(help=f"Image backbone: {', '.join(BACKBONES)}.")
    ] = None,
    weights: Annotated[
        str, typer.Option(help=f"Weights the backbone starts from: {' or '.join(WEIGHTS)}.")
    ] = "imagenet",
    modalities: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Comma-separated: text, image, further columns as NAME (numbers or categories), "
            "NAME:text, NAME:tabular:COLUMN+COLUMN. Default: text and image, where there are any.",
        ),
    ] = None,
    epochs1: Annotated[
        int | None, typer.Option(min=0, help="Epochs with the backbone frozen.")
    ] = None,
    epochs2: Annotated[
        int | None, typer.Option(min=0, help="Epochs of fine-tuning the backbone.")
    ] = None,
    separate: Annotated[
        bool, typer.Option("--separate", help="Train each tower from its own loss alone.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random stream.")] = 0,
    name: Annotated[str | None, typer.Option(help="Name of the model; else the time.")] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="NAME", help="Go on with a run that was stopped.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model on the catalogue: phase 1 with a frozen backbone, then fine-tuning."""
    choices = RunChoices(
        preset=preset,
        backbone=backbone,
        weights=weights,
        modalities=_parse_modalities(modalities),
        epochs1=epochs1,
        epochs2=epochs2,
        joint=not separate,
        seed=seed,
    )
    finished = run_training(home, choices, name, resume)
    _show(finished, as_json)


def _show(finished: "Finished", as_json: bool) -> None:
    """Print the end of a run."""
    if as_json:
        data = {**vars(finished), "folder": str(finished.folder)}
        screen.print_json({"model": data.pop("name"), **data})
        return
    for text in finished.notes:
        screen.note(text)
    for split, scores in finished.scores.items():
        screen.out().print(screen.scores_table(scores, f"{finished.name} on {split}"))
    screen.out().print(f"model {finished.name} saved in {finished.folder}, {finished.seconds} s")


def run_training(
    home: Path | None, choices: RunChoices, name: str | None, resume: str | None
) -> "Finished":
    """Return the end of a run that was shown on the screen."""
    workspace, settings = open_workspace(home)
    from mmcore.cli.training_view import watch
    from mmcore.services import registry, training

    with screen.stop_on_signal() as should_stop:
        if resume:
            events = training.resume(workspace, settings, resume, should_stop)
        else:
            events = training.train(workspace, settings, choices, name, should_stop)
        try:
            finished = watch(events)
        except TrainingInterrupted as error:
            command = ["python", "-m", "mmcore", "train", "--resume", str(error.run)]
            chosen = home or home_for_all.get()
            if chosen:  # elsewhere there is no such run
                command += ["--home", str(chosen)]
            hint = f"{error}; go on with `{shlex.join(command)}`"
            raise TrainingInterrupted(hint) from error
    registry.register_trained(workspace, settings, finished.name, time.time())
    return finished


def _parse_modalities(text: str | None):
    if text is None:
        return None
    return tuple(parse_modality(part.strip()) for part in text.split(",") if part.strip())


def evaluate(
    home: Home = None,
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    model: Model = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write product_id, label, view, predicted, probability (.csv or .parquet).",
        ),
    ] = None,
    per_class: Annotated[bool, typer.Option("--per-class", help="Show every class.")] = False,
    as_json: Json = False,
) -> None:
    """Score a model on a split: text, image, fused, fused without image, fused without text."""
    workspace, settings = open_workspace(home)
    from mmcore.services import evaluation

    if predictions is not None:
        evaluation.check_table_path(predictions)
    with screen.counting("photos") as show:
        result = evaluation.evaluate(workspace, settings, split, model, show)
    for text in result.notes:
        screen.note(text)
    if predictions is not None:
        evaluation.write_table(result.predictions, predictions)
    if as_json:
        screen.print_json(result.to_json() | ({"classes": result.details} if per_class else {}))
        return
    screen.out().print(screen.scores_table(result.scores, f"{result.model} on {split}"))
    if per_class:
        screen.out().print(screen.class_table(result.details["fused"]["per_class"]))


def demo(
    home: Home = None,
    products: Annotated[int, typer.Option(min=5, max=1000, help="Drawn products a class.")] = 44,
    as_json: Json = False,
) -> None:
    """Draw a catalogue, train on it, show scores and predictions. Nothing in it is real."""
    workspace, settings = open_workspace(home)
    from mmcore.services import demo as service

    state = service.find_or_draw(workspace, settings, products, screen.counting)
    if state.is_new or not state.model:
        run_training(home, service.CHOICES, None, None)
    with screen.counting("photos") as show:
        summary = service.summarise(workspace, settings, show)
    if as_json:
        screen.print_json(summary.to_json())
        return
    screen.show_demo(summary)
