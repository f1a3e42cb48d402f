"""A final model as one file: Keras's own format, the preparation inside, and what is known of its training.

The file is what `keras.Model.save` writes, a zip of JSON and weights without pickles, and one JSON more. Whoever has
Keras alone can load it, too: `import recipe.steps.s4_export`, then `keras.saving.load_model(path)` gives a model of raw input.
"""

from __future__ import annotations

import dataclasses
import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from recipe import __version__
from recipe.core.preparation import Preparation
from recipe.core.problem import Problem
from recipe.core.run import Run
from recipe.steps.s4_export import attach_preparation
from recipe.steps.s7_final import FinalModel

if TYPE_CHECKING:
    import keras

SUFFIX = ".keras"
MEMBER = "recipe.json"  # Keras passes over members of the zip that it does not know
FORMAT = 1
# Of the run, besides its spec and problem.


def save_model(final: FinalModel, path: str | Path) -> Path:
    """Write a final model to a file, whole or not at all; a file of that name is replaced.

    Parameters
    ----------
    path : where to, with the suffix ``.keras``

    Returns
    -------
    Path of the file.

    Raises
    ------
    ValueError
        If the path has another suffix.
    OSError
        If it cannot be written.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        raise ValueError(
            f"A model is saved in Keras's format, whose files end in {SUFFIX}. Received: {path}. Write "
            f"{path.with_suffix(SUFFIX).name}."
        )
    temporary = path.with_name(f".{path.stem}-{os.getpid()}.tmp{SUFFIX}")
    try:
        attach_preparation(final.model, final.preparation).save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(MEMBER, json.dumps(_describe(final)))
        temporary.replace(path)
    except OSError as error:
        text = f"The model cannot be written: {error.strerror or error}. Received: {path}. Take another folder."
        raise OSError(error.errno, text) from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def load_model(path: str | Path) -> FinalModel:
    """Read a final model that `save_model` wrote: it predicts on raw input what it predicted before.

    Nothing in the file is run: Keras's safe mode refuses code, and the rest is JSON.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is none of `save_model`'s, is damaged, or is from a newer version.
    """
    import keras

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no such file. Received: {path}. Write one: recipe.save_model(final, path).")
    facts = _read_facts(path)
    try:
        whole = keras.saving.load_model(path, safe_mode=True)
        return _restore(whole, facts)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise ValueError(_damaged(path, error)) from error


def _describe(final: FinalModel) -> dict[str, object]:
    """Return all but the Keras model, ready for JSON."""
    return {
        "format": FORMAT,
        "recipe": __version__,
        "problem": final.problem.to_dict(),
        "preparation": final.preparation.to_dict(),
        "samples": final.samples,
        "run": final.run.to_dict(),
    }


def _read_facts(path: Path) -> dict[str, object]:
    """Return the JSON of the file, once every byte has been held against its CRC-32."""
    try:
        with zipfile.ZipFile(path) as archive:
            wrong = archive.testzip()
            if wrong is not None:
                raise ValueError(_damaged(path, f"{wrong} is not what was written"))
            if MEMBER not in archive.namelist():
                raise ValueError(
                    f"The file has no {MEMBER}, so nothing is known of the preparation. Received: {path}. Give a file "
                    "that recipe.save_model wrote; a plain Keras model is loaded by keras.saving.load_model."
                )
            facts = json.loads(archive.read(MEMBER))
    except (zipfile.BadZipFile, json.JSONDecodeError, EOFError, NotImplementedError) as error:
        raise ValueError(_damaged(path, error)) from error
    if facts["format"] > FORMAT:
        raise ValueError(
            f"The file has format {facts['format']}, of recipe {facts['recipe']}; this is recipe {__version__}, which "
            f"reads up to {FORMAT}. Received: {path}. Update the package."
        )
    return facts


def _restore(whole: keras.Model, facts: dict[str, object]) -> FinalModel:
    """Put the final model together again; the trained network is the last layer of what was saved."""
    preparation = Preparation.from_dict(facts["preparation"])
    model = whole.layers[-1]
    run = dataclasses.replace(Run.from_dict(facts["run"]), model=model)
    problem = Problem.from_dict(facts["problem"])
    return FinalModel(problem=problem, model=model, preparation=preparation, run=run, samples=facts["samples"])


def _damaged(path: Path, why: object) -> str:
    return f"The file is damaged, or no model of this kit: {why}. Received: {path}. Save the model again."
