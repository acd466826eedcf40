"""Products as cards of a photo grid."""

from mmcore.services.browse import ProductRow
from mmcore.ui.desk import Desk
from mmcore.ui.photo_grid import Card, Line
from mmcore.ui.photos import list_photo
from mmcore.ui.words import percent


def product_card(desk: Desk, row: ProductRow) -> Card:
    """Return a product as a card: its label, and what the production model says."""
    lines = [Line(row.label.name_fr if row.label else "no label")]
    badge = ""
    if row.predicted:
        lines.append(Line(row.predicted.name_fr, "fused"))
        badge = percent(row.predicted.probability)
    if row.is_flagged:
        lines.append(Line("⚑ flagged"))
    return Card(
        row.product_id, row.title, list_photo(desk.workspace, row.photo), tuple(lines), badge
    )
