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
    Screen("label_page", "label", "Label", "🏷️", "annotator", "Label"),
    Screen("bulk_page", "bulk", "Bulk", "🗂️", "annotator", "Label"),
    Screen("review_page", "review", "Review", "🔎", "annotator", "Label"),
    Screen("predict_page", "predict", "Predict", "✨", "viewer", "Predict"),
    Screen("batch_page", "batch", "Batch", "📦", "viewer", "Predict"),
    Screen("catalogue_page", "catalogue", "Catalogue", "📚", "viewer", "Catalogue"),
    Screen("product_page", "product", "Product", "📄", "viewer", ""),
    Screen("retrain_page", "retrain", "Retrain", "🚀", "viewer", "Models"),
    Screen("models_page", "models", "Models", "🧠", "viewer", "Models"),
    Screen("team_page", "team", "Team", "👥", "viewer", "Workspace"),
    Screen("settings_page", "settings", "Settings", "⚙️", "viewer", "Workspace"),
)
GROUPS = tuple(dict.fromkeys(screen.group for screen in SCREENS if screen.group))


def screen_named(key: str) -> Screen:
    """Return the screen with this key.

    Raises:
        KeyError: if there is none: a page names itself, so that is a defect.
    """
    return next(screen for screen in SCREENS if screen.key == key)
