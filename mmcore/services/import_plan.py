"""What an import is going to change: the catalogue as it will be against the one that is there."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from mmcore.catalog.class_names import ClassName
from mmcore.catalog.products import BASE_COLUMNS, Catalogue, order_codes
from mmcore.services.import_labels import ImportState
from mmcore.store.import_writes import ClassChanges, ImportPlan, LabelChange
from mmcore.store.products import CatalogueFacts, StoredClass, StoredProduct
from mmcore.store.search import search_text

_TEXTS = ("title", "description")


def plan_import(state: ImportState, catalogue: Catalogue, now: float) -> ImportPlan:
    """Return everything that has to be written so that the store holds `catalogue`.

    Products that `catalogue` lacks leave it: their rows stay, with their annotations.
    """
    extra = catalogue.extra_columns
    new, changed, texts, labels = [], [], [], []
    for row in catalogue.products.itertuples(index=False, name=None):
        values = dict(zip(BASE_COLUMNS, row, strict=False))
        further = zip(extra, row[len(BASE_COLUMNS) :], strict=True)
        values["extra"] = {name: value for name, value in further if value}
        values["is_split_given"] = values["product_id"] in catalogue.given_splits
        stored = state.products.get(values["product_id"])
        if stored is None:
            found = {
                "search_text": _search_text(values),
                "random_rank": _random_rank(values["product_id"]),
            }
            new.append({**values, **found})
            continue
        if values["label"] != stored.label:
            change = LabelChange(stored.id, stored.product_id, stored.version, values["label"])
            labels.append(change)
        texts += _changed_texts(stored, values)
        changed += _changed_values(stored, values)
    here = set(catalogue.products["product_id"])
    removed = [
        stored.id
        for product_id, stored in state.products.items()
        if stored.removed_at is None and product_id not in here
    ]
    facts = _facts(state.facts, catalogue, now)
    classes = _class_changes(state.classes, catalogue.classes, put_away(state, catalogue.products))
    return ImportPlan(facts, classes, new, changed, texts, labels, removed)


def changes_something(plan: ImportPlan, state: ImportState) -> bool:
    """Return whether there is anything to write."""
    return bool(plan.num_changes or plan.classes or plan.facts != state.facts)


def next_revision(plan: ImportPlan) -> ImportPlan:
    """Return the plan with the number that tells other imports that the catalogue has changed."""
    return replace(plan, facts=replace(plan.facts, revision=plan.facts.revision + 1))


def classes_after(
    state: ImportState, given: Iterable[ClassName], used: set[str], is_replacing: bool
) -> list[ClassName]:
    """Return the classes that the catalogue offers after an import, by code in no order.

    A class stays without products where somebody named it or it never had any; one that was but
    a label of products goes with the last of them. A name that people see is never overwritten.

    Args:
        given: names that come with the file.
        used: codes of the labels that products are going to have.
    """
    names = {c.code: ClassName(c.code, c.name_fr, c.name_en) for c in state.classes.values()}
    given = {name.code: name for name in given}
    for code, name in given.items():
        if code not in names or _is_bare(names[code]):
            names[code] = name
    in_use = {p.label for p in state.products.values() if p.removed_at is None}
    kept = set()
    if not is_replacing:
        kept = {
            code
            for code, stored in state.classes.items()
            if not stored.is_archived and not (_is_bare(names[code]) and code in in_use - used)
        }
    merged = {code for code, stored in state.classes.items() if stored.merged_into_id}
    codes = used | kept | (given.keys() - merged - state.renamed.keys())
    return [names.get(code) or ClassName(code, code, code) for code in codes]


def _is_bare(name: ClassName) -> bool:
    return name == ClassName(name.code, name.code, name.code)


def _facts(before: CatalogueFacts | None, catalogue: Catalogue, now: float) -> CatalogueFacts:
    if before is None or (before.source == "drawn") != (catalogue.source == "drawn"):
        revision = before.revision if before else 0
        before = CatalogueFacts(catalogue.source, revision=revision, since=now)
    return replace(
        before,
        source=catalogue.source,
        extra=catalogue.extra_columns,
        num_without_title=int((catalogue.products["title"] == "").sum()),
        num_without_description=int((catalogue.products["description"] == "").sum()),
    )


def put_away(state: ImportState, products: pd.DataFrame) -> set[str]:
    """Return archived classes that stay so: their products had the label already."""
    archived = {code for code, stored in state.classes.items() if stored.is_archived}
    given = zip(products["product_id"], products["label"], strict=True)
    pairs = {(product_id, label) for product_id, label in given if label in archived}
    kept = {
        (p.product_id, p.label) for p in state.products.values() if p.removed_at is None
    } & pairs
    return {label for _, label in kept} - {label for _, label in pairs - kept}


def _class_changes(
    stored: Mapping[str, StoredClass], after: tuple[ClassName, ...], away: set[str]
) -> ClassChanges:
    codes = {name.code for name in after}
    new = [vars(name) for name in after if name.code not in stored]
    named = [
        {"id": stored[name.code].id, "name_fr": name.name_fr, "name_en": name.name_en}
        for name in after
        if name.code in stored
        and (name.name_fr, name.name_en) != (stored[name.code].name_fr, stored[name.code].name_en)
    ]
    revived = [stored[c].id for c in codes - away if c in stored and stored[c].is_archived]
    archived = [c.id for c in stored.values() if not c.is_archived and c.code not in codes]
    # places are kept while no class comes: a button that moves is a wrong label
    places = {}
    if new or revived:
        places = {code: i for i, code in enumerate(order_codes({*stored, *codes}))}
    return ClassChanges(new, named, sorted(revived), sorted(archived), places)


def _changed_texts(stored: StoredProduct, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    if all(values[name] == getattr(stored, name) for name in _TEXTS):
        return []
    texts = {name: values[name] for name in _TEXTS}
    return [{"id": stored.id, **texts, "search_text": _search_text(values)}]


def _changed_values(stored: StoredProduct, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = ("photo", "photo_hash", "group_id", "split", "is_split_given", "extra")
    is_same = all(values[name] == getattr(stored, name) for name in names)
    if is_same and stored.removed_at is None:
        return []
    return [{"id": stored.id, **{name: values[name] for name in names}, "removed_at": None}]


def _search_text(values: Mapping[str, Any]) -> str:
    return search_text((values["title"], values["description"], values["product_id"]))


def _random_rank(product_id: str) -> float:
    """Return a product's place in the random order, from 0 to 1; always the same."""
    digest = hashlib.sha256(b"rank:" + product_id.encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56
