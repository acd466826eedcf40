"""Which model is asked, and which one it is compared with."""

from mmcore.ui.desk import Desk
from mmcore.ui.runtimes import usable_versions


def choose_models(desk: Desk, left, right) -> tuple[str | None, str | None]:
    """Draw the choice in two columns; return the model to ask, and the one to compare it with.

    Either is None where there is none.
    """
    versions = usable_versions(desk)
    if not versions:
        return None, None
    names = {v.name: f"{v.name} ({v.stage})" for v in versions}
    model = left.selectbox("Model", list(names), format_func=names.get, key="p.model")
    others = [None, *(name for name in names if name != model)]
    other = right.selectbox(
        "Compare with",
        others,
        format_func=lambda name: names.get(name, "no other"),
        key="p.other",
        disabled=len(others) == 1,
        help="There is one model so far." if len(others) == 1 else None,
    )
    return model, other
