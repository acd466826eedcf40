"""What the Label screen is told of a product."""

from mmcore.ui.label_view import facts_of


def test_a_note_of_the_catalogue_is_not_shown():
    assert facts_of({"price": "3", "_true_label": "10", "true_label": "a shop's own"}) == [
        ["price", "3"],
        ["true_label", "a shop's own"],
    ]
