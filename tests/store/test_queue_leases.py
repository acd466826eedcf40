"""Who has a product open: nobody gets it meanwhile, a page may be loaded again, nothing is lost."""

import threading
from collections import Counter

import pytest
from queue_acts import make_shop

from mmcore.errors import ConfigError, NotFoundError, RefusedError
from mmcore.services import queue
from mmcore.services.people import Actor
from mmcore.services.queue import QueueChoice, next_product, release, renew
from mmcore.services.queue_settings import QueueSettings, put_queue_settings, queue_settings
from mmcore.store.engine import Store

MINUTES = 10.0


@pytest.fixture
def shop(store):
    return make_shop(store, lease_minutes=MINUTES)


def test_two_people_never_get_the_same_product(shop):
    assert [shop.next(who).id for who in (shop.anna, shop.ben, shop.lead)] == [6, 5, 4]


def test_a_page_that_is_loaded_again_shows_the_same_product_with_the_same_token(shop):
    first, again = shop.next(shop.anna), shop.next(shop.anna)
    assert (again.id, again.token, again.version) == (first.id, first.token, first.version)


def test_one_more_is_asked_for_by_naming_what_is_on_the_screen(shop):
    first = shop.next(shop.anna)
    shop.now += 1
    second = shop.next(shop.anna, on_screen=(first.id,))
    assert second.id == 5 and second.token != first.token
    # the answer was lost on its way: the same one again, and none is left lying about
    assert shop.next(shop.anna, on_screen=(first.id,)).id == 5
    # the page was loaded again: it goes on with the one that was open first
    assert shop.next(shop.anna).id == 6


def test_more_on_the_screen_than_one_may_keep_is_refused(shop):
    with pytest.raises(RefusedError, match="5 products are open already, the limit is 4"):
        shop.next(shop.anna, on_screen=(1, 2, 3, 4, 5))


def test_a_label_ends_the_lease_and_the_next_showing_has_a_new_token(shop):
    first = shop.next(shop.anna)
    act = shop.label(shop.anna, first.id)
    shop.undo(shop.anna, act)
    again = shop.next(shop.anna)
    assert again.id == first.id and again.token != first.token


def test_an_expired_lease_is_taken_over_and_its_owner_learns_of_it(shop):
    first = shop.next(shop.anna)
    shop.now += MINUTES * 60 + 1
    taken = shop.next(shop.ben)
    assert taken.id == first.id and taken.token != first.token
    assert renew(shop.store, shop.anna, [first.id], shop.now) == ()
    assert shop.next(shop.anna).id == 5


def test_an_expired_lease_that_nobody_took_is_still_its_owners(shop):
    first = shop.next(shop.anna)
    shop.now += 10 * MINUTES * 60
    assert renew(shop.store, shop.anna, [first.id], shop.now) == (first.id,)
    assert shop.next(shop.ben).id == 5


def test_a_renewed_lease_lasts_longer(shop):
    first = shop.next(shop.anna)
    shop.now += MINUTES * 60 - 1
    assert renew(shop.store, shop.anna, [first.id, 3], shop.now) == (first.id,)
    shop.now += MINUTES * 60 - 1
    assert shop.next(shop.ben).id == 5


def test_released_products_go_to_the_next_who_asks(shop):
    first = shop.next(shop.anna)
    second = shop.next(shop.anna, on_screen=(first.id,))
    assert release(shop.store, shop.ben, [first.id]) == 0  # not his
    assert release(shop.store, shop.anna, [first.id]) == 1
    assert shop.next(shop.ben).id == first.id
    assert release(shop.store, shop.anna) == 1
    assert shop.next(shop.lead).id == second.id


def test_what_a_lead_decided_in_bulk_is_not_shown_again_to_whoever_has_it_open(shop):
    assert shop.next(shop.anna).id == 6
    shop.label(shop.lead, 6, 5, act_kind="bulk")
    assert shop.next(shop.anna).id == 4


def test_a_product_held_for_another_queue_is_not_given_in_this_one(store):
    shop = make_shop(store, 4, {3: 1, 4: 1})
    assert shop.next(shop.anna).id == 4
    assert shop.next(shop.anna, only="unlabelled").id == 2


