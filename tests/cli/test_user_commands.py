"""user list, add, role, deactivate, reactivate as a person types them."""

import json

import pytest

from mmcore.cli.app import main


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    """Return a function that runs a command and returns its exit code and output."""
    monkeypatch.delenv("MMCORE_DATABASE_URL", raising=False)

    def run(*arguments):
        capsys.readouterr()
        code = main(["--home", str(tmp_path / "home"), "user", *arguments])
        return code, capsys.readouterr()

    return run


def as_json(typed, *arguments):
    code, said = typed(*arguments, "--json")
    assert code == 0, said.err
    return json.loads(said.out)


def test_people_are_let_in_promoted_shut_out_and_let_in_again(typed):
    zoe = as_json(typed, "add", "zoé")
    assert (zoe["name"], zoe["role"], zoe["is_active"]) == ("zoé", "annotator", True)
    assert as_json(typed, "role", "zoé", "lead")["role"] == "lead"
    assert not as_json(typed, "deactivate", "zoé", "--yes")["is_active"]
    zoe = as_json(typed, "reactivate", "zoé")
    assert [e["act"] for e in zoe["history"]] == ["add", "role", "deactivate", "reactivate"]
    people = as_json(typed, "list")["people"]
    assert [(p["name"], p["role"]) for p in people] == [("local", "admin"), ("zoé", "lead")]


def test_the_table_tells_who_is_who(typed):
    typed("add", "zoe", "--role", "viewer")
    typed("deactivate", "zoe", "--yes")
    code, said = typed("list")
    assert code == 0 and "viewer, deactivated" in said.out and "deactivate by local" in said.out


def test_the_last_admin_and_unknown_roles_are_refused_in_one_line(typed):
    for arguments, message in (
        (("role", "local", "lead"), "local is the last active admin"),
        (("deactivate", "local", "--yes"), "local is the last active admin"),
        (("add", "max", "--role", "king"), "there is no role 'king'; use one of viewer"),
        (("deactivate", "max", "--yes"), "there is no annotator 'max'"),
    ):
        code, said = typed(*arguments)
        assert code == 1 and said.err.startswith(f"error: {message}") and not said.out
