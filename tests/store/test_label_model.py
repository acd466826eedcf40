"""Random work of several people against a plain model of what must hold.

The model: each act leaves one change a product, on top of the change that was in force. The label
of a product is that of its last change in force. An undo takes a change away where it is on top,
a redo puts it back where the one beneath it is on top again.
"""

import os
import shutil
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from shop import CODES, NOW, Shop, open_shop

from mmcore.errors import RefusedError
from mmcore.services import labelling
from mmcore.services.bulk import BulkRequest, Selection, bulk_flag, bulk_label
from mmcore.services.class_merge import merge_classes
from mmcore.services.history import history
from mmcore.services.people import Actor
from mmcore.services.undoing import redo, undo
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate

EXAMPLES = int(os.environ.get("RAYON_MODEL_EXAMPLES", "8"))
STEPS = 25
NUM_PRODUCTS = 5
PEOPLE = st.sampled_from(["anna", "bob", "lead"])
PRODUCTS = st.integers(1, NUM_PRODUCTS)
CLASSES = st.sampled_from(CODES)


@dataclass(eq=False)
class Change:
    """What an act made of one product: label and flag after, and the change beneath."""

    label: str | None
    is_flagged: bool
    beneath: "Change | None"
    label_before: str | None


@dataclass(eq=False)
class Decision:
    """An act of the model; `changes` is empty for a skip."""

    act_id: int
    person: str
    verb: str
    products: set[int]
    changes: dict[int, Change]
    is_undone: bool = False
    undo_ids: list[int] = field(default_factory=list)
    taken_back: set[int] = field(default_factory=set)  # not even brought back by a redo
    fitting: set[int] = field(default_factory=set)  # taken back by the undo in force
    merged: str = ""
    into: str = ""


