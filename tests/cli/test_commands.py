"""The command line on small real input: what it prints, how it ends, how it refuses."""

import json

import pytest
from cli_catalogue import catalogue_of
from cli_shop import IMPORT, refused, rows, write_csv

from mmcore.cli.app import main
from mmcore.errors import WorkspaceError

# -- import ------------------------------------------------------------------------------------


def test_import_reports_and_keeps_the_named_columns(tmp_path, home, capsys):
    path = write_csv(tmp_path / "shop.csv", rows())
    assert main(["import", "csv", str(path), *IMPORT, "--home", str(home), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["num_added"], report["num_left_out"]) == (36, 0)
    assert report["columns"]["label"] == "cat" and report["columns"]["extra"] == ["prix"]
    frame = catalogue_of(home).products
    assert frame["prix"].tolist()[0] == "10"
    assert frame["split"].value_counts().to_dict() == {"train": 18, "val": 9, "test": 9}


def test_home_may_stand_before_the_command(tmp_path, home, capsys):
    path = write_csv(tmp_path / "shop.csv", rows())
    assert main(["--home", str(home), "import", "csv", str(path), *IMPORT]) == 0
    assert len(catalogue_of(home).products) == 36


def test_remarks_are_written_as_a_table(tmp_path, home, capsys):
    bad = [*rows(), {**rows()[0], "titre": "=cmd()"}, {**rows()[0], "ref": ""}]
    path = write_csv(tmp_path / "shop.csv", bad)
    table = tmp_path / "issues.csv"
    arguments = ["import", "csv", str(path), *IMPORT, "--home", str(home), "--issues", str(table)]
    assert main(arguments) == 0
    written = table.read_text(encoding="utf-8-sig").splitlines()
    assert len(written) == 3 and "38" in written[1] and "39" in written[2]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", (), "empty|nothing"),
        (b"ref;titre\n1;a\n", ("--separator", ","), "separator"),
        (b"ref,titre\n1,a\n", ("--title", "name"), "no column 'name'"),
        (b"ref,titre\n", ("--id", "ref", "--title", "titre"), "no rows"),
        (b"x,y\n1,2\n", (), "product id"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path, home, capsys, content, options, message):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    import re

    assert re.search(message, refused(capsys, "import", "csv", path, *options, "--home", home))
    with pytest.raises(WorkspaceError, match="no catalogue yet"):
        catalogue_of(home)


def test_a_missing_file(home, capsys):
    assert "nowhere.csv" in refused(capsys, "import", "csv", "nowhere.csv", "--home", home)


def test_an_unknown_option_is_one_line(capsys):
    assert "No such option: --colour" in refused(capsys, "train", "--colour")
