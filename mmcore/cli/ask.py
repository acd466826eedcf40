"""Commands that ask a model: predict, predict-batch."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmcore.cli import screen
from mmcore.cli.data import Images, Separator, choose_columns, column_option
from mmcore.cli.options import (
    COUNT,
    FLAG,
    Home,
    Json,
    Model,
    check_input,
    given_path,
    given_text,
    open_workspace,
)
from mmcore.cli.tables import answer_table
from mmcore.errors import ConfigError
from mmcore.workspace import check_target

if TYPE_CHECKING:
    from mmcore.services.batch_pace import BatchProgress
    from mmcore.services.batch_report import BatchReport


def predict(
    home: Home = None,
    title: Annotated[
        str,
        typer.Option(
            parser=given_text, metavar="TEXT", help="Title of the product. Without: none."
        ),
    ] = "",
    description: Annotated[
        str, typer.Option(parser=given_text, metavar="TEXT", help="Description. Without: none.")
    ] = "",
    image: Annotated[
        Path | None,
        typer.Option(parser=given_path, metavar="FILE", help="Photo. Without: none."),
    ] = None,
    extra: Annotated[
        list[str] | None,
        typer.Option(
            parser=given_text,
            metavar="COLUMN=VALUE",
            help="Value of a further column that the model reads, as price=12.50; repeatable.",
        ),
    ] = None,
    top: Annotated[
        int, typer.Option(metavar=COUNT, min=1, max=1000, help="Classes to show, best first.")
    ] = 5,
    why: Annotated[
        bool,
        typer.Option(
            "--explain", metavar=FLAG, help="Say which words and which part of the photo decided."
        ),
    ] = False,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Predict the class of one product; any of title, description and image may be missing."""
    workspace, settings = open_workspace(home)
    from mmcore.services import prediction

    product = prediction.product_input(title, description, image, _pairs(extra))
    runtime = prediction.load_runtime(workspace, settings, model)
    answer = runtime.predict_one(product)
    explanation = prediction.explain(runtime, product, answer) if why else None
    if as_json:
        screen.print_json(prediction.answer_json(runtime, answer, top, explanation))
        return
    screen.out().print(answer_table(answer, top))
    for problem in answer.problems:
        screen.note(problem)
    if explanation is not None:
        for line in prediction.explanation_lines(explanation):
            screen.say(line)


def _pairs(extra: list[str] | None) -> dict[str, str]:
    pairs = [text.partition("=") for text in extra or []]
    for name, equals, value in pairs:
        if not (name and equals):
            raise ConfigError(f"--extra {name + equals + value!r}: write COLUMN=VALUE")
    return {name: value for name, _, value in pairs}


def predict_batch(
    source: Annotated[
        Path, typer.Argument(parser=given_path, metavar="SOURCE", help="CSV file with a header.")
    ],
    target: Annotated[
        Path,
        typer.Argument(
            parser=given_path, metavar="TARGET", help="File to write: .csv, .jsonl or .parquet."
        ),
    ],
    home: Home = None,
    product_id: Annotated[str | None, column_option("product id", "--id")] = None,
    title: Annotated[str | None, column_option("title")] = None,
    description: Annotated[str | None, column_option("description")] = None,
    image: Annotated[str | None, column_option("name of the photo file")] = None,
    images: Images = None,
    separator: Separator = None,
    model: Model = None,
    anew: Annotated[
        bool,
        typer.Option(
            "--anew", metavar=FLAG, help="Drop what an earlier run left unfinished for TARGET."
        ),
    ] = False,
    int8: Annotated[
        bool,
        typer.Option("--int8", metavar=FLAG, help="Use the backbone that `models int8` made."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Predict every product of a CSV file; nothing of it is stored in the workspace.

    Columns that are not named are guessed from the header. The target is written whole or not
    at all. What is done meanwhile stands in TARGET.part: after Ctrl-C or a crash the same command
    goes on from there, to the same result; with another source, model or choice it is refused.

    A row that can't be used is reported and not in the result. In a .csv result, an
    apostrophe precedes an id or a code that a spreadsheet would run as a formula (=1+1, @sum), and
    any other text that begins with = + - or @; .jsonl and .parquet hold everything as it is.
    """
    workspace, settings = open_workspace(home)
    from mmcore.services import batch_prediction as batch
    from mmcore.services.int8 import load_int8_runtime
    from mmcore.services.prediction import load_runtime

    given = {
        "product_id": product_id,
        "title": title,
        "description": description,
        "image": image,
        **dict.fromkeys(("label", "group", "split"), ""),  # a prediction has no use for them
    }
    check_target(target)
    check_input(source)
    check_input(images)
    load = load_int8_runtime if int8 else load_runtime
    runtime = load(workspace, settings, model)
    extra = batch.extra_columns(runtime)
    columns = choose_columns(source, separator, given, extra)
    request = batch.BatchRequest(source, target, columns, images, separator, anew)
    report = _watched(lambda show: batch.predict_file(runtime, request, show), target)
    if as_json:
        screen.print_json(report.to_json())
        return
    for line in report.summary():
        screen.say(line)


def _watched(
    predict: Callable[[Callable[["BatchProgress"], None]], "BatchReport"], target: Path
) -> "BatchReport":
    """Return what a prediction gives, with its pace on the screen; Ctrl-C tells what is kept."""
    from mmcore.services.batch_journal import part_of, unfinished

    with screen.progress() as bars:
        is_told = False

        def show(now: "BatchProgress") -> None:
            nonlocal is_told
            if now.kept and not is_told:
                is_told = True
                bars.say(screen.note_line(f"{now.kept:,} rows are done already: it goes on there"))
            text = "" if now.rate is None else f"{now.rate:,.0f} products a second"
            bars.show("products", now.done, now.total, text)

        try:
            return predict(show)
        except KeyboardInterrupt:
            if (kept := unfinished(target)) is not None:
                done = f"{kept.num_done:,} of {kept.total:,} rows are done"
                name = part_of(target).name
                bars.say(screen.note_line(f"{done} and kept in {name}: the same command goes on"))
            raise
