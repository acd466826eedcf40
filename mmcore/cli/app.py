"""The command line's front door: which commands there are, and how errors leave.

Exit codes: 0 fine; 1 a user's error, told in one line on stderr; 130 interrupted by the keyboard
or SIGTERM. A traceback is a defect of ours.
"""

import contextlib
import errno
import inspect
import os
import signal
import sys
from collections.abc import Callable, Sequence

import typer

from mmcore import __version__
from mmcore.cli import (
    ask,
    backup_commands,
    bulk_commands,
    check,
    class_commands,
    data,
    job_commands,
    label_commands,
    learn,
    model_commands,
    options,
    products,
    queue_commands,
    screen,
    serve_command,
    signals,
    user_commands,
)
from mmcore.errors import MmcoreError, TrainingInterrupted

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

listing = typer.Typer(no_args_is_help=True, help="Look through the catalogue.")


def _add(group: typer.Typer, name: str, function: Callable, *examples: str) -> None:
    """Make a function a command; its docstring is the help, with lines as the terminal has them."""
    paragraphs = (inspect.getdoc(function) or "").split("\n\n")
    text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    group.command(name, help=text, epilog=options.examples(*examples))(function)


_add(app, "demo", learn.demo, "demo", "demo --home ./demo --products 10")
app.add_typer(imports, name="import")
_add(
    imports,
    "csv",
    data.import_csv,
    "import csv products.csv --images photos/",
    "import csv shop.csv --id sku --title name --label category --extra price",
    "import csv shop.csv --replace --issues remarks.csv",
)
_add(imports, "rakuten", data.import_rakuten, "import rakuten challenge/")
_add(
    app,
    "train",
    learn.train,
    "train",
    "train --modalities text,image,price,reviews:text --name with-price",
    "train --preset seed --backbone mobilenet_v2 --epochs2 2",
    "train --resume with-price",
)
_add(
    app,
    "evaluate",
    learn.evaluate,
    "evaluate",
    "evaluate --split val --per-class --predictions val.csv",
)
_add(
    app,
    "predict",
    ask.predict,
    'predict --title "Piscine gonflable 3 m" --image pool.jpg --explain',
    "predict --image pool.jpg --top 3 --json",
)
_add(
    app,
    "predict-batch",
    ask.predict_batch,
    "predict-batch new.csv predicted.csv --images photos.zip",
    "predict-batch new.csv predicted.parquet --id sku --title name --model with-price",
)
_add(app, "serve", serve_command.serve, "serve", "serve --home ./shop --port 8600 --open")
_add(app, "doctor", check.doctor, "doctor", "doctor --json")
_add(app, "retrain", job_commands.retrain, "retrain", "retrain --preset seed --wait")
_add(app, "worker", job_commands.worker, "worker", "worker --once --nice 10")
app.add_typer(job_commands.jobs_app, name="jobs")
app.add_typer(label_commands.labels_app, name="labels")
app.add_typer(class_commands.classes_app, name="classes")
app.add_typer(queue_commands.queue_app, name="queue")
app.add_typer(listing, name="products")
app.add_typer(model_commands.models, name="models")
app.add_typer(user_commands.users, name="user")
_add(
    listing,
    "list",
    products.list_products,
    'products list --search "piscine gonflable" --unlabelled',
    "products list --class 2583 --order suspicion --limit 20",
)
_add(listing, "show", products.show_product, "products show ref-17")
_add(listing, "count", products.count_products, "products count")
_add(
    label_commands.labels_app,
    "bulk",
    bulk_commands.label_many,
    'labels bulk 2583 --search "piscine gonflable" --unlabelled',
    "labels bulk 2583 --predicted 2583 --unlabelled --dry-run",
)
_add(app, "backup", backup_commands.backup, "backup shop.rayon", "backup labels.rayon --no-photos")
_add(
    app,
    "restore",
    backup_commands.restore,
    "restore shop.rayon --check",
    "restore shop.rayon --replace --yes",
)

# the base of every complaint about the command's own words; Typer exports only its children
_UsageError = typer.BadParameter.__mro__[1]

_INTERRUPTED = 130  # as a shell has it for Ctrl-C
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(__version__)
        raise typer.Exit


@app.callback()
def options_of_all(
    home: options.Home = None,
    version: bool = typer.Option(
        False,
        "--version",
        metavar=options.FLAG,
        is_eager=True,  # else "missing command" is said first
        callback=_print_version,
        help="Print the version and exit.",
    ),
) -> None:
    options.home_for_all.set(home)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code of one command; nothing but defects of ours is raised."""
    screen.accept_any_text()
    with signals.interruptible():
        try:
            return _run(arguments)
        except TrainingInterrupted as error:
            by_keyboard = signals.received(signal.SIGINT)
            return _complain(str(error), _INTERRUPTED if by_keyboard else 1)
        except MmcoreError as error:
            return _complain(str(error))
        except _UsageError as error:
            message = error.format_message().rstrip(".")
            # without a message it was a command without its words: the help is on the screen
            return _complain(f"{message}; see --help") if message else 0
        except (BrokenPipeError, SystemExit):  # the latter is Typer's word for the former
            return _drop_output()  # the reader (head, less) has left: nothing to tell anyone
        except OSError as error:
            if error.filename is None:
                _drop_output()  # it may have been stdout, which would fail again at exit
            return _complain(_os_message(error))
        except (KeyboardInterrupt, typer.Abort):
            return _interrupted()
        except Exception:
            # a library that was interrupted in the middle may raise anything
            if signals.received():
                return _interrupted()
            raise


def _run(arguments: Sequence[str] | None) -> int:
    result = app(args=arguments, standalone_mode=False)
    if result == _INTERRUPTED:  # Typer's word for Ctrl-C
        return _interrupted()
    if sys.stdout:
        sys.stdout.flush()  # at exit it would be too late to tell anyone
    return result if isinstance(result, int) else 0


def _interrupted() -> int:
    return _complain("interrupted", _INTERRUPTED, "")


def _complain(message: str, code: int = 1, start: str = "error: ") -> int:
    with contextlib.suppress(OSError, ValueError):  # stderr may be closed: the code remains
        print(start + screen.plain(" ".join(message.split())), file=sys.stderr)
    return code


def _os_message(error: OSError) -> str:
    """Return what the operating system refused, where no service said it better."""
    where = "standard output or a file"
    if isinstance(error.filename, str | bytes):
        where = os.fsdecode(error.filename)
    remedy = "check that it is there and that you may use it"
    if error.errno in _FULL:
        remedy = "free some space, or choose another workspace with --home DIR"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        remedy = "change its permissions, or choose another workspace with --home DIR"
    return f"{where} can't be used: {error.strerror or error}; {remedy}"


def _drop_output() -> int:
    """Let what is still buffered for stdout go nowhere, without a word at exit; returns 1."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        target = sys.stdout.fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, target)
        os.close(null)
    return 1
