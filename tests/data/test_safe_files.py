"""Files that are written at the end of long work: whole or not at all, and whether they can be is found out early."""

from __future__ import annotations

import pytest

from recipe.data.safe_files import check_targets, write_whole


def test_write_whole_replaces_an_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    check_targets(path, None)
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


@pytest.mark.parametrize(
    ("name", "message"), [("", "this is a folder"), ("missing/report.html", "No such file or dir")]
)
def test_check_targets_refuses_what_cannot_be_written(tmp_path, name, message):
    with pytest.raises(ValueError, match=rf"The file cannot be written: {message}.*Received: "):
        check_targets(tmp_path / name)
