"""Who works here: roles, letting people in and out, and who is in front of this screen."""

import time

import streamlit as st

from mmcore.services.people import (
    LOCAL_NAME,
    Person,
    add_person,
    change_role,
    deactivate,
    list_people,
    reactivate,
)
from mmcore.store.tables import ROLES
from mmcore.ui.acts import attempt, needs
from mmcore.ui.desk import Desk, sit_down
from mmcore.ui.words import moment

ROLE_WORDS = {
    "viewer": "viewer: looks and predicts",
    "annotator": "annotator: labels, too",
    "lead": "lead: imports, retrains, activates, settles conflicts, too",
    "admin": "admin: people and backups, too",
}


def who_am_i(desk: Desk) -> None:
    """Draw who is at work here, and let somebody else sit down."""
    people = [person for person in list_people(desk.store) if person.is_active]
    names = [person.name for person in people]
    left, right = st.columns([2, 5], vertical_alignment="bottom")
    chosen = left.selectbox(
        "Who is at work here?", names, index=names.index(desk.actor.name), key="t.me"
    )
    right.caption(
        "Without a login everybody at this address may choose; the address then names them "
        f"(?person=…), {LOCAL_NAME} without. Roles count all the same."
    )
    if chosen != desk.actor.name:
        sit_down(chosen)
        st.rerun()


def people_box(desk: Desk) -> None:
    """Draw all people with their roles; an admin changes them here."""
    people = list_people(desk.store)
    refusal = needs(desk, "admin")
    for person in people:
        _row(desk, person, refusal)
    with st.popover("Add a person", icon=":material/person_add:"):
        name = st.text_input("Name", key="t.new", max_chars=100)
        role = st.selectbox("Role", ROLES, index=1, format_func=ROLE_WORDS.get, key="t.new_role")

        def act() -> str:
            found = add_person(desk.store, desk.actor, name, role, time.time())
            return f"{found.name} is in, as {found.role}."

        st.button(
            "Add",
            type="primary",
            disabled=not name.strip() or refusal is not None,
            help=refusal,
            on_click=attempt,
            args=("t.add", act),
        )
    _history(people)


def _row(desk: Desk, person: Person, refusal: str | None) -> None:
    who, role, out = st.columns([3, 3, 2], vertical_alignment="center")
    state = "" if person.is_active else " (deactivated)"
    who.text(f"{person.name}{state}, since {moment(person.created_at)}")
    key = f"t.role.{person.id}.{person.role}"
    wanted = role.selectbox(
        "Role",
        ROLES,
        index=ROLES.index(person.role),
        format_func=ROLE_WORDS.get,
        key=key,
        disabled=refusal is not None,
        label_visibility="collapsed",
    )
    if wanted != person.role:
        attempt(key, lambda: _change(desk, person.name, wanted))
        st.session_state.pop(key, None)
        st.rerun()
    verb, word = (deactivate, "Deactivate") if person.is_active else (reactivate, "Let in again")

    def act() -> str:
        found = verb(desk.store, desk.actor, person.name, time.time())
        return f"{found.name} is {'let in again' if found.is_active else 'deactivated'}."

    out.button(
        word,
        key=f"t.out.{person.id}",
        type="tertiary",
        disabled=refusal is not None,
        help=refusal,
        on_click=attempt,
        args=(f"t.out.{person.id}", act),
    )


def _change(desk: Desk, name: str, role: str) -> str:
    found = change_role(desk.store, desk.actor, name, role, time.time())
    return f"{found.name} is {found.role} now."


def _history(people: tuple[Person, ...]) -> None:
    events = [(event, person) for person in people for event in person.history]
    if not events:
        return
    events.sort(key=lambda pair: -pair[0].at)
    with st.expander("Who let whom in"):
        st.dataframe(
            {
                "when": [moment(event.at) for event, _ in events],
                "person": [person.name for _, person in events],
                "act": [event.act for event, _ in events],
                "role": [event.role for event, _ in events],
                "by": [event.by for event, _ in events],
            },
            hide_index=True,
        )
