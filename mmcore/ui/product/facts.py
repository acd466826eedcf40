"""What a product is, what every model says of it, and what people did to it."""

from collections.abc import Sequence

import streamlit as st

from mmcore.services.browse import ModelSays, ProductDetail, list_products
from mmcore.services.history import HistoryLine
from mmcore.services.product_choice import ProductChoice, find_filter
from mmcore.ui.cards import product_card
from mmcore.ui.desk import Desk
from mmcore.ui.label_view import facts_of
from mmcore.ui.photo_grid import opened, photo_grid
from mmcore.ui.photos import card_photo
from mmcore.ui.words import moment, percent


def show_facts(desk: Desk, product: ProductDetail) -> None:
    """Draw photo, text and further columns."""
    left, right = st.columns([2, 5], gap="medium")
    with left:
        photo = card_photo(desk.workspace, product.photo)
        if photo:
            st.image(photo, width="stretch")
        else:
            st.info("No photo", icon=":material/no_photography:")
    with right:
        st.text(product.title or "no title")
        with st.container(height=170, border=True):
            st.text(product.description or "no description")
        facts = {"id": product.product_id, "split": product.split, "group": product.group_id}
        facts |= {"came in": moment(product.created_at), **dict(facts_of(product.extra))}
        st.dataframe(
            {"what": list(facts), "value": [str(value) for value in facts.values()]},
            hide_index=True,
            height=min(220, 40 + 36 * len(facts)),
        )


def show_predictions(says: Sequence[ModelSays], names: dict[str, str]) -> None:
    """Draw what each model version says, the newest first."""
    st.subheader("What the models say")
    if not says:
        st.caption("No model has looked at this product yet.")
        return
    st.dataframe(
        {
            "model": [s.model for s in says],
            "stage": [s.stage for s in says],
            "fused": [_answer(s.fused, s.fused_probability, names) for s in says],
            "text": [_answer(s.text, s.text_probability, names) for s in says],
            "image": [_answer(s.image, s.image_probability, names) for s in says],
            "disagreement": [s.disagreement for s in says],
            "margin": [s.margin for s in says],
        },
        hide_index=True,
        column_config={
            name: st.column_config.ProgressColumn(name, min_value=0, max_value=1, format="%.2f")
            for name in ("disagreement", "margin")
        },
    )


def _answer(code: str | None, probability: float | None, names: dict[str, str]) -> str:
    return f"{names.get(code, code)} {percent(probability)}" if code else "no answer"


def show_history(lines: Sequence[HistoryLine], names: dict[str, str]) -> None:
    """Draw everything that people did to the product, oldest first."""
    st.subheader("What people did")
    if not lines:
        st.caption("Nobody has decided anything about it yet; its label came with the catalogue.")
        return
    st.dataframe(
        {
            "when": [moment(line.created_at) for line in lines],
            "who": [line.annotator for line in lines],
            "act": [_act(line) for line in lines],
            "label before": [names.get(line.label_before, "") for line in lines],
            "label after": [names.get(line.label, "") for line in lines],
            "suggested": [_suggested(line, names) for line in lines],
            "seconds": [line.seconds for line in lines],
            "comment": [line.comment for line in lines],
        },
        hide_index=True,
    )


def _act(line: HistoryLine) -> str:
    bulk = " (bulk)" if line.act_kind == "bulk" else ""
    undone = ", undone since" if line.is_undone else ""
    return f"{line.verb}{bulk}{undone}"


def _suggested(line: HistoryLine, names: dict[str, str]) -> str:
    code = (line.suggestion or {}).get("class")
    if code is None:
        return ""
    hidden = ", hidden" if line.suggestion.get("hidden") else ""
    return f"{names.get(code, code)} {percent(line.suggestion['probability'])}{hidden}"


def show_copies(desk: Desk, product: ProductDetail) -> None:
    """Draw the near-copies of the product; none where there are none."""
    wanted = find_filter(desk.store, ProductChoice(group_id=product.group_id))
    rows = [r for r in list_products(desk.store, wanted).rows if r.id != product.id]
    if not rows:
        return
    st.subheader("Near-copies")
    photo_grid([product_card(desk, row) for row in rows], "o.copies", _opened)


def _opened() -> None:
    st.query_params["id"] = opened("o.copies")
