"""What runs here: version, device, weights, what `doctor` finds, licences."""

import time

import streamlit as st

from mmcore.services.about import about, examine_apart, packages_here
from mmcore.services.finding import NOTE, OK, PROBLEM, Finding
from mmcore.services.machine import backbones_here, device_here
from mmcore.ui.desk import Desk
from mmcore.ui.notices import errors_shown
from mmcore.ui.words import counted, moment

FOUND = "s.doctor"  # (when, findings) of this session
MARKS = {OK: "✓ ok", NOTE: "– note", PROBLEM: "✗ problem"}


def about_box(desk: Desk) -> None:
    """Draw versions, places, device, weights, doctor's findings and licences."""
    facts = about(desk.store, desk.settings)
    here = device_here(desk.settings)
    st.dataframe(
        {
            "": ["Rayon", "Python", "system", "device", "workspace", "database"],
            "here": [
                facts.version,
                facts.python,
                facts.system,
                here.text,
                str(facts.home),
                facts.database,
            ],
        },
        hide_index=True,
        height="content",
        column_config={"": st.column_config.TextColumn(width="small")},
    )
    _weights(desk)
    _doctor(desk)
    st.subheader("Packages and their licences")
    found = packages_here()
    st.dataframe(
        {
            "package": [package.name for package in found],
            "version": [package.version for package in found],
            "licence": [package.licence for package in found],
        },
        hide_index=True,
        height="content",
        column_config={"licence": st.column_config.TextColumn(width="large")},
    )


def _weights(desk: Desk) -> None:
    st.subheader("Image backbones")
    for found in backbones_here(desk.workspace, desk.settings):
        name, ways = st.columns([2, 6])
        mark = ":material/check:" if found.is_here else ":material/close:"
        name.markdown(f"{mark} `{found.name}`")
        if found.is_here:
            ways.text("pretrained weights are here")
        else:
            ways.text("pretrained weights are not here: " + "; ".join(found.ways))


def _doctor(desk: Desk) -> None:
    st.subheader("Is everything in order?")
    if st.button("Examine this machine and workspace", icon=":material/stethoscope:"):
        with st.spinner("Examining: up to a minute…"), errors_shown():
            st.session_state[FOUND] = (time.time(), examine_apart(desk.settings))
    if FOUND in st.session_state:
        _show_findings(*st.session_state[FOUND])
    else:
        st.caption("Versions, device, photo decoding, weights, disk, photos, models, leftovers.")


def _show_findings(at: float, found: list[Finding]) -> None:
    states = [finding.state for finding in found]
    told = f"{counted(states.count(PROBLEM), 'problem')}, {counted(states.count(NOTE), 'note')}"
    if PROBLEM in states:
        st.error(
            f"{told}, at {moment(at)}: what to do stands beside each.", icon=":material/error:"
        )
    else:
        st.success(f"{told}, at {moment(at)}.", icon=":material/check_circle:")
    order = (PROBLEM, NOTE, OK)
    found = sorted(found, key=lambda finding: order.index(finding.state))
    st.dataframe(
        {
            "state": [MARKS[finding.state] for finding in found],
            "what": [finding.what for finding in found],
            "found": [finding.found for finding in found],
            "what to do": [finding.advice for finding in found],
        },
        hide_index=True,
    )
