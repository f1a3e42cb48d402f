"""The house: its rooms, and the one direction that imports go."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "recipe"
# Imports go to the left only: a room knows the rooms before it, and none behind it.
ROOMS = [
    "core",
    "data",
    "journal",
    "engine",
    "steps",
    "search",
    "debugging",
    "figures",
    "ui",
    "lessons",
    "teach",
    "app",
]
DRAWING = {"matplotlib": ("figures", "ui", "lessons", "teach", "app"), "ipywidgets": ("ui", "lessons", "teach")}
DATASETS = {"mnist", "imdb", "housing"}  # for data/ and the lessons alone to know
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem in ROOMS)


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def _imports(path: Path) -> list[tuple[str, ...]]:
    """Every module that a file imports, anywhere in it, as a tuple of its parts."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: a relative import; write it in full"
            found += [(*node.module.split("."), alias.name) for alias in node.names]
    return found


def test_package_has_the_rooms_of_the_house_and_no_more():
    entries = {path.stem for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert entries - {"__init__"} <= set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_room_imports_only_the_rooms_before_it(path):
    allowed = {*ROOMS[: ROOMS.index(_room(path)) + 1], "__version__"}
    imported = {name[1] for name in _imports(path) if name[0] == "recipe"}
    assert imported <= allowed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_room_leaves_figures_and_widgets_to_their_own_place(path):
    imported = {name[0] for name in _imports(path)}
    assert {tool for tool, rooms in DRAWING.items() if tool in imported and _room(path) not in rooms} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_room_knows_the_kind_of_a_problem_and_not_its_name(path):
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    names = {node.value for node in nodes if isinstance(node, ast.Constant)}
    assert _room(path) in ("data", "lessons") or not names & DATASETS
