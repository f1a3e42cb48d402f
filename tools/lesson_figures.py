"""Measure the lessons: cells, words, the share of plain code, minutes. `python tools/lesson_figures.py` prints a table.

A code cell is plain if it uses neither the kit nor a name that was bound from it, so that one can take it away into a
project without the kit. What `recipe.load` and `recipe.from_...` return is plain: arrays that could be one's own.
Questions, exercises, solutions and hidden checks count in no column but their own, and one-line cells say nothing
about the share.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
ASSIGNMENTS = NOTEBOOKS.parent / "assignments" / "source"
FOR_GRADERS = re.compile(r"### BEGIN (SOLUTION|MARK SCHEME).*?### END \1", re.DOTALL)  # what no student reads
ASIDE = {"check", "question", "exercise", "solution"}  # tags of the cells that are not part of the lesson's own way
PLAIN_DOORS = re.compile(r"load|from_\w+")
WORDS_A_MINUTE, MINUTES_A_CODE_CELL, MINUTES_AN_EXERCISE = 200, 1, 3
MINUTES_A_GRADED_EXERCISE = 5  # no solution stands below it
HEADS = "| lesson | cells | code cells | words | questions | exercises | plain | minutes (estimate) |"


@dataclass(frozen=True, kw_only=True)
class LessonFigures:
    """What is counted in one lesson.

    Attributes
    ----------
    cells, code_cells : without questions, exercises, solutions and checks
    words : of the prose
    plain : share of the code cells of two lines or more that are plain, in [0, 1]
    minutes_an_exercise : that the estimate takes
    """

    cells: int
    code_cells: int
    words: int
    questions: int
    exercises: int
    plain: float
    minutes_an_exercise: int = MINUTES_AN_EXERCISE

    @property
    def minutes(self) -> int:
        """How long it takes, by a rule of thumb: an estimate, never measured on people."""
        reading = self.words / WORDS_A_MINUTE
        return round(reading + MINUTES_A_CODE_CELL * self.code_cells + self.minutes_an_exercise * self.exercises)


def measure_lesson(lesson: nbformat.NotebookNode) -> LessonFigures:
    """Count what is in a notebook, as `nbformat.read` returns it."""
    tags = [set(cell.metadata.get("tags", [])) for cell in lesson.cells]
    way = [cell for cell, marks in zip(lesson.cells, tags, strict=True) if not marks & ASIDE]
    code = [cell.source for cell in way if cell.cell_type == "code"]
    judged = [plain for source, plain in zip(code, find_plain(code), strict=True) if source.strip().count("\n")]
    prose = " ".join(cell.source for cell in lesson.cells if cell.cell_type == "markdown")
    prose = re.sub(r"!\[[^]]*\]\([^)]*\)|\]\([^)]*\)", " ", prose)  # pictures, and where links lead
    return LessonFigures(
        cells=len(way),
        code_cells=len(code),
        words=len(re.findall(r"\w[\w'’.,-]*", prose)),
        questions=sum("question" in marks for marks in tags),
        exercises=sum(
            "exercise" in marks and cell.cell_type == "code" for cell, marks in zip(lesson.cells, tags, strict=True)
        ),
        plain=sum(judged) / max(len(judged), 1),
    )


def measure_assignment(assignment: nbformat.NotebookNode) -> LessonFigures:
    """Count what a student meets in the source of an assignment: each cell to solve is an exercise."""
    exercises = 0
    for cell in assignment.cells:
        marks = cell.metadata.get("nbgrader", {})
        cell.metadata["tags"] = ["exercise"] if marks.get("solution") else ["check"] if marks.get("grade") else []
        cell.source = FOR_GRADERS.sub("", cell.source)
        exercises += bool(marks.get("solution"))
    figures = measure_lesson(assignment)
    return replace(figures, exercises=exercises, minutes_an_exercise=MINUTES_A_GRADED_EXERCISE)


def find_plain(cells: Iterable[str]) -> list[bool]:
    """Return of each cell, in the order that they run, whether it uses nothing of the kit.

    A name is of the kit if it is imported from it, or bound by a statement that uses it: by an assignment, a loop, a
    `with`, or a function whose body does. A plain assignment makes the name plain again.

    Examples
    --------
    >>> find_plain(["import recipe", "x = recipe.load('mnist').x_train", "run = recipe.train(spec, x)", "print(run)"])
    [True, True, False, False]
    """
    kit: set[str] = set()
    found = []
    for source in cells:
        uses = [_follow(statement, kit) for statement in ast.parse(source).body]
        found.append(not any(uses))
    return found


def _follow(statement: ast.stmt, kit: set[str]) -> bool:
    """Say whether a statement uses the kit, and bring the names of the kit up to date with what it binds."""
    if isinstance(statement, ast.Import):
        return False  # the name `recipe` alone does nothing yet
    if isinstance(statement, ast.ImportFrom):
        is_kit = (statement.module or "").split(".")[0] == "recipe"
        bound = {alias.asname or alias.name for alias in statement.names}
        bound = {name for name in bound if not PLAIN_DOORS.fullmatch(name)}
        kit.update(bound if is_kit else ())
        return bool(is_kit and bound)
    if isinstance(statement, ast.For | ast.While | ast.If | ast.With):
        uses = _uses_kit(*_head(statement), kit=kit)
        _bind([getattr(statement, "target", None), *getattr(statement, "items", [])], kit, uses=uses)
        # All of the body, for a name may be bound in one line of it and used in the next.
        return any([uses, *(_follow(inner, kit) for inner in [*statement.body, *getattr(statement, "orelse", [])])])
    uses = _uses_kit(statement, kit=kit)
    _bind([statement], kit, uses=uses)
    return uses


def _head(statement: ast.For | ast.While | ast.If | ast.With) -> list[ast.AST]:
    """Return what a compound statement reads before its body: what it loops over, its condition, its contexts."""
    read = [getattr(statement, "iter", None), getattr(statement, "test", None)]
    return [node for node in [*read, *(item.context_expr for item in getattr(statement, "items", []))] if node]


def _bind(trees: Iterable[ast.AST | None], kit: set[str], *, uses: bool) -> None:
    """Add the names that are bound here to those of the kit, or take them out; a comprehension's are its own."""
    for tree in filter(None, trees):
        if isinstance(tree, ast.FunctionDef | ast.ClassDef):
            bound = {tree.name}
        else:
            comprehensions = [node for node in ast.walk(tree) if isinstance(node, ast.comprehension)]
            own = {id(node) for made in comprehensions for node in ast.walk(made)}
            stored = [node for node in ast.walk(tree) if isinstance(getattr(node, "ctx", None), ast.Store)]
            bound = {_base(node) for node in stored if id(node) not in own} - {""}
            if not uses:  # `table[name] = 1` and `total += 1` leave in the object what it held
                kept = isinstance(tree, ast.AugAssign)
                bound = set() if kept else {node.id for node in stored if isinstance(node, ast.Name)}
        (kit.update if uses else kit.difference_update)(bound)


