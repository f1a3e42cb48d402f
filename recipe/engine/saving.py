"""A fitted model with its preparation, and as a file: it reads raw data, here and in another process.

The file is what `keras.Model.save` writes, a zip of JSON and weights without pickles, and one JSON more. Keras alone
loads it, too: `keras.saving.load_model(path)` gives a model of raw input; for texts
`import recipe.engine.preparation_layers` comes before it.
"""

from __future__ import annotations

import json
import os
import threading
import zipfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recipe import __version__
from recipe.core.dataset import Samples
from recipe.core.input_checks import expect
from recipe.core.prepared import Preparation
from recipe.core.problem import Problem
from recipe.core.run import Run
from recipe.data.tables import read_samples

if TYPE_CHECKING:
    import keras

PREDICTED_AT_ONCE = 1_000  # raw samples that are prepared and cast to float32 together: 40 MB of 10,000 words each
PREDICTS = threading.Lock()  # while Keras predicts, JAX holds the weights: another thread would find them deleted
SUFFIX = ".keras"
MEMBER = "recipe.json"  # Keras passes over members of the zip that it does not know


@dataclass(frozen=True, kw_only=True, eq=False)
class FinalModel:
    """A model that was trained on training and validation data, with its preparation: it reads raw data.

    Attributes
    ----------
    run : the training; its ``val_`` curves are of training samples, since nothing is held out
    preparation : fitted on all that the model was trained on
    """

    run: Run
    preparation: Preparation = field(repr=False)

    @property
    def model(self) -> keras.Model:
        """The fitted Keras model; it reads prepared data."""
        return self.run.model

    @property
    def problem(self) -> Problem:
        """The problem, with the shape of a raw sample."""
        return self.preparation.problem

    def predict(self, x: Samples) -> np.ndarray:
        """Return the outputs for raw data, as `load` gives it.

        Parameters
        ----------
        x : images uint8 (n, height, width), tables float32 (n, features), or `Reviews`; of one's own data also a
            DataFrame with the columns by name, or a sequence of texts

        Returns
        -------
        np.ndarray of float32, shape (n, outputs): probabilities, or quantities in the problem's unit

        Raises
        ------
        ValueError
            If a sample has another shape than those that the model was trained on.
        """
        return predict(self.model, self.preparation, read_samples(x, self.problem, self.preparation.vocabulary))


def predict(model: keras.Model, preparation: Preparation, x: Samples) -> np.ndarray:
    """Return a model's outputs for raw data, (n, outputs), prepared a part at a time: memory stays small."""
    starts = range(0, len(x), PREDICTED_AT_ONCE)
    parts = (preparation.transform(x[start : start + PREDICTED_AT_ONCE]) for start in starts)
    with PREDICTS:
        return np.concatenate([np.asarray(model.predict_on_batch(preparation.to_network(part))) for part in parts])


def save_model(final: FinalModel, path: str | Path) -> Path:
    """Write a final model to a file, whole or not at all; a file of that name is replaced.

    It holds all that is known: the network, the preparation with the whole problem, and the run.

    Parameters
    ----------
    path : where to; the file's suffix is always ``.keras``, the one of Keras's format

    Returns
    -------
    Path of the file.

    Raises
    ------
    TypeError
        If that is no final model; a plain Keras model is saved by its own method.
    OSError
        If it cannot be written.
    """
    from recipe.engine.preparation_layers import attach_preparation

    fact = "A final model is saved with its preparation; a plain Keras model is saved by its own save(path)."
    expect(final, FinalModel, fact)
    path = Path(path).with_suffix(SUFFIX)
    facts = {"recipe": __version__, "run": final.run.to_dict(), "preparation": asdict(final.preparation)}
    temporary = path.with_name(f".{path.stem}-{os.getpid()}.tmp{SUFFIX}")
    try:
        attach_preparation(final.model, final.preparation).save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(MEMBER, json.dumps(facts))
        temporary.replace(path)
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
        If it is damaged, is none of `save_model`'s, or is of a version that this one does not read.
    """
    import keras

    import recipe.engine.preparation_layers  # noqa: F401  its layers are part of the file

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no such file. Received: {path}. Write one: recipe.save_model(final, path).")
    try:
        with zipfile.ZipFile(path) as archive:  # every byte is held against its CRC-32
            facts = json.loads(archive.read(MEMBER))
        run, preparation = Run.from_dict(facts["run"]), Preparation.from_dict(facts["preparation"])
        whole = keras.saving.load_model(path, safe_mode=True)
    except Exception as error:  # a damaged zip has many
        raise ValueError(
            f"This is no whole file of save_model, or one of other versions than recipe {__version__} on Keras "
            f"{keras.__version__}: {error}. Received: {path}. Save the model again, or take another copy of the file; "
            "a plain Keras model is loaded by keras.saving.load_model."
        ) from error
    # The trained network is the last layer of what was saved.
    return FinalModel(run=replace(run, fitted=lambda: whole.layers[-1]), preparation=preparation)
