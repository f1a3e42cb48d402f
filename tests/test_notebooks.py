"""What can be told of the lessons without running them: their form, and that what is stored in them is whole.

nbval passes over a cell without stored outputs, so that a lesson that was never run would pass with it.
"""

from __future__ import annotations

import copy
import functools
import re
import runpy
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("0*.ipynb")))
WHOLE = "00_the_whole_recipe"  # the seven steps at once, on one problem, without a panel
DEEPER = tuple(sorted(f"deeper/{path.stem}" for path in FOLDER.glob("deeper/*.ipynb")))  # each beside a step
MEASURED = NAMES[1:]  # plain code first, 45 minutes, questions and exercises, and claims that are run again
GLOSSARY = "glossary"
PROJECT = "your_project"  # the seven steps on a table that comes with the kit, and then on one's own
ALL = (*NAMES, *DEEPER, PROJECT)
KERNEL = runpy.run_path(str(FOLDER.parent / "tools" / "kernel_metadata.py"))
FIGURES = runpy.run_path(str(FOLDER.parent / "tools" / "lesson_figures.py"))

CODE_LINES = 15
MARKDOWN_WORDS = 125  # most cells have 20 to 60; the header and the end hold lists
BYTES = 1_500_000
WIDGET = "application/vnd.jupyter.widget-view+json"
TAGS = {"check", "question", "exercise", "solution", "nbval-check-output", "nbval-skip", "nbval-raises-exception"}
PROBLEMS = {"digits": "mnist", "reviews": "imdb", "houses": "housing"}


@pytest.fixture(params=ALL)
def name(request):
    """The name of each lesson that is there."""
    return request.param


@functools.cache
def _read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


@pytest.fixture
def lesson(name):
    """The lesson as it is stored."""
    return _read(name)


steps = pytest.mark.parametrize("name", NAMES, indirect=True)
measured = pytest.mark.parametrize("name", MEASURED, indirect=True)


def _code(lesson):
    return [cell for cell in lesson.cells if cell.cell_type == "code"]


def _markdown(lesson):
    return [cell for cell in lesson.cells if cell.cell_type == "markdown"]


def _outputs(lesson):
    return [(cell.id, output) for cell in _code(lesson) for output in cell.outputs]


def _tagged(lesson, tag):
    return [cell for cell in _code(lesson) if tag in cell.metadata.get("tags", [])]


def _texts(output):
    """Every text of one output: what was printed, or each form of a shown value that is no image."""
    if output.output_type == "stream":
        return [output.text]
    return [str(data) for kind, data in output.get("data", {}).items() if not kind.startswith("image/png")]


def _bullets(cell):
    return re.findall(r"^- .*\*\*\w+", cell.source, re.MULTILINE)


def test_folder_holds_a_lesson_a_step_and_no_other_notebook():
    assert [name[:3] for name in NAMES] == [f"0{number}_" for number in range(9)]
    present = {path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("[!.]*.ipynb")}
    assert {name for name in present if "checkpoint" not in name} == {*ALL, GLOSSARY}


def test_lesson_is_a_valid_notebook_with_unique_readable_ids(lesson):
    nbformat.validate(lesson)
    ids = [cell.id for cell in lesson.cells]
    assert len(ids) == len(set(ids))
    assert [id for id in ids if not re.fullmatch(r"[a-z][a-z0-9-]+", id)] == []


def test_lesson_says_of_its_kernel_what_the_kernel_says_and_nothing_of_the_machine(lesson):
    told, says = copy.deepcopy(lesson.metadata), KERNEL["METADATA"]
    assert re.fullmatch(r"3\.\d+\.\d+", told["language_info"]["version"])
    told["language_info"]["version"] = says["language_info"]["version"]
    assert told == says, "run tools/kernel_metadata.py: JupyterLab would write it, and ask to save"


def test_lesson_is_small_enough_to_be_opened_at_once(name):
    assert (FOLDER / f"{name}.ipynb").stat().st_size <= BYTES


def test_lesson_was_run_from_top_to_bottom_in_a_fresh_kernel(lesson):
    counts = [cell.execution_count for cell in _code(lesson)]
    assert counts == list(range(1, len(counts) + 1))


def test_lesson_checks_what_it_says(lesson):
    tagged = [(cell, cell.metadata.get("tags", [])) for cell in _code(lesson)]
    assert any({"check", "nbval-check-output"} & set(tags) for _, tags in tagged), "no cell is checked"
    assert [cell.id for cell, tags in tagged if "nbval-check-output" in tags and not cell.outputs] == []
    assert [cell.id for cell, tags in tagged if "check" in tags and "assert" not in cell.source] == []


def test_lesson_uses_no_unknown_tags(lesson):
    assert {tag for cell in lesson.cells for tag in cell.metadata.get("tags", [])} <= TAGS


