"""Commands that make and judge models: train, evaluate, demo."""

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmcore.cli import screen, tables
from mmcore.cli import train_options as how
from mmcore.cli.options import (
    COUNT,
    FLAG,
    Home,
    Json,
    Model,
    given_path,
    home_for_all,
    open_workspace,
)
from mmcore.cli.signals import stop_on_signal
from mmcore.config import MINUTES, RunChoices, parse_modality
from mmcore.errors import ConfigError, TrainingInterrupted

if TYPE_CHECKING:
    from mmcore.services.finished import Finished


def train(
    home: Home = None,
    preset: how.Preset = "strong",
    backbone: how.Backbone = None,
    weights: how.Weights = "imagenet",
    modalities: how.Modalities = None,
    epochs1: how.Epochs1 = None,
    epochs2: how.Epochs2 = None,
    minutes: how.Minutes = MINUTES,
    separate: how.Separate = False,
    seed: how.Seed = 0,
    values: how.Values = None,
    name: how.Name = None,
    resume: how.Resume = None,
    as_json: Json = False,
) -> None:
    """Train a model on the catalogue: phase 1 with a frozen backbone, then fine-tuning."""
    words = how.modality_words(modalities)
    choices = RunChoices(
        preset=preset,
        backbone=backbone,
        weights=weights,
        modalities=None if words is None else tuple(map(parse_modality, words)),
        epochs1=epochs1,
        epochs2=epochs2,
        minutes=minutes,
        joint=not separate,
        seed=seed,
        values=tuple(values or ()),
    )
    if resume is not None and (name is not None or choices != RunChoices()):
        raise ConfigError(
            f"--resume {resume} goes on with the settings the run began with; leave the other "
            "options out, or start a new training without --resume"
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
        screen.out().print(tables.scores_table(scores, f"{finished.name} on {split}"))
    screen.say(f"model {finished.name} saved in {finished.folder}, {finished.seconds} s")


def run_training(
    home: Path | None, choices: RunChoices, name: str | None, resume: str | None
) -> "Finished":
    """Return the end of a run that was shown on the screen."""
    workspace, settings = open_workspace(home)
    from mmcore.cli.training_view import watch
    from mmcore.services import registry, training

    with stop_on_signal() as should_stop:
        if resume is not None:
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


def evaluate(
    home: Home = None,
    split: Annotated[
        str, typer.Option(metavar="NAME", help="Products to score it on: train, val or test.")
    ] = "test",
    model: Model = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            parser=given_path,
            metavar="FILE",
            help="Write product_id, label, view, predicted, probability (.csv or .parquet). "
            "Without: scores alone.",
        ),
    ] = None,
    per_class: Annotated[
        bool, typer.Option("--per-class", metavar=FLAG, help="Show every class, worst first.")
    ] = False,
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
    screen.out().print(tables.scores_table(result.scores, f"{result.model} on {split}"))
    if per_class:
        screen.out().print(tables.class_table(result.details["fused"]["per_class"]))


def demo(
    home: Home = None,
    products: Annotated[
        int,
        typer.Option(
            metavar=COUNT, min=5, max=1000, help="Products to draw for each of the 27 classes."
        ),
    ] = 44,
    as_json: Json = False,
) -> None:
    """Draw a catalogue, train on it, show scores and predictions. Nothing in it is real.

    A second call shows the same demo again; one that was stopped goes on where it was.
    """
    workspace, settings = open_workspace(home)
    from mmcore.services import demo as service

    state = service.find_or_draw(workspace, settings, products, screen.counting)
    if state.model:
        screen.note(
            f"the demo is there already ({state.num_products:,} drawn products, model "
            f"{state.model}): nothing is drawn or trained anew; for a fresh one name an empty "
            "folder with --home DIR"
        )
    elif state.run:
        screen.note(f"the training {state.run} was stopped: it goes on")
        run_training(home, service.CHOICES, None, state.run)
    else:
        run_training(home, service.CHOICES, service.run_name(workspace), None)
    with screen.counting("photos") as show:
        summary = service.summarise(workspace, settings, show)
    if as_json:
        screen.print_json(summary.to_json())
        return
    tables.show_demo(summary)
