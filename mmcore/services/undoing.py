"""Undo and redo of acts: one product or ten thousand, at any depth, never over somebody's head.

An undo puts back what its act changed, product by product. A product that was changed since by
another act (anybody's) keeps that later decision, and the answer says so; where nothing at all
could be put back, the undo is refused. Undoing an undo brings the decision back (redo).
"""

from dataclasses import asdict, dataclass, replace

from sqlalchemy import Row
from sqlalchemy.orm import Session

from mmcore.errors import RefusedError
from mmcore.services.inputs import checked_token
from mmcore.services.labelling import Marked, saved_mark
from mmcore.services.people import Actor, require
from mmcore.store import acts, queue, undoing
from mmcore.store.class_changes import ClassChange, apply_changes, changes_of
from mmcore.store.classes import class_of_id, count_products, lock_classes, lock_table, named
from mmcore.store.engine import Store
from mmcore.store.history import moment, told

SHOWN_KEPT = 20  # products that an undo names of those it left alone


@dataclass(frozen=True)
class Kept:
    """A product that an undo left alone, and why."""

    product_id: int
    shop_id: str
    label: str | None
    reason: str


@dataclass(frozen=True)
class Undone:
    """What an undo did.

    Attributes:
        act_id: of the undo; undo this one to have the decision back.
        undone_id: the act that was undone.
        verb: of the decision: label, skip, merge, ...
        is_redo: the undone act was itself an undo: the decision is in force again.
        restored: products that were put back.
        kept: products left alone because of a later decision; the first are in `kept_first`.
        product: the state of the one product, where there was one and it was put back.
    """

    act_id: int
    undone_id: int
    verb: str
    is_redo: bool
    restored: int
    kept: int
    kept_first: tuple[Kept, ...]
    product: Marked | None


def undo(store: Store, actor: Actor, token: str, now: float, act_id: int | None = None) -> Undone:
    """Undo an act: the actor's last labelling act in force, or a certain one.

    Class changes and imports are undone by number only: a key pressed once too often on the Label
    screen must not bring a merge back.

    Args:
        act_id: a decision, or an undo (which makes this a redo).

    Raises:
        RefusedError: if there is nothing to undo, it is undone already, it is somebody else's
            (a lead may) or all its products were changed since.
        NotFoundError: if there is no such act.
    """
    return _undo(store, actor, token, now, (act_id, False))


def redo(store: Store, actor: Actor, token: str, now: float, act_id: int | None = None) -> Undone:
    """Bring a decision back: what the actor undid last, or what a certain undo took away.

    Raises:
        RefusedError: as `undo`.
    """
    return _undo(store, actor, token, now, (act_id, True))


def _undo(
    store: Store, actor: Actor, token: str, now: float, wish: tuple[int | None, bool]
) -> Undone:
    require(actor, "annotator")
    new = acts.NewAct(
        "undo", "undo", actor.id, checked_token(token), {"act": wish[0], "redo": wish[1]}, now
    )
    with store.writing() as session:
        chain = _find_chain(session, actor, new, wish)
        if chain is None:
            return _saved(session, new.token)
        root, target = acts.find_act(session, chain[0]), acts.find_act(session, chain[-1])
        _check_right(actor, root, target)
        changes = [change.reversed() for change in changes_of(target.details)]
        details = {
            "of": root.details.get("verb", root.kind),
            "root": root.id,
            "is_redo": len(chain) % 2 == 0,
            "changes": [change.to_json() for change in changes],
        }
        undo_id = acts.begin_act(session, replace(new, undoes_id=target.id, details=details))
        _lock(session, target.id, [change.class_id for change in changes])
        apply_changes(session, changes)
        _restore_products(session, target, undo_id, actor, now)
        _check_merges(session, changes)
        acts.mark_chain(session, [*chain, undo_id])
        queue.settle(session, undo_id, now)
        return _saved(session, new.token)


def _find_chain(
    session: Session, actor: Actor, new: acts.NewAct, wish: tuple[int | None, bool]
) -> list[int] | None:
    """Return the locked act with its undos and redos, None where the token has acted already."""
    act_id, is_redo = wish
    while not _has_acted(session, new):
        if act_id is not None:
            root = acts.root_of(session, acts.find_act(session, act_id))
        else:
            root = _last(session, actor, is_redo)
        acts.lock_act(session, root.id)
        if _has_acted(session, new):
            return None
        chain = acts.undo_chain(session, root.id)
        if act_id is not None:
            _check_wish(session, chain, act_id, is_redo)
            return chain
        if (len(chain) % 2 == 0) == is_redo:
            return chain
        # somebody else undid it while we waited for the lock: the one before is the last now
    return None