def test_lesson_stores_a_picture_beside_each_panel(name, lesson):
    asked = {cell.id for cell in _tagged(lesson, "question")}  # their text stands above their buttons
    outputs = [(id, output.get("data", {})) for id, output in _outputs(lesson)]
    shown = {id for id, data in outputs if WIDGET in data} - asked
    assert shown or name in (WHOLE, *DEEPER, PROJECT)
    assert shown <= {id for id, data in outputs if "image/png" in data}


def test_lesson_loads_nothing_from_another_host(lesson):
    texts = [(cell.id, cell.source) for cell in _markdown(lesson)]
    texts += [(id, text) for id, output in _outputs(lesson) for text in _texts(output)]
    pattern = r"""src\s*=\s*["']?(https?:)?//|!\[[^\]]*\]\(\s*https?:|<link[^>]+https?:|@import"""
    assert [id for id, text in texts if re.search(pattern, text)] == []


def test_lesson_stores_no_error_no_warning_no_progress_bar_and_no_address(lesson):
    wrong = [id for id, output in _outputs(lesson) if output.output_type == "error" or output.get("name") == "stderr"]
    pattern = r"\r|━|█|\[=+>|\b0x[0-9a-f]{6,}"
    wrong += [id for id, output in _outputs(lesson) for text in _texts(output) if re.search(pattern, text)]
    assert wrong == []


@pytest.mark.parametrize("name", [*NAMES, *DEEPER], indirect=True)
def test_lesson_stores_what_the_real_data_gave(lesson):
    texts = " ".join(text for _, output in _outputs(lesson) for text in _texts(output))
    assert re.search(r"source:? (local|download)\b", texts)
    assert not re.search(r"source:? sample\b", texts)


@steps
def test_lesson_treats_all_three_problems(name, lesson):
    problems = ["digits"] if name == WHOLE else PROBLEMS
    code = "\n".join(cell.source for cell in _code(lesson))
    assert [word for word in problems if not re.search(rf"[\"']{PROBLEMS[word]}", code)] == []


@steps
def test_lesson_begins_with_its_place_its_goals_and_its_minutes(name, lesson):
    number, header = int(name[:2]), lesson.cells[0]
    title = name[3:].replace("_", " ").capitalize()
    assert header.cell_type == "markdown"
    assert header.source.startswith(f"# {number}. {title}\n")
    place = {0: "All seven steps", 8: "After the seven steps"}.get(number, f"Step {number} of 7")
    assert re.search(rf"\*{place}\. About \d+ minutes\. Builds on ", header.source)
    assert len(_bullets(header)) >= 3


@pytest.mark.parametrize("name", [*NAMES, PROJECT], indirect=True)
def test_lesson_shows_its_place_on_the_map(lesson):
    header = lesson.cells[0]
    assert re.search(
        r"^!\[Map of the recipe(, \d marked)?: [^]]{40,}\]\(attachment:map\.png\)$", header.source, re.MULTILINE
    )
    assert header.attachments["map.png"]["image/png"].startswith("iVBOR")


@steps
def test_lesson_ends_with_what_was_promised_and_the_next_step(name, lesson):
    number, end = int(name[:2]), lesson.cells[-1]
    assert end.cell_type == "markdown"
    assert re.match(r"## What (we|you) did\n", end.source)
    assert len(_bullets(end)) == len(_bullets(lesson.cells[0]))
    if number + 1 < len(NAMES):
        assert f"]({NAMES[number + 1]}.ipynb)" in end.source


@steps
def test_lesson_has_predictions_readings_caveats_and_exercises(name, lesson):
    least = 1 if name == WHOLE else 3
    prose = "\n".join(cell.source for cell in _markdown(lesson))
    for words in ("Predict", "What we see", "What it means", "Caveat"):
        heading = rf"\*\*{words}\.?\*\*"
        asked = len(_tagged(lesson, "question")) if words == "Predict" else 0
        assert len(re.findall(heading, prose)) + asked >= least, f"fewer than {least} times: {heading}"
    assert re.search(r"^## (Try this|Exercises)$", prose, re.MULTILINE)


def test_lesson_links_only_to_lessons(name, lesson):
    linked = re.findall(r"\]\(([\w./-]+)\.ipynb", "\n".join(cell.source for cell in _markdown(lesson)))
    here = (FOLDER / name).parent
    assert {(here / link).resolve() for link in linked} <= {FOLDER / other for other in (*ALL, GLOSSARY)}


def test_lesson_shows_plain_keras(lesson):
    code = "\n".join(cell.source for cell in _code(lesson))
    assert re.search(r"\bkeras\.", code)


def test_lesson_names_the_backend_before_anything_imports_keras(lesson):
    assert 'os.environ.setdefault("KERAS_BACKEND", "jax")' in _code(lesson)[0].source
    assert not re.search(r"^(import|from) (keras|recipe)", _code(lesson)[0].source, re.MULTILINE)


