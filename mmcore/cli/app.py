"""The command line's front door: which commands there are, and how errors leave.

Exit codes: 0 fine; 1 a user's error, told in one line on stderr; 130 interrupted by the keyboard.
A traceback is a defect of ours.
"""

import sys
from collections.abc import Sequence

import typer

from mmcore import __version__
from mmcore.cli import (
    ask,
    backup_commands,
    check,
    class_commands,
    data,
    job_commands,
    label_commands,
    learn,
    model_commands,
    options,
)
from mmcore.errors import MmcoreError

app = typer.Typer(
    name="mmcore",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Classify products from their text and photo: import a catalogue, train, evaluate, "
    "predict.\n\nEverything of one shop lives in one workspace folder: --home DIR, else "
    "MMCORE_HOME, else the platform's user data folder.",
)

imports = typer.Typer(no_args_is_help=True, help="Read a catalogue into the workspace.")
imports.command("csv")(data.import_csv)
imports.command("rakuten")(data.import_rakuten)
app.add_typer(imports, name="import")
app.command("demo")(learn.demo)
app.command("train")(learn.train)
app.command("evaluate")(learn.evaluate)
app.command("predict")(ask.predict)
app.command("predict-batch")(ask.predict_batch)
app.command("doctor")(check.doctor)
app.command("retrain")(job_commands.retrain)
app.command("worker")(job_commands.worker)
app.add_typer(job_commands.jobs_app, name="jobs")
app.add_typer(label_commands.labels_app, name="labels")
app.add_typer(class_commands.classes_app, name="classes")
app.add_typer(model_commands.models, name="models")
app.command("backup")(backup_commands.backup)
app.command("restore")(backup_commands.restore)

# the base of every complaint about the command's own words; Typer exports only its children
_UsageError = typer.BadParameter.__mro__[1]


@app.callback()
def options_of_all(
    home: options.Home = None,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    options.home_for_all.set(home)
    if version:
        print(__version__)
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code of one command; nothing but defects of ours is raised."""
    try:
        result = app(args=arguments, standalone_mode=False)
        return result if isinstance(result, int) else 0
    except MmcoreError as error:
        return _complain(str(error))
    except _UsageError as error:
        return _complain(f"{error.format_message().rstrip('.')}; see --help")
    except BrokenPipeError:
        # the reader of our output (head, less) has left: nothing to tell anyone
        sys.stderr.close()
        return 1
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted", file=sys.stderr)
        return 130


def _complain(message: str) -> int:
    print("error:", " ".join(message.split()), file=sys.stderr)
    return 1
