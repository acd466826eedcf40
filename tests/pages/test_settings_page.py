"""Settings, as each role has them: what a lead may change, and how it is taken back."""

import time

import pytest
from page_texts import texts, told

from mmcore.errors import WorkspaceError
from mmcore.gate import GateLimits
from mmcore.services.classes import list_classes
from mmcore.services.comparison import read_limits, save_limits
from mmcore.services.finding import Finding
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


def back_up_from(app):
    """Press the button; return the page once the backup has ended."""
    button(app, "Back up now").click().run()
    deadline = time.monotonic() + 60
    while any(found.label == "Cancel" for found in app.button):
        assert time.monotonic() < deadline, "the backup has not ended within 60 s"
        time.sleep(0.05)
        app.run()
    assert not app.exception
    return app


@pytest.mark.parametrize("person", ["vera", "lena"])
def test_below_an_admin_nobody_backs_up(visit, app_shop, person):
    app_shop.workspace.backups.mkdir()
    (app_shop.workspace.backups / "old.rayon").write_bytes(b"secret")
    app = show(visit, "Backup", person)
    assert "old.rayon" in texts(app)
    assert button(app, "Back up now").disabled and button(app, "Check").disabled
    (download,) = app.get("download_button")
    assert download.proto.disabled and not download.proto.url
    assert "needs the role admin" in button(app, "Back up now").help


def test_an_admin_backs_up_sees_the_file_and_checks_it(visit, app_shop):
    app = back_up_from(show(visit, "Backup", "adam"))
    (made,) = app_shop.workspace.backups.iterdir()
    assert f"{made}: " in texts(app) and "read again and whole" in texts(app)
    button(app, "Check").click().run()
    assert "It is whole. It holds 24 products" in texts(app)
    made.write_bytes(made.read_bytes()[:-100])
    button(app, "Check").click().run()
    assert f"{made} is no Rayon backup" in texts(app)


def test_a_backup_names_what_was_left_out(visit, app_shop):
    app = show(visit, "Backup", "adam")
    app.toggle(key="s.backup.photos").set_value(False).run()
    app = back_up_from(app)
    button(app, "Check").click().run()
    assert "0 photos; left out: photos" in texts(app)


def test_a_folder_that_is_not_there_is_told(visit, app_shop):
    app = show(visit, "Backup", "adam")
    missing = str(app_shop.home / "nowhere")
    app.text_input(key="s.backup.folder").set_value(missing).run()
    assert f"folder {missing} doesn't exist" in texts(back_up_from(app))


def test_how_to_restore_is_shown_with_the_workspace(visit, app_shop):
    app = show(visit, "Backup", "vera")
    command = f"python -m mmcore restore FILE --home {app_shop.home.resolve()} --replace"
    assert command in [code.value for code in app.code]


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
    assert any("somebody changed these choices" in toast for toast in told(app))
    assert app.number_input(key="s.gate.class_drop.1").value == 0.2


def chosen(visit, code, person="lena"):
    app = visit("settings_page", person, **{"class": code})
    assert not app.exception
    return app


def order(app_shop):
    return [found.code for found in list_classes(app_shop.store)]


def test_a_class_stays_chosen_when_it_moves(visit, app_shop):
    app = chosen(visit, "10")
    button(app, "Down").click().run()
    button(app, "Down").click().run()  # met the class that had taken the row
    assert order(app_shop) == ["40", "1280", "10", "2583"]
    button(app, "Last").click().run()
    assert order(app_shop)[-1] == "10" and button(app, "Down").disabled


def french_name(app):
    """Return the field of the chosen class; the form for a new one has another of that label."""
    return next(found for found in app.text_input if found.key.startswith("s.class."))


def test_names_that_were_undone_are_shown_as_they_are(visit, app_shop):
    app = chosen(visit, "40")
    name = french_name(app)
    name.set_value("Jeux *vidéo*").run()
    button(app, "Save").click().run()
    assert "Jeux *vidéo*" in [found.name_fr for found in list_classes(app_shop.store)]
    button(app, "Undo it").click().run()
    name = french_name(app)
    assert name.value == "Jeux vidéo" and button(app, "Save").disabled
    button(app, "Bring it back").click().run()
    assert "Jeux *vidéo*" in [found.name_fr for found in list_classes(app_shop.store)]


def test_a_class_is_added_and_archived(visit, app_shop):
    app = show(visit, "Classes")
    app.text_input(key="s.add.code").set_value("77").run()
    app.text_input(key="s.add.fr").set_value("Thé").run()
    button(app, "Add").click().run()
    made = list_classes(app_shop.store)[-1]
    assert (made.code, made.name_fr, made.name_en) == ("77", "Thé", "Thé")
    assert app.text_input(key="s.add.code").value == ""  # ready for the next one
    app = chosen(visit, "77")
    button(app, "Archive").click().run()
    assert "77" not in order(app_shop)
    button(app, "Take it into use again").click().run()
    assert "77" in order(app_shop)


