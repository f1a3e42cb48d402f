"""Mends what became of a notebook's cells on their way to the grader.

Graded cells may be deleted, copied, split, moved or of another kind, ids and metadata changed or lost, and the notebook
may come from another version of Jupyter.

What the student wrote runs in the student's own order. Only where an answer is judged, and what a cell is called, is
set right, by the version that was released.
"""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

_CHECKS = re.compile(r"""^\s*work\.check\(\s*["'](\w+)["']\s*\)""", re.MULTILINE)
HIDDEN = re.compile(r"^[^\n]*BEGIN HIDDEN TESTS.*?END HIDDEN TESTS[^\n]*$\n?", re.DOTALL | re.MULTILINE)
_NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
_OPENS = re.compile(r"""open_assignment\(\s*["']([^"']+)["']\s*(?:,\s*(?:student\s*=\s*)?["']([^"']*)["'])?""")


def read_notebook(path: Path | str) -> nbformat.NotebookNode:
    """Return a notebook of any version as one of the newest.

    Raises
    ------
    ValueError
        If it is no notebook, or there is none.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", errors="replace") as file:
            notebook = nbformat.reads(file.read(), as_version=4)
        return new_notebook(cells=[copy_cell(cell) for cell in notebook.cells], metadata=_keep_kernel(notebook))
    except Exception as error:  # nbformat raises what it meets
        raise ValueError(f"This is no notebook: {type(error).__name__}: {error}. Received: {str(path)!r}.") from error


def _keep_kernel(notebook: nbformat.NotebookNode) -> dict:
    return {name: notebook.metadata[name] for name in ("kernelspec",) if isinstance(notebook.metadata.get(name), dict)}


def copy_cell(cell: nbformat.NotebookNode, kind: str = "") -> nbformat.NotebookNode:
    """Return a cell made anew of a cell's kind, source, id and metadata, whatever else it held."""
    source = cell.get("source", "")
    source = "".join(source) if isinstance(source, list) else str(source)
    kind = kind or cell.get("cell_type", "")
    new = _NEW.get(kind, new_raw_cell)(source=source)
    new.metadata = deepcopy(cell["metadata"]) if isinstance(cell.get("metadata"), dict) else nbformat.NotebookNode()
    if isinstance(cell.get("id"), str) and re.fullmatch(r"[\w-]{1,64}", cell.id, re.ASCII):
        new.id = cell.id
    return new


