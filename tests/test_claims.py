"""The claims of the lessons: each belongs to prose, and the prose's hold on two seeds that no notebook uses."""

from __future__ import annotations

import importlib
import multiprocessing
import runpy
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import nbformat
import pytest
from forks import for_long_trainings

from recipe.lessons.questions import Prediction

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))
from claims import all_claims  # noqa: E402

CLAIMS = all_claims()
SEEDS = (101, 102)


def _named():
    """Every claim that a cell of prose names, with the first two digits, or the whole name, of its lesson."""
    paths = [*(ROOT / "notebooks").glob("0*.ipynb"), *(ROOT / "notebooks").glob("deeper/*.ipynb")]
    lessons = {path: nbformat.read(path, as_version=4) for path in paths}
    return {
        (path.stem[:2] if path.stem[0] == "0" else path.stem, name)
        for path, lesson in lessons.items()
        for cell in lesson.cells
        for name in cell.metadata.get("claims", [])
    }


def test_claims_and_prose_name_each_other():
    assert _named() == {(claim.lesson, name) for name, claim in CLAIMS.items()}


def test_claims_are_whole_sentences():
    assert [claim.name for claim in CLAIMS.values() if not claim.sentence.endswith(".")] == []


def test_predictions_rest_on_claims():
    paths = [path for pattern in ("s*/questions.py", "deeper/*.py") for path in (ROOT / "recipe/lessons").glob(pattern)]
    lessons = [importlib.import_module(f"recipe.lessons.{path.parent.name}.{path.stem}") for path in paths]
    asked = {one.claim for lesson in lessons for one in vars(lesson).values() if isinstance(one, Prediction)}
    assert asked <= set(CLAIMS)


def test_write_page_keeps_the_tables_of_other_lessons(tmp_path):
    write_page = runpy.run_path(str(ROOT / "tools" / "measure_claims.py"))["write_page"]
    page = tmp_path / "claims.md"
    write_page({"06": ["| `a` |"], "07": ["| `b` |"]}, page)
    write_page({"06": ["| `c` |"]}, page)
    text = page.read_text(encoding="utf-8")
    assert "`b`" in text
    assert "`c`" in text
    assert "`a`" not in text


@pytest.fixture(scope="module")
def trainer():
    """A process that trains three times as fast as this one, and takes longer to compile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECIPE_JOURNAL", "off")
        patch.setenv("XLA_FLAGS", for_long_trainings())
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as one:
            one.submit(int).result()  # it has begun, and read what is set here
            yield one


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, claim in CLAIMS.items() if claim.sources != ("real",)])
def test_claim_holds_on_the_samples_in_one_of_two_seeds(name: str, trainer: Executor) -> None:
    # A claim that holds in nine of ten fails twice once in a hundred times.
    assert any(trainer.submit(CLAIMS[name].run, "sample", seed).result()[1] for seed in SEEDS)
