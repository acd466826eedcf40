"""serve: the demo is prepared where there is none, never in a shop's own workspace."""

from cli_shop import rows, write_csv

from mmcore.catalog.rakuten_classes import RAKUTEN_CLASSES
from mmcore.catalog.rakuten_guidelines import GUIDELINES
from mmcore.cli import demo_command
from mmcore.cli.app import main
from mmcore.cli.options import open_workspace
from mmcore.services.classes import list_classes
from mmcore.services.demo_team import TEAM, has_team, plant_team
from mmcore.services.opening import opened_store
from mmcore.services.pace import work_by_person
from mmcore.services.people import local_actor
from mmcore.services.quality import agreement

NOW = 1_800_000_000.0


def test_a_shop_s_workspace_is_left_alone(home, tmp_path, monkeypatch):
    path = write_csv(tmp_path / "shop.csv", rows())
    assert main(["import", "csv", str(path), "--home", str(home)]) == 0

    def no_work(*_, **__):
        raise AssertionError("a demo was drawn into a real catalogue")

    monkeypatch.setattr("mmcore.services.demo.find_or_draw", no_work)
    workspace, settings = open_workspace(home)
    demo_command.prepare_demo(home, workspace, settings)


def test_the_drawn_team_labels_through_the_services_once(home, tmp_path):
    path = write_csv(tmp_path / "shop.csv", rows())
    assert main(["import", "csv", str(path), "--home", str(home)]) == 0
    workspace, settings = open_workspace(home)
    with opened_store(workspace, settings) as store:
        seen = []
        assert not has_team(store)
        plant_team(store, local_actor(store, NOW), NOW, lambda done, total: seen.append(done))
        assert has_team(store) and seen == sorted(seen)
        work = {person.annotator: person for person in work_by_person(store)}
        assert {m.name for m in TEAM if m.products} >= set(work) - {"import"}
        assert all(person.last_at <= NOW for person in work.values())
        assert agreement(store).agreed.n > 0, "nobody gave a second opinion"
        told = {c.code: c.guideline for c in list_classes(store)}
        assert {code: GUIDELINES.get(code, "") for code in told} == told


def test_every_class_has_a_guideline():
    assert set(GUIDELINES) == {c.code for c in RAKUTEN_CLASSES}


def test_a_port_out_of_range_is_refused(capsys):
    assert main(["serve", "--port", "70000"]) == 1
    assert "65535" in capsys.readouterr().err