def test_a_merge_is_told_before_and_after_and_production_catches_up(visit, app_shop, monkeypatch):
    caught_up = []
    monkeypatch.setattr("mmcore.ui.acts.follow_up", lambda *given: caught_up.append(given))
    counts = {found.code: found.count for found in list_classes(app_shop.store)}
    app = chosen(visit, "40")
    next(box for box in app.selectbox if box.label == "Merge it into").set_value("10").run()
    assert f"{counts['40']} products (" in texts(app)
    assert "would get the label 10  Livres d'occasion" in texts(app)
    button(app, f"Merge {counts['40']} products into 10").click().run()
    assert order(app_shop) == ["10", "1280", "2583"] and len(caught_up) == 1
    assert list_classes(app_shop.store)[0].count == counts["10"] + counts["40"]
    button(app, "Undo it").click().run()
    assert {found.code: found.count for found in list_classes(app_shop.store)} == counts
    assert len(caught_up) == 2  # labels changed again


def test_a_merge_counts_even_if_no_worker_can_be_started(visit, app_shop, monkeypatch):
    def refuse(*given):
        raise WorkspaceError("no worker could be started: out of memory; the job waits")

    monkeypatch.setattr("mmcore.ui.acts.follow_up", refuse)
    app = chosen(visit, "40")
    next(box for box in app.selectbox if box.label == "Merge it into").set_value("10").run()
    next(found for found in app.button if found.label.startswith("Merge ")).click().run()
    assert any("no worker could be started" in text for text in told(app))
    assert any(text.startswith("Merged class 40") for text in told(app))
    assert any(found.label == "Undo it" for found in app.button)


@pytest.mark.parametrize("person", ["vera", "anna"])
def test_below_a_lead_no_class_is_changed(visit, person):
    app = chosen(visit, "40", person)
    next(box for box in app.selectbox if box.label == "Merge it into").set_value("10").run()
    labels = ["Save", "Add", "First", "Up", "Down", "Last", "Archive"]
    labels += [found.label for found in app.button if found.label.startswith("Merge ")]
    assert len(labels) == 8
    for label in labels:
        found = button(app, label)
        assert found.disabled and "needs the role lead" in found.help


def test_an_empty_mix_is_told_before_it_is_refused(visit):
    app = show(visit, "Queue")
    for found in app.number_input:
        if found.key.startswith("s.mix."):
            found.set_value(0.0)
    app.run()
    assert "The mix draws from nothing" in texts(app)


def test_limits_stand_beside_each_choice(visit):
    gate = {found.label: found.help for found in show(visit, "Quality gate").number_input}
    assert gate["F1 that one class may lose"].endswith("From 0.0 to 1.0.")
    queue = show(visit, "Queue")
    assert queue.number_input(key="s.queue.lease.0").help.endswith("From 1 to 240.")


def test_storage_is_told_and_counted_again(visit, app_shop):
    app = show(visit, "Storage", "vera")
    assert str(app_shop.home) in texts(app)

    def files(folder):
        (table,) = app.dataframe
        rows = table.value.set_index("folder")["files"]
        return rows[folder]

    before = files("photos")
    (app_shop.workspace.photos / "ab").mkdir()
    (app_shop.workspace.photos / "ab" / "one").write_bytes(b"1")
    button(app, "Count again").click().run()
    assert files("photos") == before + 1


def test_about_shows_what_doctor_found_and_keeps_it(visit, monkeypatch):
    found = [
        Finding("disk", "ok", "40 GB free"),
        Finding("model", "problem", "m1 is damaged", "restore it"),
    ]
    monkeypatch.setattr("mmcore.ui.settings.about.examine_apart", lambda settings: found)
    app = show(visit, "About", "vera")
    button(app, "Examine this machine and workspace").click().run()
    app.run()
    assert "1 problem, 0 notes" in texts(app)
    assert list(app.dataframe[1].value["what"]) == ["model", "disk"]  # what must be mended first
    assert "torch" in list(app.dataframe[2].value["package"])


def test_about_tells_why_doctor_did_not_answer(visit, monkeypatch):
    def refuse(settings):
        raise WorkspaceError("doctor could not examine this machine: it was killed")

    monkeypatch.setattr("mmcore.ui.settings.about.examine_apart", refuse)
    app = show(visit, "About", "vera")
    button(app, "Examine this machine and workspace").click().run()
    assert "it was killed" in app.error[0].value