def opened_as(notebook: nbformat.NotebookNode) -> tuple[str, str]:
    """Return of which assignment a notebook is, and for which student, as it says itself; "" where it does not."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and (found := _OPENS.search(cell.source)):
            return found[1], found[2] or ""
    return "", ""


def mark_checks(notebook: nbformat.NotebookNode, exercises: Iterable[str]) -> nbformat.NotebookNode:
    """Return a notebook in which the last check of each exercise is a graded cell, for want of a released version.

    A notebook without such a cell gets one at its end.
    """
    marked = deepcopy(notebook)
    for cell in marked.cells:
        if grade_id(cell) and cell.metadata.nbgrader.get("grade"):
            del cell.metadata["nbgrader"]
    last = {name: cell for cell in marked.cells if cell.cell_type == "code" for name in _CHECKS.findall(cell.source)}
    for name in exercises:
        if name not in last:
            last[name] = new_code_cell(f'work.check("{name}")')
            marked.cells.append(last[name])
        last[name].metadata["nbgrader"] = {"grade": True, "solution": False, "locked": True, "grade_id": name}
    return marked


def mend(
    notebook: nbformat.NotebookNode, released: nbformat.NotebookNode, asks: Mapping[str, Iterable[str]] | None = None
) -> tuple[nbformat.NotebookNode, list[str]]:
    """Return a notebook whose graded cells are those of the released version, and what was mended, in words.

    The student's cells stay in their order, the ones of the student's own too. A graded cell that checks an answer is
    always the released one; it stands where the student left it if that is below the answer, else below the answer.

    Parameters
    ----------
    asks : of each exercise the variables that answer it: by them an answer is known whose id is lost
    """
    return _Mending(notebook, released, asks or {}).done()


class _Mending:
    """Places cells by a key: their place in the student's notebook, and what goes before and after that."""

    def __init__(
        self, notebook: nbformat.NotebookNode, released: nbformat.NotebookNode, asks: Mapping[str, Iterable[str]]
    ) -> None:
        self.own = [copy_cell(cell) for cell in notebook.cells]
        self.released, self.asks = released, {name: set(names) for name, names in asks.items()}
        self.notes: list[str] = []
        self.placed: dict[int, nbformat.NotebookNode] = dict(enumerate(self.own))  # what is kept
        self.added: list[tuple[tuple, nbformat.NotebookNode]] = []
        self.assigned = {at: _assigned(cell.source) for at, cell in enumerate(self.own) if cell.cell_type == "code"}
        self.found = self._match()  # place in the released notebook -> places in the student's

    def done(self) -> tuple[nbformat.NotebookNode, list[str]]:
        for cell in self.own:
            cell.metadata.pop("nbgrader", None)
        for at, cell in enumerate(self.released.cells):
            about = cell.metadata.get("nbgrader", {})
            if about.get("solution"):
                self._place_answer(at, cell, is_written=bool(about.get("grade")))
        for at, cell in enumerate(self.released.cells):
            about = cell.metadata.get("nbgrader", {})
            if about.get("grade") and not about.get("solution"):
                self._place_check(at, cell)
            elif not about.get("solution") and cell.cell_type == "code" and not self.found[at]:
                self._put_back(at, cell)
        self._bring_start_to_the_top()
        keyed = [((at, 0, 0), cell) for at, cell in self.placed.items()] + self.added
        cells = [cell for _, cell in sorted(keyed, key=lambda pair: pair[0])]
        seen: set[str] = set()
        for cell in cells:
            if cell.id in seen:
                cell.id = new_code_cell().id
            seen.add(cell.id)
        return new_notebook(cells=cells, metadata=deepcopy(self.released.metadata)), self.notes

    # ---- which cell is which

    def _match(self) -> dict[int, list[int]]:
        """Find each released cell in the student's notebook: by its id, by nbgrader's id, by its text."""
        released = self.released.cells
        times = Counter(cell.id for cell in self.own)
        by_id = {cell.id: at for at, cell in enumerate(released) if times[cell.id] == 1}
        by_grade_id = {grade_id(cell): at for at, cell in enumerate(released) if grade_id(cell)}
        by_text = {(cell.cell_type, cell.source.strip()): at for at, cell in enumerate(released) if cell.source.strip()}
        found: dict[int, list[int]] = defaultdict(list)
        free = []
        for place, cell in enumerate(self.own):
            at = by_id.get(cell.id, by_grade_id.get(grade_id(cell), by_text.get((cell.cell_type, cell.source.strip()))))
            if at is None:
                free.append(place)
            else:
                found[at].append(place)
        self._match_checks(found, free)
        self._match_answers(found, free)
        return found

    def _match_checks(self, found: dict[int, list[int]], free: list[int]) -> None:
        for at, cell in enumerate(self.released.cells):
            if not found[at] and (names := _CHECKS.findall(cell.source)):
                found[at] = [place for place in free if set(_CHECKS.findall(self.own[place].source)) == set(names)]

    def _match_answers(self, found: dict[int, list[int]], free: list[int]) -> None:
        """Know an answer whose ids are lost by what it assigns, and a written one by the question above it."""
        taken: set[int] = set()
        for at, cell in enumerate(self.released.cells):
            about = cell.metadata.get("nbgrader", {})
            if found[at] or not about.get("solution"):
                continue
            if cell.cell_type == "code":
                names = self.asks.get(grade_id(cell).removesuffix("-answer")) or _assigned(cell.source)
                places = [place for place in free if self.assigned.get(place, set()) & names]
            else:
                above = max(found[at - 1], default=-2) + 1
                places = [above] if above in free and self.own[above].cell_type == "markdown" else []
            found[at] = [place for place in places if place not in taken]
            taken.update(found[at])

    # ---- where it goes

    def _place_answer(self, at: int, cell: nbformat.NotebookNode, is_written: bool) -> None:
        """Give the released cell's name to the answer; of copies, drop those that nobody wrote into."""
        name, places = grade_id(cell), self.found[at]
        written = [place for place in places if self.own[place].source.strip() not in ("", cell.source.strip())]
        for place in places:
            if written and place not in written:
                del self.placed[place]
        kept = written or places[-1:]
        for place in places:
            if not written and place not in kept:
                del self.placed[place]
        self.found[at] = kept
        if not kept:
            if self._is_assigned_elsewhere(cell):
                return
            self._put_back(at, cell)
            return
        texts = [self.own[place].source for place in kept]
        last = kept[-1]
        if len(places) > 1:
            self.notes.append(f"{name} was there {len(places)} times.")
        if self.own[last].cell_type != cell.cell_type:
            self.notes.append(f"{name} had become a cell of another kind.")
        # A text that was split is one answer; code that was split runs as it stands, cell by cell.
        source = "\n\n".join(dict.fromkeys(texts)) if is_written else texts[-1]
        for place in kept[:-1]:
            if is_written:
                del self.placed[place]
            elif self.own[place].cell_type != "code":
                self.placed[place] = copy_cell(self.own[place], "code")
        self.placed[last] = _named(cell, source)

    def _is_assigned_elsewhere(self, cell: nbformat.NotebookNode) -> bool:
        """Tell whether the student answers in a cell of another name: the released one would undo that."""
        names = self.asks.get(grade_id(cell).removesuffix("-answer"), set())
        return any(names & assigned for assigned in self.assigned.values())

    def _place_check(self, at: int, cell: nbformat.NotebookNode) -> None:
        name, places = grade_id(cell), self.found[at]
        answers = self._find_answers(name)
        below = [place for place in places if place >= max(answers, default=-1)] or [
            place for place in places if place >= min(answers, default=-1)
        ]
        for place in places:
            if self.own[place].source.strip() == cell.source.strip() or not self._is_code_of_its_own(place):
                self.placed.pop(place, None)
        if below:
            key = (below[0], 1, at)
        elif not answers and not places:
            key = (self._last_place_before(at), 2, at)
            self.notes.append(f"The check of {name} was missing: put back.")
        else:
            key = self._end_of_section(at, max(answers, default=-1))
            was = "above its answer" if places else "missing"
            self.notes.append(f"The check of {name} was {was}: put in its place.")
        if len(places) > 1:
            self.notes.append(f"The check of {name} was there {len(places)} times.")
        self.added.append((key, _named(cell, cell.source)))

    def _find_answers(self, name: str) -> list[int]:
        released = [at for at, cell in enumerate(self.released.cells) if grade_id(cell) == f"{name}-answer"]
        found = [place for at in released for place in self.found[at]]
        names = self.asks.get(name, set())
        return found or [place for place, assigned in self.assigned.items() if names & assigned]

    def _is_code_of_its_own(self, place: int) -> bool:
        """Tell whether a student wrote more than a check into the cell of a check: that is run, above the check."""
        rest = _CHECKS.sub("", HIDDEN.sub("", self.own[place].source))
        is_code = any(line.strip()[:1] not in ("", "#") for line in rest.splitlines())
        return is_code and self.own[place].cell_type == "code"

    def _end_of_section(self, at: int, answer: int) -> tuple:
        """Return the key below an answer and what the student has put under it, above what was released as the next."""
        later = [place for other, places in self.found.items() if other > at for place in places]
        start = answer if answer >= 0 else self._last_place_before(at)
        following = [place for place in later if place > start]
        return (min(following), -1, at) if following else (len(self.own), 0, at)

    def _last_place_before(self, at: int) -> int:
        for earlier in range(at - 1, -1, -1):
            if self.found.get(earlier):
                return max(self.found[earlier])
        return -1

    def _put_back(self, at: int, cell: nbformat.NotebookNode) -> None:
        self.notes.append(f"The cell {grade_id(cell) or cell.id!r} was missing: put back.")
        self.added.append(((self._last_place_before(at), 2, at), _named(cell, cell.source)))

    def _bring_start_to_the_top(self) -> None:
        """What was released above all answers, imports and the world, runs before them."""
        cells = enumerate(self.released.cells)
        answers = [at for at, cell in cells if cell.metadata.get("nbgrader", {}).get("solution")]
        first = min((place for at in answers for place in self.found[at]), default=0)
        for at, cell in enumerate(self.released.cells[: min(answers, default=0)]):
            for place in self.found[at]:
                if place > first and cell.cell_type == "code" and place in self.placed:
                    self.notes.append(f"The cell {cell.id!r} was below an answer: moved to the top.")
                    self.added.append(((-1, 3, at), self.placed.pop(place)))


def _named(released: nbformat.NotebookNode, source: str) -> nbformat.NotebookNode:
    """Return a cell with the released one's kind, id and metadata."""
    named = copy_cell(released)
    named.source = source
    return named


def _assigned(source: str) -> set[str]:
    """Return the names that code assigns or defines at its outermost level; of code that is none, none."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(re.findall(r"^(?:def\s+)?([A-Za-z_]\w*)\s*(?:\(.*\)\s*:|=(?!=))", source, re.MULTILINE))
    names: set[str] = set()
    for part in body:
        if isinstance(part, ast.FunctionDef | ast.ClassDef):
            names.add(part.name)
        else:
            stored = [node for node in ast.walk(part) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
            names |= {node.id for node in stored}
    return names


def grade_id(cell: nbformat.NotebookNode) -> str:
    """Return the id that nbgrader knows a cell by, "" where there is none."""
    about = cell.metadata.get("nbgrader")
    return str(about.get("grade_id") or "") if isinstance(about, dict) else ""