def test_a_product_flagged_while_somebody_has_it_open_is_theirs_no_more(shop):
    assert shop.next(shop.anna).id == 6
    shop.act(shop.lead, [6], "flag")
    assert shop.next(shop.anna).id == 5


def test_what_is_no_choice_is_refused_with_the_choices(shop):
    for choice, message in (
        ({"order": "best"}, "no order 'best'; use mix, disagreement, margin"),
        ({"only": "some"}, "queue of 'some' is unknown; use undecided, unlabelled, flagged"),
        ({"only": "unlabelled", "class_code": "10"}, "no unlabelled product has the label 10"),
    ):
        with pytest.raises(RefusedError, match=message):
            next_product(shop.store, shop.anna, QueueChoice(**choice), shop.now)
    with pytest.raises(NotFoundError, match="no class '99'"):
        shop.next(shop.anna, class_code="99")
    with pytest.raises(RefusedError, match="is viewer, this needs annotator"):
        shop.next(Actor(1, "vera", "viewer"))


def test_only_a_lead_sets_the_queue_up_and_only_within_limits(shop):
    with pytest.raises(RefusedError, match="this needs lead"):
        put_queue_settings(shop.store, shop.anna, QueueSettings())
    for wrong, message in (
        ({"overlap_share": 1.5}, "overlap_share is 1.5; it is a share"),
        ({"hidden_share": -0.1}, "hidden_share is -0.1"),
        ({"lease_minutes": 0.1}, "lease_minutes is 0.1; use 1 to 240"),
        ({"mix": {"best": 1.0}}, "order 'best'; use disagreement"),
        ({"mix": {"random": 0.0}}, "one more than 0"),
        ({"mix": {"random": float("nan")}}, "give each order 0 or more"),
    ):
        with pytest.raises(ConfigError, match=message):
            shop.settings(**wrong)
    wanted = QueueSettings(0.2, 0.1, 5.0, {"newest": 1.0})
    put_queue_settings(shop.store, shop.lead, wanted)
    assert queue_settings(shop.store) == wanted


def test_people_at_the_same_moment_each_get_products_of_their_own(store):
    """As many products as people want: each is served once, and none is left over."""
    shop = make_shop(store, 24)
    people = [shop.anna, shop.ben, shop.lead, Actor(shop.anna.id + 10, "d", "annotator")]
    with store.writing() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO annotator (id, name, role, is_active, created_at) "
            f"VALUES ({people[3].id}, 'd', 'annotator', TRUE, 0)"
        )
    served, failures = Counter(), []

    def work(actor):
        mine = Store(store.url)
        try:
            for _ in range(6):
                item = next_product(mine, actor, QueueChoice("newest"), shop.now)
                served[item.id] += 1
                shop.label(actor, item.id)
        except Exception as error:  # told below: a thread's own traceback would be lost
            failures.append(error)
        finally:
            mine.close()

    threads = [threading.Thread(target=work, args=(actor,)) for actor in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert served == Counter(range(1, 25))
    assert shop.waiting() == []


def test_a_product_decided_between_the_lease_and_the_look_is_passed_over(shop, monkeypatch):
    def decided_meanwhile(connection, taken, *rest):
        monkeypatch.undo()
        shop.label(shop.lead, taken.product_id, act_kind="bulk")
        return item_of(connection, taken, *rest)

    item_of = queue.item_of
    monkeypatch.setattr(queue, "item_of", decided_meanwhile)
    assert shop.next(shop.anna).id == 5


def test_a_certain_product_can_be_taken_again_after_an_undo(shop):
    first = shop.next(shop.anna)
    act = shop.label(shop.anna, first.id)
    with pytest.raises(RefusedError, match=f"product number {first.id} doesn't wait"):
        queue.take(shop.store, shop.anna, first.id, shop.now)
    shop.undo(shop.anna, act)
    again = queue.take(shop.store, shop.anna, first.id, shop.now)
    assert again.id == first.id and again.version > first.version


def test_a_product_that_a_colleague_has_open_is_not_given_away(shop):
    first = shop.next(shop.anna)
    with pytest.raises(RefusedError, match=f"{first.id} is open at {shop.anna.name}"):
        queue.take(shop.store, shop.ben, first.id, shop.now)
    assert queue.take(shop.store, shop.anna, first.id, shop.now).token == first.token
