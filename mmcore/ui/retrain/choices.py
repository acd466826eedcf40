"""What would be learnt, and the one button that starts it."""

import time

import streamlit as st

from mmcore.config import MINUTES
from mmcore.services.jobs import JobView, submit_retrain
from mmcore.services.machine import backbones_here, device_here
from mmcore.services.retrain_choices import RetrainChoices, choices_from_json
from mmcore.services.retrain_preview import Preview, preview
from mmcore.services.retrain_time import Load, estimate
from mmcore.ui.acts import acting, needs
from mmcore.ui.desk import Desk
from mmcore.ui.words import duration, moment, plain

PRESETS = {
    "strong": "strong: measures best",
    "seed": "seed: the network of the drawing, exactly",
}
STARTS = {
    "suits": "as it suits: from production where that can be",
    "warm": "from the production model (warm)",
    "fresh": "from the beginning (fresh)",
}
IS_FRESH = {"suits": None, "warm": False, "fresh": True}
JOB = "job"


def choice_card(desk: Desk) -> None:
    """Draw what a retrain would learn, its choices, how long it may take, and the button."""
    found = preview(desk.store)
    with st.container(border=True):
        st.subheader("What would be learnt")
        _numbers(found)
        _classes(found)
        device = device_here(desk.settings)
        choices = _choices(desk)
        if device.is_gpu:
            st.text(device.text)
        else:
            st.info(device.text, icon=":material/computer:")
        load = Load(found.num_learnt, found.num_products, found.num_with_photo)
        guess = estimate(desk.store, choices, load, device.is_gpu)
        st.text(f"About {duration(guess.seconds)}, {guess.source}.")
        _button(desk, choices, found)


def _numbers(found: Preview) -> None:
    cells = st.columns(5)
    cells[0].metric("Learnt from (train)", f"{found.num_train:,}")
    cells[1].metric("Chosen by (val)", f"{found.num_val:,}")
    cells[2].metric(
        "Judged on (test)", f"{found.num_test:,}", help="Never trained on, in no retrain."
    )
    cells[3].metric("Without a label", f"{found.num_unlabelled:,}")
    since = f"since {found.production} of {moment(found.production_at)}"
    cells[4].metric(
        "New labels",
        f"{found.num_new:,}",
        help=since if found.production else "No model is in production: everything is new.",
    )


def _classes(found: Preview) -> None:
    if found.small:
        names = ", ".join(f"{c.code} {c.name_fr} ({c.num_train})" for c in found.small[:6])
        more = f" and {len(found.small) - 6} more" if len(found.small) > 6 else ""
        st.warning(
            f"Classes with too little to learn from: {plain(names)}{more}.",
            icon=":material/science:",
        )
    with st.expander("By class"):
        st.dataframe(
            {
                "code": [c.code for c in found.classes],
                "class": [c.name_fr for c in found.classes],
                "train": [c.num_train for c in found.classes],
                "val": [c.num_val for c in found.classes],
                "test": [c.num_test for c in found.classes],
                "new labels": [c.num_new for c in found.classes],
                "remark": [c.problem for c in found.classes],
            },
            hide_index=True,
            height=300,
        )


def _choices(desk: Desk) -> RetrainChoices:
    here = {found.name: found for found in backbones_here(desk.workspace, desk.settings)}
    first = next((name for name, found in here.items() if found.is_here), None)
    names = sorted(here, key=lambda name: name != first)
    left, middle, right, last = st.columns([3, 3, 4, 2])
    preset = left.selectbox("Preset", list(PRESETS), format_func=PRESETS.get, key="r.preset")
    backbone = middle.selectbox(
        "Image backbone",
        names,
        format_func=lambda n: f"{n} (weights here: {'yes' if here[n].is_here else 'no'})",
        key="r.backbone",
    )
    start = right.selectbox("Start", list(STARTS), format_func=STARTS.get, key="r.start")
    tuned = last.number_input(
        "Fine-tuning epochs",
        0,
        50,
        None,
        key="r.epochs2",
        placeholder="planned",
        help="Phase 2 unfreezes the backbone: slow on a CPU. 0 leaves it out. Empty plans as many "
        f"as pay by the photos there are, and fit into {MINUTES} minutes at this machine's pace; "
        "the log says why.",
    )
    if here[backbone].ways:
        st.text("Its ImageNet weights aren't here: " + "; ".join(here[backbone].ways))
    return RetrainChoices(preset=preset, backbone=backbone, epochs2=tuned, fresh=IS_FRESH[start])


def _button(desk: Desk, choices: RetrainChoices, found: Preview) -> None:
    role = needs(desk, "lead")
    if found.obstacle:
        st.error(found.obstacle, icon=":material/block:")
    st.button(
        "Retrain",
        type="primary",
        icon=":material/rocket_launch:",
        disabled=bool(found.obstacle) or role is not None,
        help=role,
        on_click=_submit,
        args=(desk, choices),
    )


def again_button(desk: Desk, job: JobView) -> None:
    """Draw the button that submits a job's choices once more, on the labels as they are now."""
    st.button(
        "Try again with the same choices",
        key=f"r.again.{job.id}",
        icon=":material/refresh:",
        disabled=needs(desk, "lead") is not None,
        help=needs(desk, "lead"),
        on_click=_again,
        args=(desk, job.choices),
    )


@acting
def _again(desk: Desk, choices: dict) -> str | None:
    return _submitted(desk, choices_from_json(choices))


@acting
def _submit(desk: Desk, choices: RetrainChoices) -> str | None:
    return _submitted(desk, choices)


def _submitted(desk: Desk, choices: RetrainChoices) -> str | None:
    done = submit_retrain(desk.store, desk.actor, choices, time.time(), desk.backend)
    st.query_params[JOB] = str(done.job_id)
    return None if done.is_new else f"A retrain is under way already: this is job {done.job_id}."
