"""All model versions: how good each is, which one answers, and which are to go."""

import time
from collections.abc import Sequence

import streamlit as st

from mmcore.services.lineage import lineage, score_points
from mmcore.services.people import may
from mmcore.services.registry_upkeep import preview_prune, prune
from mmcore.services.registry_view import VersionInfo
from mmcore.ui.acts import acting
from mmcore.ui.charts import draw, scores_over_time
from mmcore.ui.desk import Desk
from mmcore.ui.words import megabytes, moment

VIEWS = ("text", "image", "fused")
GATE = {True: "passed", False: "refused", None: "–"}
KEEP = 5
TABLE = "m.table"


def versions_table(versions: Sequence[VersionInfo]) -> None:
    """Draw the versions, each behind the one it was made from; a chosen row opens it."""
    branches = lineage(versions)
    rows = [branch.version for branch in branches]
    columns = {
        "model": [f"{'   ' * b.depth}{'└ ' if b.depth else ''}{b.version.name}" for b in branches],
        "stage": [v.stage for v in rows],
        **{view: [_score(v, view) for v in rows] for view in VIEWS},
        "gate": [GATE[v.verdict.get("passed") if v.verdict else None] for v in rows],
        "made": [moment(v.created_at) for v in rows],
        "by": [v.made_by or "command line" for v in rows],
        "from": [v.parent or "–" for v in rows],
        "snapshot": [v.snapshot[:10] for v in rows],
        "folder": [v.folder for v in rows],
        "size": [megabytes(v.num_bytes) for v in rows],
    }
    st.dataframe(
        columns,
        hide_index=True,
        on_select=lambda: _open_chosen([v.name for v in rows]),
        selection_mode="single-row",
        key=TABLE,
        column_config={
            view: st.column_config.NumberColumn(f"{view} F1", format="%.3f") for view in VIEWS
        },
    )
    used = sum(v.num_bytes for v in rows)
    st.caption(
        "Scores: macro-F1 on the test products. Choose a row to open the version. "
        f"All folders together: {megabytes(used)}."
    )


def _open_chosen(names: Sequence[str]) -> None:
    """Put the chosen version into the address; only a click does, so a link is not overruled."""
    chosen = st.session_state[TABLE].selection.rows
    if chosen:
        st.query_params["version"] = names[chosen[0]]
    else:
        st.query_params.pop("version", None)


def _score(version: VersionInfo, view: str) -> float | None:
    scores = version.scores.get(view)
    return scores["macro_f1"] if scores else None


def scores_chart(versions: Sequence[VersionInfo]) -> None:
    """Draw how good the versions were, in the order they were made."""
    points = score_points(versions, VIEWS)
    if len(points) > len(VIEWS):
        draw(scores_over_time(points), "m.scores", 260)


def stage_history(versions: Sequence[VersionInfo]) -> None:
    """Draw who made which version answer, when and why."""
    events = [(event, version) for version in versions for event in version.changes]
    events.sort(key=lambda pair: -pair[0].at)
    with st.expander("Who activated what"):
        st.dataframe(
            {
                "when": [moment(event.at) for event, _ in events],
                "model": [version.name for _, version in events],
                "act": [event.act for event, _ in events],
                "stage": [f"{e.stage_before or '–'} to {e.stage}" for e, _ in events],
                "by": [event.who or "the machine" for event, _ in events],
                "reason": [event.reason for event, _ in events],
            },
            hide_index=True,
        )


def prune_box(desk: Desk) -> None:
    """Draw what pruning would delete, and the button that does it."""
    with st.expander("Delete old model folders"):
        keep = st.number_input("Keep so many of the newest", 1, 100, KEEP, key="m.keep", width=220)
        found = preview_prune(desk.store, desk.workspace, int(keep))
        st.caption("Production and the model before it are never touched; scores stay for ever.")
        if not found.deleted:
            st.text("There is nothing to delete.")
            return
        st.text(f"{', '.join(found.deleted)}: {megabytes(found.num_bytes)} would be freed.")
        is_lead = may(desk.actor, "lead")
        st.button(
            f"Delete {len(found.deleted)} folders for good",
            icon=":material/delete:",
            disabled=not is_lead,
            help=None if is_lead else "needs the role lead",
            on_click=_prune,
            args=(desk, int(keep), found.deleted),
        )


@acting
def _prune(desk: Desk, keep: int, names: Sequence[str]) -> str:
    done = prune(desk.store, desk.actor, desk.workspace, keep, names)
    return f"{len(done.deleted)} folders deleted, {megabytes(done.num_bytes)} freed."


def production_line(versions: Sequence[VersionInfo]) -> None:
    """Say which version answers, and since when."""
    found = next((v for v in versions if v.stage == "production"), None)
    if found is None:
        st.warning(
            "No model is in production: nothing is suggested to labellers. Open a version and "
            "activate it.",
            icon=":material/warning:",
        )
        return
    since = max((e.at for e in found.changes if e.stage == "production"), default=None)
    ago = f" since {moment(since)}" if since and since <= time.time() else ""
    st.success(f"{found.name} answers{ago}.", icon=":material/play_circle:")
