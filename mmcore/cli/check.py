"""The command that looks whether everything is in order: doctor."""

import typer
from rich.text import Text

from mmcore.cli import screen
from mmcore.cli.options import Home, Json, open_workspace

_COLOURS = {"ok": "green", "note": "yellow", "problem": "red"}


def doctor(home: Home = None, as_json: Json = False) -> None:
    """Check versions, device, backbone weights, disk, workspace, catalogue and models.

    Exits with 1 where something must be mended.
    """
    workspace, settings = open_workspace(home)
    from mmcore.services.health import examine

    findings = examine(workspace, settings)
    if as_json:
        screen.print_json([vars(finding) for finding in findings])
    else:
        for finding in findings:
            text = f"{finding.what}: {finding.found}"
            advice = f" - {finding.advice}" if finding.advice else ""
            mark = (f"{finding.state:<8}", _COLOURS[finding.state])
            screen.out().print(Text.assemble(mark, screen.plain(text + advice)))
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(1)
