"""Settings: classes, the queue, the gate, storage, backups, and what this machine offers."""

import streamlit as st

from mmcore.ui.guard import enter
from mmcore.ui.notices import errors_shown
from mmcore.ui.settings.about import about_box
from mmcore.ui.settings.backups import backup_box
from mmcore.ui.settings.choices import gate_choices, queue_choices
from mmcore.ui.settings.classes import class_settings
from mmcore.ui.settings.storage import storage_box

PARTS = {
    "Classes": class_settings,
    "Queue": queue_choices,
    "Quality gate": gate_choices,
    "Storage": storage_box,
    "Backup": backup_box,
    "About": about_box,
}

desk = enter("settings_page")
part = st.segmented_control(
    "Settings", list(PARTS), default="Classes", key="s.part", required=True, bind="query-params"
)
with errors_shown():
    PARTS[part](desk)
