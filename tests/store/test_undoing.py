"""Undo at any depth, redo, and never over a later decision of somebody else."""

import pytest
from shop import NOW, open_shop

from mmcore.errors import NotFoundError, RefusedError
from mmcore.services import labelling
from mmcore.services.undoing import redo, undo


@pytest.fixture
def shop(store):
    return open_shop(store)


def label(shop, actor, product_id, code, token=None):
    seen = shop.seen(product_id, token or f"{actor.name}-{product_id}-{code}-{len(shop.acts())}")
    return labelling.label(shop.store, actor, seen, code, NOW + len(shop.acts()))


def take_back(shop, actor, act_id=None):
    return undo(shop.store, actor, f"undo-{len(shop.acts())}", NOW + 500, act_id)


def bring_back(shop, actor, act_id=None):
    return redo(shop.store, actor, f"redo-{len(shop.acts())}", NOW + 600, act_id)


def undone(shop):
    return [act.is_undone for act in shop.acts()]


def test_own_acts_go_back_one_after_another(shop):
    for product_id, code in ((1, "A"), (2, "B"), (1, "C"), (1, "D")):
        label(shop, shop.anna, product_id, code)
    label(shop, shop.bob, 3, "A")
    states = []
    for _ in range(4):
        take_back(shop, shop.anna)
        states.append(shop.labels()[:3])
    assert states == [["C", "B", "A"], ["A", "B", "A"], ["A", None, "A"], [None, None, "A"]]
    with pytest.raises(RefusedError, match="no label, skip or flag of yours left to undo"):
        take_back(shop, shop.anna)
    assert shop.product(1).version == 6  # three labels, three undos: versions only rise


def test_redo_brings_back_in_reverse_order(shop):
    for code in "ABC":
        label(shop, shop.anna, 1, code)
    for _ in range(3):
        take_back(shop, shop.anna)
    labels = []
    for _ in range(3):
        result = bring_back(shop, shop.anna)
        assert result.is_redo
        labels.append(result.product.label)
    assert labels == ["A", "B", "C"]
    with pytest.raises(RefusedError, match="nothing of yours that was undone left to redo"):
        bring_back(shop, shop.anna)
    take_back(shop, shop.anna)
    assert shop.product(1).label == "B"


def test_an_undo_can_be_undone_again_and_again(shop):
    act_id = label(shop, shop.anna, 1, "A").act_id
    for turn in range(6):
        result = take_back(shop, shop.anna, shop.acts()[-1].id)
        assert result.is_redo == bool(turn % 2)
        assert shop.product(1).label == ("A" if turn % 2 else None)
    assert undone(shop) == [False, True, False, True, False, True, False]
    take_back(shop, shop.anna, act_id)  # the decision itself may be named at any time
    assert shop.product(1).label is None


def test_a_later_decision_of_somebody_else_stays(shop):
    act_id = label(shop, shop.anna, 1, "A").act_id
    label(shop, shop.bob, 1, "B")
    message = r"product p1 was labelled B by bob at 2025-.* since.*Nothing was changed"
    with pytest.raises(RefusedError, match=message):
        take_back(shop, shop.anna)
    assert shop.product(1).label == "B" and not any(undone(shop))
    take_back(shop, shop.bob)
    take_back(shop, shop.anna, act_id)
    assert shop.product(1).label is None


def test_own_later_decision_stays_too(shop):
    first = label(shop, shop.anna, 1, "A").act_id
    label(shop, shop.anna, 1, "B")
    with pytest.raises(RefusedError, match="labelled B by anna"):
        take_back(shop, shop.anna, first)


def test_undo_of_a_redone_later_decision_is_refused(shop):
    first = label(shop, shop.anna, 1, "A").act_id
    label(shop, shop.bob, 1, "B")
    take_back(shop, shop.bob)
    bring_back(shop, shop.bob)
    with pytest.raises(RefusedError, match="put back by an undo to B by bob"):
        take_back(shop, shop.anna, first)


