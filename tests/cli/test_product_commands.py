"""products on the command line: listed, shown, counted; labels of people kept."""

import json

import pytest
from cli_shop import IMPORT, refused
from sqlalchemy import select

from mmcore.cli.app import main
from mmcore.services.opening import opened_store
from mmcore.settings import read_settings
from mmcore.store.people import ensure_annotator
from mmcore.store.tables import Act, Annotation, Product, ProductClass
from mmcore.workspace import Workspace

# -- looking through -----------------------------------------------------------------------------


def test_products_are_listed_shown_and_counted(imported, capsys):
    def run(*arguments):
        assert main(["products", *arguments, "--home", str(imported)]) == 0
        return capsys.readouterr().out

    arguments = ("--class", "10", "--search", "MODELE rouge", "--no-photo", "--order", "newest")
    found = json.loads(run("list", *arguments, "--limit", "4", "--json"))
    assert found["count"] == {"num": 6, "is_more": False} and len(found["products"]) == 4
    assert {p["label"]["code"] for p in found["products"]} == {"10"}
    rest = json.loads(run("list", *arguments, "--after", found["next_page"], "--json"))
    assert len(rest["products"]) == 2 and rest["next_page"] is None
    assert "36 of 36 products" in run("list")
    shown = run("show", "livre-0")
    assert "livre modèle 0 rouge" in shown and "import: import, none -> 10" in shown
    assert json.loads(run("show", "livre-0", "--json"))["extra"] == {"prix": "20"}
    assert "36 products (18 train, 9 val, 9 test); 36 labelled" in run("count")
    assert json.loads(run("count", "--json"))["num_without_photo"] == 36


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("list", "--class", "11"), "no class '11'; there are: 10, 1280, 2583"),
        (("list", "--split", "dev"), "split 'dev': use one of train, val, test"),
        (("list", "--order", "best"), "order 'best': use one of catalogue"),
        (("list", "--annotator", "zoe"), "no annotator 'zoe'"),
        (("list", "--after", "2"), "page '2' is no page of a list"),
        (("show", "x"), "no product 'x'"),
    ],
)
def test_products_that_cannot_be_shown(imported, capsys, arguments, message):
    assert message in refused(capsys, "products", *arguments, "--home", imported)


def test_looking_makes_no_workspace(home, capsys):
    assert "no catalogue yet" in refused(capsys, "products", "list", "--home", home)
    assert not home.exists()


def test_a_persons_label_is_kept_unless_relabel_is_given(tmp_path, imported, capsys):
    settings = read_settings(imported)
    with opened_store(Workspace(imported), settings) as store, store.writing() as session:
        product = session.scalars(select(Product).where(Product.product_id == "livre-0")).one()
        other = session.scalars(select(ProductClass).where(ProductClass.code == "2583")).one()
        me = ensure_annotator(session, "anna", "annotator", 1.0)
        act = Act(kind="single", annotator_id=me.id, token="t", created_at=1.0)
        session.add(act)
        session.flush()
        session.add(
            Annotation(
                act_id=act.id,
                product_id=product.id,
                annotator_id=me.id,
                kind="label",
                class_id=other.id,
                class_before_id=product.class_id,
                version=2,
                created_at=1.0,
            )
        )
        product.class_id, product.version = other.id, 2
    again = ["import", "csv", str(tmp_path / "shop.csv"), *IMPORT, "--home", str(imported)]
    assert main(again) == 0
    assert "anna decided '2583' on 1970-01-01; kept; import with" in capsys.readouterr().out
    assert main([*again, "--relabel"]) == 0
    assert "1 updated" in capsys.readouterr().out
