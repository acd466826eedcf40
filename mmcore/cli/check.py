"""The command that looks whether everything is in order: doctor."""

from rich.text import Text

from mmcore.cli import screen
from mmcore.cli.options import Home, Json, open_workspace
from mmcore.errors import MmcoreError

_COLOURS = {"ok": "green", "note": "yellow", "problem": "red"}


def doctor(home: Home = None, as_json: Json = False) -> None:
    """Check versions, device, photo decoding, weights, disk, catalogue, models and leftovers.

    Exits with 1 where something must be mended.
    """
    workspace, settings = open_workspace(home)
    from mmcore.services.health import examine

    findings = examine(workspace, settings)
    wrong = [finding for finding in findings if finding.state == "problem"]
    if as_json:
        screen.print_json({"ok": not wrong, "findings": [vars(finding) for finding in findings]})
    else:
        for finding in findings:
            mark = (f"{finding.state:<8}", _COLOURS[finding.state])
            advice = f" - {finding.advice}" if finding.advice else ""
            text = f"{finding.what}: {finding.found}{advice}"
            screen.out().print(Text.assemble(mark, screen.plain(text)))
    if wrong:
        named = ", ".join(dict.fromkeys(finding.what for finding in wrong))
        raise MmcoreError(f"{len(wrong)} to be mended: {named}; what to do stands beside each")