def test_a_redo_does_not_overwrite_what_came_after(shop):
    label(shop, shop.anna, 1, "A")
    take_back(shop, shop.anna)
    label(shop, shop.bob, 1, "B")
    with pytest.raises(RefusedError, match="labelled B by bob"):
        bring_back(shop, shop.anna)


def test_flags_go_back_and_leave_the_label(shop):
    label(shop, shop.anna, 1, "A")
    labelling.flag(shop.store, shop.anna, shop.seen(1, "f"), "odd", NOW)
    labelling.unflag(shop.store, shop.anna, shop.seen(1, "u"), "", NOW)
    take_back(shop, shop.anna)
    assert shop.product(1).is_flagged
    take_back(shop, shop.anna)
    assert not shop.product(1).is_flagged and shop.product(1).label == "A"


def test_a_skip_is_undone_without_a_new_version(shop):
    label(shop, shop.bob, 1, "A")
    labelling.skip(shop.store, shop.anna, shop.seen(1, "s"), "", NOW)
    label(shop, shop.bob, 1, "B")
    result = take_back(shop, shop.anna)
    assert result.restored == 1 and result.product.label == "B" and result.product.version == 2
    bring_back(shop, shop.anna)
    # the skip, its undo and the redo don't hide what bob decided
    take_back(shop, shop.bob)
    assert shop.product(1).label == "A"


def test_people_undo_their_own_acts_and_a_lead_all(shop):
    act_id = label(shop, shop.anna, 1, "A").act_id
    with pytest.raises(RefusedError, match="act 1 is anna's; only they or a lead"):
        take_back(shop, shop.bob, act_id)
    result = take_back(shop, shop.lead, act_id)
    assert shop.product(1).label is None
    with pytest.raises(RefusedError, match=f"act {result.act_id} is lea's"):
        take_back(shop, shop.anna, result.act_id)


def test_what_is_undone_is_not_undone_twice(shop):
    act_id = label(shop, shop.anna, 1, "A").act_id
    take_back(shop, shop.anna)
    with pytest.raises(RefusedError, match=r"act 1 was undone already by anna.*\(act 2\); redo"):
        take_back(shop, shop.anna, act_id)
    bring_back(shop, shop.anna, act_id)
    with pytest.raises(RefusedError, match="act 1 is in force: there is nothing to redo"):
        bring_back(shop, shop.anna, act_id)
    with pytest.raises(RefusedError, match="brought back since by anna"):
        take_back(shop, shop.anna, 2)
    with pytest.raises(NotFoundError, match="no act 99"):
        take_back(shop, shop.anna, 99)


def test_a_resent_undo_answers_the_same(shop):
    label(shop, shop.anna, 1, "A")
    label(shop, shop.anna, 2, "B")
    first = undo(shop.store, shop.anna, "u", NOW)
    label(shop, shop.bob, 2, "C")
    assert undo(shop.store, shop.anna, "u", NOW + 5) == first
    assert shop.product(1).label == "A"
    with pytest.raises(RefusedError, match="token 'u' was used for act 3"):
        undo(shop.store, shop.anna, "u", NOW, act_id=1)


def test_a_class_that_was_archived_before_is_given_back(shop):
    from mmcore.store.classes import find_class, update_class

    label(shop, shop.anna, 1, "A")
    label(shop, shop.anna, 1, "B")
    with shop.store.writing() as session:
        update_class(session, find_class(session, "A").id, {"is_archived": True})
    take_back(shop, shop.anna)
    assert shop.product(1).label == "A"


def test_a_class_that_was_merged_since_is_not_given_back(shop):
    from mmcore.store.classes import find_class, update_class

    label(shop, shop.anna, 1, "A")
    label(shop, shop.anna, 1, "B")
    with shop.store.writing() as session:
        into = find_class(session, "C").id
        values = {"is_archived": True, "merged_into_id": into}
        update_class(session, find_class(session, "A").id, values)
    with pytest.raises(RefusedError, match="was A before, a class that was merged into another"):
        take_back(shop, shop.anna)
