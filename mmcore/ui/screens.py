"""The list of screens: file, address, name, and who may see it. `app.py` and the guard read it.

A screen's address differs from the name of its file: Streamlit serves `pages/` under the names of
the files, too, without `app.py` as long as that hasn't run once in the process.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Screen:
    """One screen.

    Attributes:
        key: name of its file in `pages/`, without ".py".
        address: the path in the browser.
        role: the least role that may open it.
        group: where the navigation lists it; "" for screens that are only linked to.
    """

    key: str
    address: str
    title: str
    icon: str
    role: str
    group: str

    @property
    def file(self) -> str:
        return f"pages/{self.key}.py"


SCREENS = (
    Screen("label_page", "label", "Label", ":material/label:", "annotator", "Label"),
    Screen("bulk_page", "bulk", "Bulk", ":material/select_all:", "annotator", "Label"),
    Screen("review_page", "review", "Review", ":material/rate_review:", "annotator", "Label"),
    Screen("predict_page", "predict", "Predict", ":material/auto_awesome:", "viewer", "Predict"),
    Screen("batch_page", "batch", "Batch", ":material/inventory_2:", "viewer", "Predict"),
    Screen(
        "catalogue_page", "catalogue", "Catalogue", ":material/menu_book:", "viewer", "Catalogue"
    ),
    Screen("product_page", "product", "Product", ":material/description:", "viewer", ""),
    Screen("retrain_page", "retrain", "Retrain", ":material/rocket_launch:", "viewer", "Models"),
    Screen("models_page", "models", "Models", ":material/model_training:", "viewer", "Models"),
    Screen("team_page", "team", "Team", ":material/group:", "viewer", "Workspace"),
    Screen("settings_page", "settings", "Settings", ":material/settings:", "viewer", "Workspace"),
)
GROUPS = tuple(dict.fromkeys(screen.group for screen in SCREENS if screen.group))


def screen_named(key: str) -> Screen:
    """Return the screen with this key.

    Raises:
        KeyError: if there is none: a page names itself, so that is a defect.
    """
    return next(screen for screen in SCREENS if screen.key == key)