class Labelling(RuleBasedStateMachine):
    template = None  # a database with its tables
    folder = None

    @initialize()
    def open(self):
        path = self.folder / "model.db"
        for old in self.folder.glob("model.db*"):
            old.unlink()
        shutil.copy(self.template, path)
        self.store = Store(sqlite_url(path))
        self.shop: Shop = open_shop(self.store, NUM_PRODUCTS)
        self.top: dict[int, Change | None] = dict.fromkeys(range(1, NUM_PRODUCTS + 1))
        self.versions = dict.fromkeys(self.top, 0)
        self.lines = dict.fromkeys(self.top, 0)
        self.decisions: list[Decision] = []
        self.merged: set[str] = set()
        self.count = 0

    def teardown(self):
        if hasattr(self, "store"):
            self.store.close()

    def who(self, name) -> Actor:
        return getattr(self.shop, name)

    def token(self):
        self.count += 1
        return f"t{self.count}"

    def now(self):
        return NOW + self.count

    def state(self, product_id):
        top = self.top[product_id]
        return (top.label, top.is_flagged) if top else (None, False)

    def push(self, person, verb, act_id, products, label=None, flag=None):
        """Put a change on top of each product."""
        changes = {}
        for product_id in products:
            before, was_flagged = self.state(product_id)
            after = (label or before, was_flagged if flag is None else flag)
            changes[product_id] = Change(*after, self.top[product_id], before)
            self.top[product_id] = changes[product_id]
            self.versions[product_id] += 1
            self.lines[product_id] += 1
        self.decisions.append(Decision(act_id, person, verb, set(products), changes))

    # -- what people do --

    @rule(name=PEOPLE, product_id=PRODUCTS, code=CLASSES)
    def label(self, name, product_id, code):
        seen = self.shop.seen(product_id, self.token())
        if code in self.merged:
            with pytest.raises(RefusedError, match="was merged into"):
                labelling.label(self.store, self.who(name), seen, code, self.now())
            return
        saved = labelling.label(self.store, self.who(name), seen, code, self.now())
        assert labelling.label(self.store, self.who(name), seen, code, self.now()) == saved
        self.push(name, "label", saved.act_id, [product_id], label=code)

    @rule(name=PEOPLE, product_id=PRODUCTS, flag=st.booleans())
    def flag(self, name, product_id, flag):
        act = labelling.flag if flag else labelling.unflag
        seen = self.shop.seen(product_id, self.token())
        saved = act(self.store, self.who(name), seen, "why", self.now())
        self.push(name, "flag" if flag else "unflag", saved.act_id, [product_id], flag=flag)

    @rule(name=PEOPLE, product_id=PRODUCTS)
    def skip(self, name, product_id):
        seen = self.shop.seen(product_id, self.token())
        saved = labelling.skip(self.store, self.who(name), seen, "unsure", self.now())
        self.lines[product_id] += 1
        self.decisions.append(Decision(saved.act_id, name, "skip", {product_id}, {}))

    @rule(name=PEOPLE, products=st.sets(PRODUCTS, min_size=1), code=CLASSES)
    def bulk(self, name, products, code):
        request = BulkRequest(Selection(tuple(products)), self.token())
        if code in self.merged:
            return
        result = bulk_label(self.store, self.who(name), request, code, self.now())
        assert result.count == len(products)
        self.push(name, "label", result.act_id, sorted(products), label=code)

    @rule(name=PEOPLE, products=st.sets(PRODUCTS, min_size=1))
    def bulk_flag(self, name, products):
        request = BulkRequest(Selection(tuple(products)), self.token())
        result = bulk_flag(self.store, self.who(name), request, "", self.now())
        self.push(name, "flag", result.act_id, sorted(products), flag=True)

    @rule(code=CLASSES, into=CLASSES)
    def merge(self, code, into):
        token = self.token()
        if code == into or {code, into} & self.merged:
            with pytest.raises(RefusedError):
                merge_classes(self.store, self.shop.lead, code, into, token, self.now())
            return
        affected = [p for p in self.top if self.state(p)[0] == code]
        result = merge_classes(self.store, self.shop.lead, code, into, token, self.now())
        assert result.count == len(affected)
        self.push("lead", "merge", result.act_id, affected, label=into)
        self.decisions[-1].merged, self.decisions[-1].into = code, into
        self.merged.add(code)

    # -- and take back --

    @rule(name=PEOPLE)
    def undo_last(self, name):
        own = [d for d in self.decisions if d.person == name and d.verb != "merge"]
        target = next((d for d in reversed(own) if not d.is_undone), None)
        self.take_back(name, target, None)

    @precondition(lambda self: self.decisions)
    @rule(data=st.data())
    def lead_undoes_any(self, data):
        target = data.draw(st.sampled_from(self.decisions))
        if not target.is_undone:
            self.take_back("lead", target, target.act_id)

    @precondition(lambda self: any(d.is_undone for d in self.decisions))
    @rule(data=st.data())
    def lead_redoes_any(self, data):
        target = data.draw(st.sampled_from([d for d in self.decisions if d.is_undone]))
        self.bring_back(target)

    def take_back(self, name, target, act_id):
        def call():
            return undo(self.store, self.who(name), self.token(), self.now(), act_id)

        if target is not None and target.undo_ids and name != "lead":
            return  # brought back by a lead: whose it is then is told in test_undoing
        if target is None:
            with pytest.raises(RefusedError, match="left to undo"):
                call()
            return
        merged = self.merged - {target.merged}
        # an act that was redone has the products that came back
        fitting = {
            p
            for p, change in target.changes.items()
            if p not in target.taken_back
            and self.top[p] is change
            and change.label_before not in merged
        }
        touched = set(target.changes) - target.taken_back
        if touched and not fitting:
            with pytest.raises(RefusedError, match="can't be undone"):
                call()
            return
        result = call()
        skipped = 1 if target.verb == "skip" else 0
        assert (result.restored, result.kept) == (len(fitting) + skipped, len(touched - fitting))
        for product_id in fitting:
            self.top[product_id] = target.changes[product_id].beneath
            self.versions[product_id] += 1
            self.lines[product_id] += 1
        for product_id in target.products if skipped else ():
            self.lines[product_id] += 1
        target.is_undone, target.fitting = True, fitting
        target.undo_ids.append(result.act_id)
        self.merged.discard(target.merged)

    def bring_back(self, target):
        def call():
            return redo(self.store, self.shop.lead, self.token(), self.now(), target.act_id)

        merged = self.merged - {target.merged}
        fitting = {
            p
            for p in target.fitting
            if self.top[p] is target.changes[p].beneath and target.changes[p].label not in merged
        }
        if target.verb == "merge":
            left = [p for p in self.top if self.state(p)[0] == target.merged and p not in fitting]
            if left or {target.merged, target.into} & self.merged:
                with pytest.raises(RefusedError):
                    call()
                return
        if target.fitting and not fitting:
            with pytest.raises(RefusedError, match="can't be undone"):
                call()
            return
        result = call()
        skipped = 1 if target.verb == "skip" else 0
        assert result.is_redo and result.restored == len(fitting) + skipped
        for product_id in fitting:
            self.top[product_id] = target.changes[product_id]
            self.versions[product_id] += 1
            self.lines[product_id] += 1
        for product_id in target.products if skipped else ():
            self.lines[product_id] += 1
        target.is_undone = False
        target.undo_ids.append(result.act_id)
        # a redo has only these products: the next undo is about them
        target.taken_back = set(target.changes) - fitting
        if target.merged:
            self.merged.add(target.merged)

    # -- what must hold --

    @invariant()
    def the_store_says_what_the_model_says(self):
        if not hasattr(self, "shop"):
            return
        for product_id in self.top:
            found = self.shop.product(product_id)
            assert (found.label, found.is_flagged) == self.state(product_id)
            assert found.version == self.versions[product_id]

    @invariant()
    def the_history_tells_every_step(self):
        if not hasattr(self, "shop"):
            return
        for product_id in self.top:
            lines = history(self.store, product_id)
            assert len(lines) == self.lines[product_id]
            label, is_flagged, version = None, False, 0
            for line in lines:
                assert (line.label_before, line.was_flagged) == (label, is_flagged)
                label, is_flagged = line.label, line.is_flagged
                assert version <= line.version <= version + 1
                version = line.version
            assert (label, is_flagged) == self.state(product_id)
            assert version == self.versions[product_id]


def test_random_work_keeps_every_promise(tmp_path):
    template = tmp_path / "template.db"
    store = Store(sqlite_url(template))
    migrate(store)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    Labelling.template, Labelling.folder = template, tmp_path
    run_state_machine_as_test(
        Labelling,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
