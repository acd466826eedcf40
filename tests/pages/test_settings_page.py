"""Settings, as each role has them: what a lead may change, and how it is taken back."""

import pytest
from page_texts import texts

from mmcore.gate import GateLimits
from mmcore.services.classes import list_classes
from mmcore.services.comparison import read_limits, save_limits
from mmcore.services.queue_settings import queue_settings


def show(visit, part, person="lena"):
    app = visit("settings_page", person)
    app.segmented_control(key="s.part").set_value(part).run()
    assert not app.exception
    return app


def button(app, label):
    return next(found for found in app.button if found.label == label)


@pytest.mark.parametrize("person", ["vera", "anna"])
@pytest.mark.parametrize(("part", "label"), [("Queue", "Save"), ("Quality gate", "Save")])
def test_below_a_lead_nothing_can_be_saved(visit, person, part, label):
    app = show(visit, part, person)
    app.number_input[0].set_value(0.5).run()
    found = button(app, label)
    assert found.disabled and "needs the role lead" in found.help


def test_below_an_admin_nobody_backs_up(visit):
    assert button(show(visit, "Backup", "lena"), "Back up now").disabled


def test_an_admin_backs_up_and_sees_the_file(visit, app_shop):
    app = show(visit, "Backup", "adam")
    button(app, "Back up now").click().run()
    (made,) = (app_shop.home / "backups").glob("*.rayon")
    assert made.name in texts(app)


def test_choices_of_the_queue_are_saved_and_put_back(visit, app_shop):
    before = queue_settings(app_shop.store)
    app = show(visit, "Queue")
    app.number_input(key="s.mix.newest.0").set_value(0.4).run()
    button(app, "Save").click().run()
    assert queue_settings(app_shop.store).mix["newest"] == 0.4
    button(app, "Undo: back to the choices before").click().run()
    assert queue_settings(app_shop.store) == before
    assert app.number_input(key="s.mix.newest.1").value == 0.0
    assert "Undo: back to the choices before" not in [b.label for b in app.button]


def test_limits_of_the_gate_are_saved_and_put_back(visit, app_shop):
    before = read_limits(app_shop.store)
    app = show(visit, "Quality gate")
    app.number_input(key="s.gate.class_drop.0").set_value(0.3).run()
    button(app, "Save").click().run()
    assert read_limits(app_shop.store).class_drop == 0.3
    button(app, "Undo: back to the choices before").click().run()
    assert read_limits(app_shop.store) == before
    assert app.number_input(key="s.gate.class_drop.1").value == before.class_drop


def test_guidelines_are_undone_one_by_one(visit, app_shop):
    from mmcore.services.classes import set_guideline

    set_guideline(app_shop.store, app_shop.people["lena"], "40", "Jeux seuls.", "g", 1.0)
    app = show(visit, "Classes")
    button(app, "Undo").click().run()
    found = next(c for c in list_classes(app_shop.store) if c.code == "40")
    assert found.guideline == "Tout Jeux vidéo."


def test_an_undo_overwrites_nobody(visit, app_shop):
    app = show(visit, "Quality gate")
    app.number_input(key="s.gate.class_drop.0").set_value(0.3).run()
    button(app, "Save").click().run()
    save_limits(app_shop.store, app_shop.people["adam"], GateLimits(class_drop=0.2))
    button(app, "Undo: back to the choices before").click().run()
    assert read_limits(app_shop.store).class_drop == 0.2
    assert any("somebody changed these choices" in toast.value for toast in app.toast)
    assert app.number_input(key="s.gate.class_drop.1").value == 0.2
