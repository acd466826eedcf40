"""Models: every version, where it came from, how good it is, and which one answers."""

import streamlit as st

from mmcore.services.registry_view import list_versions
from mmcore.ui.guard import enter
from mmcore.ui.models.table import (
    production_line,
    prune_box,
    scores_chart,
    stage_history,
    versions_table,
)
from mmcore.ui.models.version import show_version
from mmcore.ui.notices import errors_shown, show_error

desk = enter("models_page")
with errors_shown():
    versions = list_versions(desk.store, desk.workspace)
    if not versions:
        st.info("There is no model yet: train one on the Retrain screen.", icon=":material/info:")
        st.stop()
    production_line(versions)
    versions_table(versions)
    wanted = st.query_params.get("version")
    version = next((v for v in versions if v.name == wanted), None)
    if wanted and version is None:
        show_error(f"There is no model {wanted}; choose one above.")
    if version is not None:
        with st.container(border=True), errors_shown():
            show_version(desk, version)
    scores_chart(versions)
    stage_history(versions)
    prune_box(desk)