def _uses_kit(*trees: ast.AST, kit: set[str]) -> bool:
    """Say whether a name of the kit is read anywhere, or an attribute of `recipe` that is no plain door."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    doors = {id(node.value) for node in nodes if isinstance(node, ast.Attribute) and _is_door(node)}
    names = [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    return any(name.id in kit or (name.id == "recipe" and id(name) not in doors) for name in names)


def _is_door(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "recipe" and bool(PLAIN_DOORS.fullmatch(node.attr))


def _base(node: ast.AST) -> str:
    """Return the name that an assignment changes: `rows` of ``rows[name] = ...`` and of ``rows.first = ...``."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def main() -> None:
    """Print a line for each lesson, those that go further below, and one for each assignment."""
    print(HEADS)
    print("| --- |" + " ---: |" * (HEADS.count("|") - 2))
    lessons = [*sorted(NOTEBOOKS.glob("[0-9y]*.ipynb")), *sorted(NOTEBOOKS.glob("deeper/*.ipynb"))]
    figures = {str(path.relative_to(NOTEBOOKS).with_suffix("")): measure_lesson(_read(path)) for path in lessons}
    for path in sorted(ASSIGNMENTS.glob("*/*.ipynb")):
        figures[f"assignment {path.stem}"] = measure_assignment(_read(path))
    for name, one in figures.items():
        counts = [one.cells, one.code_cells, one.words, one.questions, one.exercises, f"{one.plain:.0%}", one.minutes]
        print(f"| {name} | " + " | ".join(map(str, counts)) + " |")


def _read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


if __name__ == "__main__":
    main()
