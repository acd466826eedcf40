"""Uploaded files are let go of, with the very manager that Streamlit keeps them in."""

from types import SimpleNamespace

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from mmcore.ui import uploads


def test_files_are_freed_and_those_of_others_stay(monkeypatch):
    manager = MemoryUploadedFileManager("/upload")
    for name in ("a", "b", "c"):
        manager.add_file("mine", UploadedFileRec(name, f"{name}.jpg", "image/jpeg", b"bytes"))
    manager.add_file("theirs", UploadedFileRec("a", "a.jpg", "image/jpeg", b"bytes"))
    context = SimpleNamespace(uploaded_file_mgr=manager, session_id="mine")
    monkeypatch.setattr(uploads, "get_script_run_ctx", lambda: context)
    files = [UploadedFile(rec, None) for rec in manager.get_files("mine", ["a", "b"])]
    uploads.let_go(files)
    assert [rec.file_id for rec in manager.get_files("mine", ["a", "b", "c"])] == ["c"]
    assert len(manager.get_files("theirs", ["a"])) == 1
    uploads.let_go(files)  # again does no harm


def test_outside_a_page_there_is_nothing_to_free(monkeypatch):
    monkeypatch.setattr(uploads, "get_script_run_ctx", lambda: None)
    uploads.let_go([SimpleNamespace(file_id="a")])