def test_lesson_has_short_cells(lesson):
    lengths = {cell.id: len(cell.source.splitlines()) for cell in _code(lesson)}
    assert {id: lines for id, lines in lengths.items() if not 1 <= lines <= CODE_LINES} == {}
    lengths = {cell.id: len(re.sub(r"^!\[.*", "", cell.source, flags=re.M).split()) for cell in _markdown(lesson)}
    assert {id: words for id, words in lengths.items() if not 3 <= words <= MARKDOWN_WORDS} == {}


@pytest.mark.parametrize("name", NAMES[1:], indirect=True)
def test_lesson_has_a_panel_that_python_drives(lesson):
    sources = [cell.source for cell in _code(lesson)]
    shown = [number for number, source in enumerate(sources) if re.search(r"^panel$", source, re.MULTILINE)]
    assert shown, "no cell shows a panel"
    assert any("panel.run(" in source for source in sources[shown[0] + 1 :]), "no cell after it drives the panel"


@pytest.mark.parametrize("name", DEEPER, indirect=True)
def test_deeper_lesson_says_beside_which_step_it_stands_and_how_long_it_takes(lesson):
    header = lesson.cells[0].source
    assert re.match(r"# \w.*\n", header)
    said = re.search(r"^\*Beside \[step \d\]\(\.\./\w+\.ipynb\)\. About (\d+) minutes\.", header, re.MULTILINE)
    assert said, "no place, or no minutes"
    one = FIGURES["measure_lesson"](lesson)
    assert abs(int(said[1]) - one.minutes) <= 5
    assert one.plain >= 0.6
    assert re.match(r"## What we did\n", lesson.cells[-1].source)
    asked = _tagged(lesson, "question")
    assert len(asked) >= 2
    assert "score_predictions" in asked[-1].source
    assert [cell.id for cell in asked if not any(_texts(output) for output in cell.outputs)] == []
    assert [cell.id for cell in _markdown(lesson) if "**Predict" in cell.source] == []


@measured
def test_lesson_keeps_to_45_minutes_of_mostly_plain_code(lesson):
    one = FIGURES["measure_lesson"](lesson)
    assert 35 <= one.cells <= 45
    assert one.code_cells <= 25
    assert one.plain >= 0.6
    said = re.search(r"About (\d+) minutes", lesson.cells[0].source)
    assert abs(int(said[1]) - one.minutes) <= 5


@pytest.mark.parametrize("name", [PROJECT], indirect=True)
def test_project_is_45_minutes_of_mostly_plain_code_and_fills_in_a_sheet(lesson):
    one = FIGURES["measure_lesson"](lesson)
    assert 35 <= one.cells <= 45
    assert one.code_cells <= 25
    assert one.plain >= 0.6
    said = re.search(r"About (\d+) minutes on the file that comes with the kit", lesson.cells[0].source)
    assert abs(int(said[1]) - one.minutes) <= 5
    asked = (
        "question",
        "target",
        "measure",
        "why this measure",
        "protocol",
        "baseline",
        "rival",
        "best model",
        "test result",
    )
    (sheet,) = (cell.outputs[0]["data"]["text/html"] for cell in _code(lesson) if cell.id == "hand-in")
    assert [line for line in asked if f">{line}<" not in sheet] == []


@steps
def test_lesson_asks_questions_and_ends_with_exercises_that_have_solutions(lesson):
    asked = _tagged(lesson, "question")
    assert 5 <= len(asked) <= 8
    assert [cell.id for cell in asked if not any(_texts(output) for output in cell.outputs)] == []
    starters, solutions = _tagged(lesson, "exercise"), _tagged(lesson, "solution")
    assert 3 <= len(starters) == len(solutions) <= 5
    assert [cell.id for cell in solutions if not cell.metadata.get("jupyter", {}).get("source_hidden")] == []
    for starter, solution in zip(starters, solutions, strict=True):
        assert lesson.cells.index(solution) == lesson.cells.index(starter) + 1


@measured
def test_lesson_links_the_glossary_and_names_its_claims(lesson):
    assert "](glossary.ipynb)" in "".join(cell.source for cell in _markdown(lesson))
    assert sum(len(cell.metadata.get("claims", [])) for cell in _markdown(lesson)) >= 5


def test_glossary_has_a_plain_sentence_for_each_term():
    cells = _markdown(nbformat.read(FOLDER / f"{GLOSSARY}.ipynb", as_version=4))
    terms = re.findall(r"^\*\*(.+?)\*\*: (.+)$", "\n".join(cell.source for cell in cells), re.MULTILINE)
    assert len(terms) >= 55
    names = [term.lower() for term, _ in terms]
    assert names == sorted(set(names))
    assert [term for term, sentence in terms if not sentence.endswith(".") or len(sentence) > 260] == []
