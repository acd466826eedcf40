"""Rayon's router: the screens a person may open, in one navigation bar. Next: mmcore/ui/screens.py.

Run by `streamlit run app.py` (or `python -m mmcore serve`). It does nothing else on purpose: pages
show, services work.
"""

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.ui.desk import open_desk
from mmcore.ui.guard import let_in
from mmcore.ui.navigation import navigate
from mmcore.ui.notices import show_error, show_told

st.set_page_config(page_title="Rayon", page_icon="🛒", layout="wide")
try:
    desk = open_desk()
except MmcoreError as error:
    show_error(error)
    st.stop()
page, key = navigate(desk)
show_told()
let_in(key)
page.run()
