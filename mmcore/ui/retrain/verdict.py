"""What came of a retrain: scores beside production, the gate, and the buttons that decide."""

import time

import streamlit as st

from mmcore.bootstrap import Interval
from mmcore.services.registry import Consent, activate, rollback
from mmcore.services.registry_view import VersionInfo, list_versions, production_now
from mmcore.services.verdict_view import VerdictView, ViewScores, verdict_view
from mmcore.ui.acts import acting, caught_up, needs
from mmcore.ui.charts import before_after, draw
from mmcore.ui.desk import Desk
from mmcore.ui.words import plain

BACK = "One act; it can be undone by activating this one again."


def version_of(desk: Desk, name: str) -> VersionInfo | None:
    """Return a version by name, None where it isn't registered."""
    return next((v for v in list_versions(desk.store, desk.workspace) if v.name == name), None)


def show_verdict(desk: Desk, version: VersionInfo) -> VerdictView | None:
    """Draw a version's scores beside production's, and what the gate says of it."""
    versions = list_versions(desk.store, desk.workspace)
    against_name = version.verdict.get("against") if version.verdict else None
    against = next((v for v in versions if v.name == against_name), None)
    found = verdict_view(version, against)
    if found is None:
        st.info(
            f"{version.name} was never compared with a production model on the test products.",
            icon=":material/balance:",
        )
        _plain_scores(version)
        return None
    _sentence(found)
    cells = st.columns(max(1, len(found.views)))
    for cell, view in zip(cells, found.views, strict=False):
        with cell.container(border=True):
            _scores(view)
    for row in found.ablations:
        before = f" (before {row.before:.3f})" if row.before is not None else ""
        st.text(f"{row.view.replace('_', ' ')}: macro-F1 {row.after:.3f}{before}")
    for note in found.notes:
        st.text(note)
    if found.classes:
        with st.expander(f"F1 of each class, {len(found.classes)} in all"):
            names = [f"{line.code} ({line.n})" for line in found.classes]
            figure = before_after(
                names, [c.before for c in found.classes], [c.after for c in found.classes]
            )
            draw(figure, f"v.classes.{version.name}", 60 + 22 * len(names))
    return found


def _sentence(found: VerdictView) -> None:
    show = {True: st.success, False: st.error, None: st.warning}[found.passed]
    show(
        plain(found.sentence[:1].upper() + found.sentence[1:]),
        icon={
            True: ":material/check_circle:",
            False: ":material/block:",
            None: ":material/balance:",
        }[found.passed],
    )
    if found.checks:
        with st.expander("What the gate looked at", expanded=found.passed is False):
            for check in found.checks:
                st.text(f"{'✓' if check.passed else '✗'} {check.sentence}")


def _scores(view: ViewScores) -> None:
    change = None
    if view.difference is not None:
        change = f"{100 * view.difference.value:+.1f} points"
    st.metric(
        f"{view.view}: macro-F1",
        f"{view.macro_f1.value:.3f}",
        change,
        delta_color="normal" if view.meaning in ("better", "worse") else "off",
    )
    st.text(f"{_between(view.macro_f1)}, {view.n:,} test products")
    if view.before is not None:
        st.text(f"before {view.before.value:.3f}, {_between(view.before)}: {view.meaning}")
    accuracy = f"accuracy {view.accuracy:.3f}"
    ece = f"calibration error {view.ece:.3f}"
    if view.accuracy_before is not None:
        accuracy += f" (before {view.accuracy_before:.3f})"
        ece += f" (before {view.ece_before:.3f})"
    st.caption(f"{accuracy}  \n{ece}")


def _between(found: Interval) -> str:
    return f"{found.low:.3f} to {found.high:.3f}"


def _plain_scores(version: VersionInfo) -> None:
    views = [view for view in ("text", "image", "fused") if version.scores.get(view)]
    for cell, view in zip(st.columns(max(1, len(views))), views, strict=False):
        cell.metric(f"{view}: macro-F1", f"{version.scores[view]['macro_f1']:.3f}")


def decision_bar(desk: Desk, version: VersionInfo, key: str) -> None:
    """Draw Activate beside the verdict, and Roll back where this version answers."""
    role = needs(desk, "lead")
    versions = list_versions(desk.store, desk.workspace)
    answers = next((v.name for v in versions if v.stage == "production"), "")
    if version.stage == "production":
        st.success(f"{version.name} answers: it is in production.", icon=":material/play_circle:")
        back = production_now(desk.store).back
        st.button(
            f"Roll back to {back}" if back else "Roll back",
            key=f"{key}.back",
            icon=":material/undo:",
            disabled=role is not None or back is None,
            help=role or (BACK if back else "There is no model before it to go back to."),
            on_click=_roll_back,
            args=(desk, Consent(version.name)),
        )
        return
    is_refused = version.verdict.get("passed") is False if version.verdict else False
    reason = ""
    if is_refused:
        reason = st.text_input(
            "The gate said no. Why is it to answer all the same?", key=f"{key}.reason"
        )
    st.button(
        f"Activate {version.name}",
        key=f"{key}.activate",
        type="primary",
        icon=":material/play_circle:",
        disabled=role is not None
        or (is_refused and not reason.strip())
        or version.folder == "pruned",
        help=role,
        on_click=_activate,
        args=(desk, version.name, Consent(answers, reason)),
    )


@acting
def _activate(desk: Desk, name: str, consent: Consent) -> str:
    done = activate(desk.store, desk.actor, desk.workspace, name, time.time(), consent)
    notes = f" Note: {'; '.join(done.notes)}." if done.notes else ""
    before = f"; before it was {done.before}" if done.before else ""
    return f"{done.name} answers from now on{before}.{notes}{caught_up(desk)}"


@acting
def _roll_back(desk: Desk, consent: Consent) -> str:
    done = rollback(desk.store, desk.actor, desk.workspace, time.time(), consent)
    return f"Back to {done.name}; before it was {done.before}.{caught_up(desk)}"
