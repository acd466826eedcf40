"""What `doctor` looks at: is everything here that training and predicting need?"""

from collections.abc import Callable, Iterator

from mmcore.errors import MmcoreError
from mmcore.services import health_machine as machine
from mmcore.services import health_workspace as place
from mmcore.services.finding import Finding, problem
from mmcore.settings import Settings
from mmcore.workspace import Workspace


def examine(workspace: Workspace, settings: Settings) -> list[Finding]:
    """Return what was found, in the order a newcomer would ask."""
    checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("Python", machine.python),
        ("packages", machine.packages),
        ("torch and torchvision", machine.pairing),
        ("device", lambda: machine.device(settings)),
        ("photo decoding", machine.decoding),
        ("weights", lambda: machine.weights(workspace)),
        ("workspace", lambda: place.folder(workspace)),
        ("disk", lambda: place.disk(workspace.home)),
        ("catalogue", lambda: place.catalogue(workspace, settings)),
        ("models", lambda: place.models(workspace)),
        ("runs", lambda: place.runs(workspace)),
        ("left over", lambda: place.leftovers(workspace)),
    )
    return [finding for what, check in checks for finding in _findings(what, check)]


def _findings(what: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield a check's findings; what stops one check must not stop the others."""
    try:
        yield from check()
    except (MmcoreError, OSError, ImportError, RuntimeError) as error:
        yield problem(what, error)
