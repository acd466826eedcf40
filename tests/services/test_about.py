"""What runs here: licences as packages state them, no password, doctor in its own process."""

import subprocess
from email.message import Message
from types import SimpleNamespace

import pytest
from app_shop import settings_of
from sqlalchemy import make_url

from mmcore.errors import WorkspaceError
from mmcore.services import about as service
from mmcore.services.about import about, examine_apart, licence_of, packages_here
from mmcore.services.health_machine import requirements


def metadata(**headers):
    found = Message()
    for name, values in headers.items():
        for value in values if isinstance(values, list) else [values]:
            found[name.replace("_", "-")] = value
    return found


@pytest.mark.parametrize(
    ("data", "licence"),
    [
        (metadata(License_Expression="MIT", License="long text"), "MIT"),
        (
            metadata(
                License="Copyright (c)",
                Classifier=["Topic :: X", "License :: OSI Approved :: BSD License"],
            ),
            "BSD License",
        ),
        (metadata(License="\nApache 2.0"), "Apache 2.0"),
        (metadata(), "see its own page"),
    ],
)
def test_a_licence_is_what_the_package_states(data, licence):
    assert licence_of(data) == licence


def test_every_direct_dependency_is_listed(monkeypatch):
    found = packages_here()
    assert [package.name for package in found] == [name for name, *_ in requirements()]
    assert {"torch", "streamlit", "sqlalchemy"} <= {package.name for package in found}
    monkeypatch.setattr(service, "requirements", lambda: [("no-such-package", "1", "<", "2")])
    assert packages_here()[0].version == "not installed"


def test_a_password_is_never_shown(tmp_path):
    url = make_url("postgresql+psycopg://shop:secret@db.example/rayon")
    store = SimpleNamespace(is_sqlite=False, engine=SimpleNamespace(url=url))
    shown = about(store, settings_of(tmp_path)).database
    assert "secret" not in shown and "db.example/rayon" in shown


def answer(monkeypatch, stdout=b"", stderr=b"", code=0):
    def run(command, **options):
        assert command[1:5] == ["-m", "mmcore", "doctor", "--json"]
        return subprocess.CompletedProcess(command, code, stdout, stderr)

    monkeypatch.setattr(subprocess, "run", run)


def test_findings_are_read_though_doctor_ends_with_an_error(monkeypatch, tmp_path):
    row = b'{"what": "disk", "state": "problem", "found": "1 GB", "advice": "free some"}'
    answer(monkeypatch, b'{"ok": false, "findings": [' + row + b"]}", b"error: 1 to be mended", 1)
    (found,) = examine_apart(settings_of(tmp_path))
    assert (found.what, found.state, found.advice) == ("disk", "problem", "free some")


def test_a_doctor_that_says_nothing_is_told(monkeypatch, tmp_path):
    answer(monkeypatch, b"", b"Traceback\nImportError: no torch", 1)
    with pytest.raises(WorkspaceError, match="ImportError: no torch; run `python -m mmcore doctor"):
        examine_apart(settings_of(tmp_path))
    answer(monkeypatch, b"not json", b"", -9)
    with pytest.raises(WorkspaceError, match="it ended with -9"):
        examine_apart(settings_of(tmp_path))


def test_a_doctor_that_never_ends_is_ended(monkeypatch, tmp_path):
    def run(command, timeout, **options):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(WorkspaceError, match="timed out after 180 seconds"):
        examine_apart(settings_of(tmp_path))
