"""The command that serves the app."""

from typing import Annotated

import typer

from mmcore.cli import screen
from mmcore.cli.options import FLAG, Home, open_workspace


def serve(
    home: Home = None,
    port: Annotated[
        int, typer.Option(metavar="N", min=1, max=65_535, help="Port to listen on.")
    ] = 8501,
    host: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Address to listen on; 0.0.0.0 lets other machines see the app."
        ),
    ] = "localhost",
    with_demo: Annotated[
        bool,
        typer.Option(
            "--demo",
            metavar=FLAG,
            help="Prepare the drawn demo first, where the workspace holds no shop's catalogue.",
        ),
    ] = False,
    is_opened: Annotated[
        bool,
        typer.Option("--open/--no-open", metavar=FLAG, help="Open a browser on it."),
    ] = False,
) -> None:
    """Serve the app: label, predict and retrain in a browser. Ctrl-C ends it.

    Jobs that run are not ended with it: their worker is a process of its own.
    """
    workspace, settings = open_workspace(home)
    if with_demo:
        from mmcore.cli.demo_command import prepare_demo

        prepare_demo(home, workspace, settings)
    from mmcore.ui.server import ServeOptions
    from mmcore.ui.server import serve as run

    screen.note(f"Rayon on http://{host}:{port}, workspace {workspace.home}; Ctrl-C ends it")
    run(settings, ServeOptions(port, host, is_opened))
