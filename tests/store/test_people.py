"""Who may let whom in, and that somebody always may."""

import threading

import pytest
from shop import NOW, open_shop

from mmcore.errors import NotFoundError, RefusedError
from mmcore.services.people import (
    LOCAL_NAME,
    Actor,
    actor_named,
    add_person,
    change_role,
    deactivate,
    ensure_actor,
    list_people,
    local_actor,
    reactivate,
)
from mmcore.services.queue import QueueChoice, next_product, queue_state
from mmcore.store.people import IMPORTER
from mmcore.store.queue import fill


@pytest.fixture
def admin(store):
    return local_actor(store, NOW)


def roles(store):
    return {person.name: person.role for person in list_people(store)}


def test_the_first_person_of_a_workspace_is_its_admin_and_stays_the_same(store):
    first = local_actor(store, NOW)
    assert (first.name, first.role) == (LOCAL_NAME, "admin")
    assert local_actor(store, NOW + 1) == first


def test_an_admin_lets_people_in_and_the_history_tells(store, admin):
    zoe = add_person(store, admin, "  zoé ", "annotator", NOW)
    assert (zoe.name, zoe.role, zoe.is_active) == ("zoé", "annotator", True)
    assert actor_named(store, "zoé").role == "annotator"
    change_role(store, admin, "zoé", "lead", NOW + 1)
    deactivate(store, admin, "zoé", NOW + 2)
    zoe = reactivate(store, admin, "zoé", NOW + 3)
    assert [(e.act, e.role_before, e.role, e.by, e.at - NOW) for e in zoe.history] == [
        ("add", "", "annotator", "local", 0),
        ("role", "annotator", "lead", "local", 1),
        ("deactivate", "lead", "lead", "local", 2),
        ("reactivate", "lead", "lead", "local", 3),
    ]


def test_what_is_so_already_is_no_change(store, admin):
    add_person(store, admin, "zoe", "lead", NOW)
    change_role(store, admin, "zoe", "lead", NOW)
    zoe = reactivate(store, admin, "zoe", NOW)
    assert [e.act for e in zoe.history] == ["add"]


def test_who_is_deactivated_cannot_act_and_keeps_nothing_open(store, admin):
    shop = open_shop(store)
    with store.writing() as session:
        fill(session)
    assert next_product(store, shop.anna, QueueChoice("random"), NOW) is not None
    assert queue_state(store, NOW).open_now == 1
    deactivate(store, admin, "anna", NOW)
    assert queue_state(store, NOW).open_now == 0
    with pytest.raises(RefusedError, match="anna was deactivated; ask an admin"):
        actor_named(store, "anna")
    reactivate(store, admin, "anna", NOW)
    assert actor_named(store, "anna") == shop.anna


@pytest.mark.parametrize("role", ["viewer", "annotator", "lead"])
def test_below_admin_nobody_changes_anybody(store, admin, role):
    other = ensure_actor(store, "zoe", role, NOW)
    for act in (
        lambda: add_person(store, other, "max", "viewer", NOW),
        lambda: change_role(store, other, "zoe", "admin", NOW),
        lambda: deactivate(store, other, LOCAL_NAME, NOW),
        lambda: reactivate(store, other, LOCAL_NAME, NOW),
    ):
        with pytest.raises(RefusedError, match=f"zoe is {role}, this needs admin"):
            act()
    assert roles(store) == {LOCAL_NAME: "admin", "zoe": role}


def test_a_role_that_was_taken_away_meanwhile_is_gone(store, admin):
    """The page still holds the actor of a moment ago."""
    zoe = add_person(store, admin, "zoe", "admin", NOW)
    seen = Actor(zoe.id, "zoe", "admin")
    change_role(store, admin, "zoe", "lead", NOW)
    with pytest.raises(RefusedError, match="zoe is no active admin any more"):
        add_person(store, seen, "max", "viewer", NOW)


def test_the_last_active_admin_stays_one(store, admin):
    add_person(store, admin, "zoe", "admin", NOW)
    deactivate(store, admin, "zoe", NOW)
    with pytest.raises(RefusedError, match="local is the last active admin and can't be deactiv"):
        deactivate(store, admin, LOCAL_NAME, NOW)
    with pytest.raises(RefusedError, match="can't become lead; make somebody else an admin first"):
        change_role(store, admin, LOCAL_NAME, "lead", NOW)
    reactivate(store, admin, "zoe", NOW)
    assert change_role(store, admin, LOCAL_NAME, "lead", NOW).role == "lead"
    with pytest.raises(RefusedError, match="is lead, this needs admin"):
        add_person(store, local_actor(store, NOW), "max", "viewer", NOW)


def test_two_admins_who_demote_each_other_leave_one(store, admin):
    zoe = add_person(store, admin, "zoe", "admin", NOW)
    together, refused = threading.Barrier(2), []

    def demote(actor, name):
        together.wait(30)
        try:
            change_role(store, actor, name, "viewer", NOW)
        except RefusedError as error:
            refused.append(str(error))

    pairs = ((admin, "zoe"), (Actor(zoe.id, "zoe", "admin"), LOCAL_NAME))
    threads = [threading.Thread(target=demote, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(roles(store).values()) == ["admin", "viewer"] and len(refused) == 1


@pytest.mark.parametrize(
    ("name", "role", "message"),
    [
        ("", "lead", "the name is empty; give 1 to 100 characters"),
        ("x" * 101, "lead", "has 101 characters, 100 are the limit"),
        ("a\nb", "lead", "holds a line break"),
        ("max", "king", "there is no role 'king'; use one of viewer, annotator, lead, admin"),
        (LOCAL_NAME.upper(), "lead", "there is local .admin. already; choose another name"),
        (IMPORTER, "lead", "'import' is the name in which files speak"),
    ],
)
def test_names_and_roles_that_cannot_be(store, admin, name, role, message):
    with pytest.raises(RefusedError, match=message):
        add_person(store, admin, name, role, NOW)
    assert roles(store) == {LOCAL_NAME: "admin"}


def test_somebody_unknown_and_the_name_of_files(store, admin):
    ensure_actor(store, IMPORTER, "viewer", NOW)
    for verb in (deactivate, reactivate):
        with pytest.raises(NotFoundError, match="there is no annotator 'max'"):
            verb(store, admin, "max", NOW)
        with pytest.raises(RefusedError, match="in which files speak, and nobody's"):
            verb(store, admin, IMPORTER, NOW)
    assert IMPORTER not in roles(store)
