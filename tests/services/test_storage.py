"""What a workspace takes of its disk."""

from mmcore.services.storage import storage
from mmcore.workspace import Workspace


def test_each_folder_is_counted_and_told_of(tmp_path):
    workspace = Workspace(tmp_path / "home").create()
    (workspace.photos / "ab").mkdir()
    (workspace.photos / "ab" / "one").write_bytes(b"12345")
    workspace.database_file.write_bytes(b"x" * 10)
    found = storage(workspace)
    parts = {part.name: part for part in found.parts}
    assert (parts["photos"].num_files, parts["photos"].num_bytes) == (1, 5)
    assert parts["database"].num_bytes == 10
    assert found.num_bytes == 15 and found.free_bytes > 0
    assert "may be deleted" in parts["cache"].note
    assert "never delete" in parts["database"].note
