"""The house: its rooms, the one direction that imports go, and what only some rooms may know."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "recipe"
# Imports go to the left only: a room knows the rooms before it, and none behind it.
ROOMS = ["core", "data", "journal", "engine", "steps", "search", "debugging", "figures", "ui", "lessons"]
ROOMS += ["teach", "app"]
DRAWING = {"matplotlib": ("figures", "ui", "lessons", "teach", "app"), "ipywidgets": ("ui", "lessons", "teach")}
DATASETS = {"mnist", "imdb", "housing"}
# (room, file, its syntax tree) for every module that stands in a room.
MODULES = [
    (path.relative_to(PACKAGE).with_suffix("").parts[0], path.relative_to(PACKAGE), ast.parse(path.read_text("utf-8")))
    for path in sorted(PACKAGE.rglob("*.py"))
    if path != PACKAGE / "__init__.py"
]


def _imports(tree: ast.Module) -> list[tuple[str, ...]]:
    """Every module that a file imports, anywhere in it, as a tuple of its parts."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import; write it in full"
            found += [(*node.module.split("."), alias.name) for alias in node.names]
    return found


def test_package_has_the_rooms_of_the_house_and_no_more():
    entries = {path.stem for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert entries - {"__init__"} <= set(ROOMS)


def test_room_imports_only_the_rooms_before_it():
    for room, file, tree in MODULES:
        # Behind all the others, `app` may take what it wants from the front door, `import recipe`.
        allowed = {*ROOMS[: ROOMS.index(room) + 1], "__version__", *["recipe"] * (room == "app")}
        assert {(*name, "recipe")[1] for name in _imports(tree) if name[0] == "recipe"} <= allowed, file


def test_room_leaves_figures_and_widgets_to_their_own_place():
    for room, file, tree in MODULES:
        imported = {name[0] for name in _imports(tree)}
        assert {tool for tool, rooms in DRAWING.items() if tool in imported and room not in rooms} == set(), file


def test_only_data_lessons_and_courses_know_the_three_datasets_by_name():
    for room, file, tree in MODULES:
        words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert room in ("data", "lessons", "teach") or not words & DATASETS, file