def _has_acted(session: Session, new: acts.NewAct) -> bool:
    if acts.saved_act(session, new.token) is None:
        return False
    acts.begin_act(session, new)  # inserts nothing, refuses a token with other content
    return True


def _last(session: Session, actor: Actor, is_redo: bool) -> Row:
    find = undoing.last_undo if is_redo else undoing.last_to_undo
    found = find(session, actor.id)
    if found is None:
        what = "nothing of yours that was undone" if is_redo else "no label, skip or flag of yours"
        raise RefusedError(
            f"there is {what} left to {'redo' if is_redo else 'undo'}; class changes and imports "
            "are undone by their number, from the history"
        )
    return acts.root_of(session, acts.find_act(session, found))


def _check_wish(session: Session, chain: list[int], act_id: int, is_redo: bool) -> None:
    """Refuse to undo what is undone, and to redo what is in force."""
    last = acts.find_act(session, chain[-1])
    who = f"by {last.name} at {moment(last.created_at)} (act {last.id})"
    is_in_force = len(chain) % 2 == 1
    if is_redo and is_in_force:
        raise RefusedError(f"act {chain[0]} is in force: there is nothing to redo")
    if not is_redo and act_id == chain[0] and not is_in_force:
        raise RefusedError(f"act {act_id} was undone already {who}; redo it to have it back")
    if act_id not in (chain[0], chain[-1]):
        state = "brought back" if is_in_force else "undone again"
        raise RefusedError(f"act {chain[0]} was {state} since {who}; name that act instead")


def _check_right(actor: Actor, root: Row, target: Row) -> None:
    if root.kind in ("class", "import"):
        require(actor, "lead")
    if target.annotator_id != actor.id and actor.role not in ("lead", "admin"):
        raise RefusedError(
            f"act {target.id} is {target.name}'s; only they or a lead can undo it: ask one of them"
        )


def _lock(session: Session, target_id: int, class_ids: list[int]) -> None:
    if class_ids:
        lock_table(session)
    before = undoing.classes_before(session, target_id)
    lock_classes(session, [*class_ids, *before], is_shared=not class_ids)
    undoing.lock_products_of(session, target_id)


def _restore_products(
    session: Session, target: Row, undo_id: int, actor: Actor, now: float
) -> None:
    total = undoing.count_products_of(session, target.id)
    restored = undoing.restore(session, target, undo_id, actor.id, now)
    left = undoing.kept(session, target.id, undo_id, SHOWN_KEPT) if total > restored else ()
    kept = [Kept(row.id, row.shop_id, row.label, _reason(row)) for row in left]
    if total and not restored:
        more = f", and {total - 1:,} more like it" if total > 1 else ""
        raise RefusedError(
            f"act {target.id} can't be undone: product {kept[0].shop_id} {kept[0].reason}{more}. "
            "Nothing was changed; label again what is wrong"
        )
    result = {"restored": restored, "kept": total - restored}
    acts.add_details(session, undo_id, {**result, "kept_first": [asdict(k) for k in kept]})


def _reason(row: Row) -> str:
    if row.merged_into_id is not None:
        return f"was {row.label_before} before, a class that was merged into another since"
    return f"was {told(row if row.kind else None, row.label)} since"


def _check_merges(session: Session, changes: list[ClassChange]) -> None:
    """Refuse to bring a merge back over what happened to its classes since it was undone."""
    for change in changes:
        into_id = change.after.get("merged_into_id")
        if into_id is None:
            continue
        row, into = class_of_id(session, change.class_id), class_of_id(session, into_id)
        count = count_products(session, change.class_id)
        if count or into.is_archived:
            since = (
                f"{count:,} products were labelled {named(row)}"
                if count
                else f"class {named(into)} was archived or merged"
            )
            raise RefusedError(f"{since} since the merge was undone; merge the classes anew")


def _saved(session: Session, token: str) -> Undone:
    act = acts.saved_act(session, token)
    details = act.details
    is_single = details["restored"] == 1 and details["kept"] == 0
    return Undone(
        act_id=act.id,
        undone_id=act.undoes_id,
        verb=details["of"],
        is_redo=details["is_redo"],
        restored=details["restored"],
        kept=details["kept"],
        kept_first=tuple(Kept(**kept) for kept in details["kept_first"]),
        product=saved_mark(session, act.id) if is_single else None,
    )
