"""The queue shows what production says, whoever refreshes it for whichever model at the moment."""

import threading

import pytest
from queue_acts import add_model, make_shop

from mmcore.services import queue
from mmcore.store.tables import ModelVersion

OLD, NEW = 0.1, 0.9  # disagreement, as the older and the newer model see it
PATIENCE_S = 0.5


@pytest.fixture
def shop(store):
    """Return a shop of six products where model 1 is in production, and model 2 is to come."""
    shop = make_shop(store, 6)
    add_model(store, 2, {i: (NEW, 0.5, 0.5, 0.0, None) for i in range(1, 7)}, stage="candidate")
    add_model(store, 1, {i: (OLD, 0.5, 0.5, 0.0, None) for i in range(1, 7)})
    assert queue.refresh(store, 1) == 6
    return shop


def activate(store):
    """Put model 2 in production and its scores into the queue, as `registry.activate` does."""
    with store.writing() as session:
        session.get(ModelVersion, 1).stage = "archived"
        session.flush()
        session.get(ModelVersion, 2).stage = "production"
    queue.refresh(store, 2)


def disagreements(shop):
    return {shop.entry(i).disagreement for i in range(1, 7)}


def test_a_model_that_was_replaced_puts_no_scores_into_the_queue(shop):
    activate(shop.store)
    assert queue.refresh(shop.store, 1) is None
    assert disagreements(shop) == {NEW}


def test_an_activation_between_two_pieces_is_not_overwritten(shop, monkeypatch):
    monkeypatch.setattr(queue, "REFRESH_PIECE", 2)
    copy, pieces = queue.copy_scores, []

    def copy_scores(session, model, after, limit):
        pieces.append(model)
        return copy(session, model, after, limit)

    writing, is_done = shop.store.writing, []

    def writing_and_then():
        if pieces and not is_done:  # model 1's first piece is written
            is_done.append(True)
            activate(shop.store)
        return writing()

    monkeypatch.setattr(queue, "copy_scores", copy_scores)
    monkeypatch.setattr(shop.store, "writing", writing_and_then)
    assert queue.refresh(shop.store, 1) is None
    assert pieces[0] == 1 and is_done
    assert disagreements(shop) == {NEW}


def test_an_activation_waits_for_the_piece_that_is_being_written(shop, monkeypatch):
    """The question which model answers, and the writing for it, are one act."""
    copy, activations = queue.copy_scores, []

    def copy_slowly(session, model, after, limit):
        if not activations:
            activations.append(threading.Thread(target=activate, args=(shop.store,)))
            activations[0].start()
            activations[0].join(PATIENCE_S)  # as far as it gets while this piece is open
        return copy(session, model, after, limit)

    monkeypatch.setattr(queue, "copy_scores", copy_slowly)
    queue.refresh(shop.store, 1)
    activations[0].join(30)
    assert disagreements(shop) == {NEW}
