"""Files that are written at the end of long work: whole or not at all, and whether they can be is found out early."""

from __future__ import annotations

import pytest

from recipe.data.safe_files import check_target, write_whole


def test_write_whole_replaces_an_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    check_target(path)
    assert path.read_text(encoding="utf-8") == "old"
    assert write_whole(path, "new").read_text(encoding="utf-8") == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_write_whole_keeps_the_old_file_when_writing_fails(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "half \ud800 a character")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_check_target_refuses_a_folder_and_what_cannot_be_written(tmp_path):
    with pytest.raises(IsADirectoryError, match="this is a folder"):
        check_target(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"There is no such folder: .*missing"):
        check_target(tmp_path / "missing" / "report.html")
    with pytest.raises((PermissionError, FileNotFoundError), match="Received:"):
        check_target("/proc/report.html")
