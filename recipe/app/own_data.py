"""Data of one's own: a table, arrays or a folder become a `Dataset` that every step of the recipe takes.

Each of the three doors walks the first steps at once: it reads the data, finds out the type of problem from the
targets, seals a test set away before anything is learned, suggests a measure, and looks for what spoils projects:
identifiers, and copies of the target. What was taken, guessed and left out stands in the notes of the dataset:
``print(dataset)``. Nothing leaves the machine, and nothing that is read is run.
"""

from __future__ import annotations

import re
import textwrap
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split

from recipe.core.dataset import Dataset, SealedTest
from recipe.core.input_checks import NUMBERS, Note, check_inputs, expect_choice
from recipe.core.measures import MEASURES
from recipe.core.problem import Origin, Problem, ProblemType
from recipe.data.folders import learn_texts, read_folder, read_images
from recipe.data.tables import Inputs, encode_table, find_column, read_csv
from recipe.data.targets import TargetDescription, describe_target, suggest_measure
from recipe.debugging.data import find_target_copies

LEAST_ROWS = 30  # below, neither the training part nor the test set says anything
SUBJECTS = {"table": "the target", "image": "in an image", "text": "a text"}


def from_table(
    frame_or_csv: pd.DataFrame | str | Path,
    target: str | Sequence[str],
    *,
    problem: str | ProblemType | None = None,
    columns: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    measure: str | None = None,
    test_size: float = 0.2,
    seed: int = 0,
    name: str = "mine",
) -> Dataset:
    """Take a table of one's own: a pandas DataFrame, or the path of a CSV file.

    Numbers and booleans stay numbers; texts and pandas categories become categories, rare ones together (50 a column
    at most). Missing values may stay: `prepare` fills them from the training part and adds an indicator column. Rows
    without a target are dropped. Columns that tell nothing are left out, and what looks like an identifier or a copy
    of the target is named by a warning.

    Parameters
    ----------
    target : the column that is predicted; or several of them, labels of 0 and 1 or quantities
    problem : the type of problem: a `ProblemType`, its text, ``"classification"`` or ``"regression"``; None finds it
        out from the targets, and says why
    columns : what is predicted from; None: every other column
    classes : of text labels, their order (the last one is the yes of a binary problem); of other labels, a name for
        each, from the smallest on
    measure : a name in `MEASURES`; None takes the suggested one
    test_size : part of the rows that is sealed away as the test set, in (0, 1), with the share of each class kept
    seed : of that split
    name : of the problem, for titles and file names

    Returns
    -------
    Dataset. ``print(dataset)`` lists what was taken, and why.

    Raises
    ------
    ValueError, TypeError, OSError
        If the file is no CSV, a column is not there or cannot be an input, or the targets cannot be learned.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": [18, 60, 33, 41] * 20, "city": ["Rome", "Oslo"] * 40, "left": list("ynnyy") * 16})
    >>> data = from_table(frame, "left")
    >>> data.problem.type.value, data.problem.output_names, data.problem.categories
    ('binary classification', ('n', 'y'), ((), ('Oslo', 'Rome')))
    """
    origin, notes = Origin(form="frame", test_size=test_size, seed=seed), []
    if isinstance(frame_or_csv, str | Path):
        frame, reading, note = read_csv(frame_or_csv)
        origin, notes = replace(origin, form="csv", file=Path(frame_or_csv).name, reading=reading), [note]
    elif isinstance(frame_or_csv, pd.DataFrame):
        frame = frame_or_csv.set_axis([str(name) for name in frame_or_csv.columns], axis=1)
    else:
        raise TypeError(
            f"A table is a pandas DataFrame or the path of a CSV file. Received: a {type(frame_or_csv).__name__}. "
            "Arrays and lists go to from_arrays(x, y)."
        )
    if twice := sorted(set(frame.columns[frame.columns.duplicated()])):
        raise ValueError(f"Two columns have the same name. Received: {', '.join(twice[:5])}. Rename one of them.")
    targets = _list_names(target) or [""]
    columns = list(frame.columns) if columns is None else _list_names(columns)
    for what, names in {"target": targets, "columns": columns}.items():
        for one in names:
            find_column(frame, one, what)
    y = _read_targets(frame[targets], replace(origin, targets=tuple(targets)), problem, classes)
    inputs = encode_table(frame, [one for one in columns if one not in targets], y.train, y.test)
    del frame  # as large as the table
    return _seal(inputs, y, notes, measure=measure, name=name)


def from_arrays(
    x: np.ndarray | pd.DataFrame | Sequence[str],
    y: np.ndarray | Sequence[object],
    *,
    problem: str | ProblemType | None = None,
    columns: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    measure: str | None = None,
    test_size: float = 0.2,
    seed: int = 0,
    name: str = "mine",
) -> Dataset:
    """Take arrays of one's own: a table, images or texts, and their targets.

    Parameters
    ----------
    x : a table (n, columns), dense or sparse, or a DataFrame; images (n, height, width), in colour (n, height, width,
        3), whole numbers or floats; or a sequence of n texts
    y : (n,), (n, 1), or (n, outputs) for labels of 0 and 1 that do not exclude each other, or several quantities;
        labels as numbers from anywhere, booleans or texts
    columns : of a table, the names of its columns
    problem, classes, measure, test_size, seed, name : as for `from_table`

    Returns
    -------
    Dataset. Its kind of input follows from the shape and dtype of x, and the notes say which. Of texts the vocabulary
    is learned from the training part alone: its 10,000 most frequent words.

    Raises
    ------
    ValueError, TypeError
        If x is none of these, has another number of samples than y, or the targets cannot be learned.

    Examples
    --------
    >>> data = from_arrays(np.random.default_rng(0).random((80, 8, 8)), [1, 2] * 40)
    >>> data.problem.kind, data.problem.output_names, data.x_train.shape
    ('image', ('1', '2'), (64, 8, 8))
    """
    targets = pd.DataFrame(y if hasattr(y, "__len__") else [y])
    is_frame = isinstance(x, pd.DataFrame)
    if not is_frame:
        x, kind, note = _find_kind(x)
    if len(x) != len(targets):
        raise ValueError(
            f"Each sample has a target. Received: x of {len(x):,} samples, y of {len(targets):,}. Give as many of both."
        )
    if is_frame:  # a table whose target stands beside it
        names = ["target"] if targets.shape[1] == 1 else [f"target {one + 1}" for one in range(targets.shape[1])]
        frame = pd.concat([x.reset_index(drop=True), targets.set_axis(names, axis=1).reset_index(drop=True)], axis=1)
        wishes = {"problem": problem, "classes": classes, "measure": measure, "test_size": test_size, "seed": seed}
        return from_table(frame, names, columns=columns, name=name, **wishes)
    told = _read_targets(targets, Origin(form="arrays", test_size=test_size, seed=seed), problem, classes)
    return _seal(_take_samples(x, kind, told, columns), told, [note], measure=measure, name=name)


def from_folder(
    folder: str | Path,
    *,
    size: tuple[int, int] | None = None,
    problem: str | ProblemType | None = None,
    classes: Sequence[str] | None = None,
    measure: str | None = None,
    test_size: float = 0.2,
    seed: int = 0,
    name: str = "mine",
) -> Dataset:
    """Take a folder of one's own that has one folder a class, with images (PNG, JPEG, ...) or texts in it.

    A file that cannot be read, has too many pixels or is a link out of the folder is left out and named.

    Parameters
    ----------
    size : height and width that images are brought to; None: those of the first image, made smaller where its longer
        side has more than 64 pixels
    classes : the order of the folders' names; None: the alphabet
    problem, measure, test_size, seed, name : as for `from_table`

    Raises
    ------
    ValueError
        If there is no such folder, or it has fewer than two classes.
    """
    found, file = read_folder(folder, size), Path(folder).resolve().name
    origin = Origin(form="folder", file=file, reading=found.reading, test_size=test_size, seed=seed)
    y = _read_targets(pd.DataFrame(found.labels), origin, problem, classes)
    return _seal(_take_samples(found.samples, found.kind, y), y, found.notes, measure=measure, name=name)


class _Targets(NamedTuple):
    """What is predicted of one's own data, and of which rows."""

    described: TargetDescription
    train: np.ndarray  # numbers of the rows to learn from; a row without a target is in neither part
    test: np.ndarray  # and of those that are sealed away
    y_train: np.ndarray
    y_test: np.ndarray
    origin: Origin
    notes: list[Note]


def _list_names(names: object) -> list[str]:
    """Return names of columns, each once, of one name or several; pandas allows numbers, too."""
    several = names if isinstance(names, Iterable) and not isinstance(names, str) else [names]
    return list(dict.fromkeys(map(str, several)))


def _find_kind(x: object) -> tuple[np.ndarray, str, Note]:
    """Return samples as an array, texts as objects, their kind, and a note that says which was taken, and why."""
    x = x.toarray() if issparse(x) else np.asarray(x)
    kind, why = "", f"{x.ndim} dimensions"
    if x.ndim == 1 and x.dtype.kind in "OUT" and all(isinstance(one, str) for one in x):
        kind, why = "text", "a sequence of texts"
    elif x.dtype.kind in NUMBERS and x.ndim == 2 and x.shape[1]:
        kind, why = "table", "two dimensions, (rows, columns)"
    elif x.dtype.kind in NUMBERS and x.ndim in (3, 4):
        kind, why = "image", f"{x.ndim} dimensions, (images, height, width{', colours' * (x.ndim == 4)})"
    if not kind:
        raise ValueError(
            f"Samples are rows of numbers, images or texts. Received: x of shape {x.shape}, {x.dtype}. Reshape x to "
            "(n, columns) for a table, (n, height, width) for images; of texts drop what is none. A table with texts "
            "in it goes to from_table(frame, target)."
        )
    text = f"The input is taken to be {'a table' if kind == 'table' else kind + 's'}: x has {why}."
    return x.astype(object) if kind == "text" else x, kind, Note(text)


def _take_samples(x: np.ndarray, kind: str, y: _Targets, names: Sequence[str] | None = None) -> Inputs:
    """Return samples that are no frame as the kit keeps them; words are learned from the training rows alone."""
    x = x[np.concatenate([y.train, y.test])]
    if kind == "text":
        return learn_texts(x, len(y.train))
    if kind == "image":
        return read_images(x)
    names = tuple(map(str, names or (f"column {number}" for number in range(1, x.shape[1] + 1))))
    if not len(names) == len(set(names)) == x.shape[1]:
        found = f"{len(set(names))} different names for {x.shape[1]} columns"
        raise ValueError(f"Each column has a name of its own. Received: {found}. Name each once.")
    return Inputs(x=x.astype(np.float32, copy=False), of_problem={"input_shape": x.shape[1:], "feature_names": names})


def _read_targets(
    targets: pd.DataFrame, origin: Origin, problem: str | ProblemType | None, classes: Sequence[str] | None
) -> _Targets:
    """Say what the targets are, and draw the test set, with the share of each class that all rows have."""
    known = np.flatnonzero(targets.notna().all(axis=1))
    kept, lost = targets.iloc[known].infer_objects(), len(targets) - len(known)
    y = kept.to_numpy() if kept.shape[1] > 1 else kept.iloc[:, 0].to_numpy()
    if len(y) < LEAST_ROWS:
        raise ValueError(
            f"Too few samples to learn from and to be judged on. Received: {len(y)} with a target. "
            f"Collect {LEAST_ROWS} or more; a hundred of each class is a start."
        )
    described = describe_target(y, names=classes or (origin.targets if y.ndim == 2 else ()), problem=problem)
    names, labels = described.problem.output_names, described.targets if described.classes else None
    if labels is not None and len(rare := np.flatnonzero(np.bincount(labels, minlength=len(names)) < 2)):
        raise ValueError(
            f"A class with one sample can be learned or judged, not both. Received: {len(rare)} such, "
            f"{', '.join(names[number] for number in rare[:5])}. Drop these samples, or put rare classes together."
        )
    numbers = described.targets.astype(np.int32 if described.problem.type.is_classification else np.float32)
    options = {"test_size": origin.test_size, "random_state": origin.seed, "stratify": labels}
    train, test, y_train, y_test = train_test_split(known, numbers, **options)
    text = (
        f"Rows without a target are dropped, {lost:,} of {len(targets):,}: it cannot be guessed. In a CSV file an "
        "empty cell, NA, N/A, None, null and nan are read as missing, even where they name a class."
    )
    notes = [Note(text)] if lost else []
    return _Targets(described, train, test, y_train, y_test, replace(origin, classes=described.classes), notes)


def _seal(inputs: Inputs, y: _Targets, notes: list[Note], *, measure: str | None, name: str) -> Dataset:
    """Make the dataset: the problem with its measure, the test set sealed, what looks odd said."""
    described, y_train, origin = y.described, y.y_train, y.origin
    x_train, x_test = inputs.x[: len(y_train)], inputs.x[len(y_train) :]
    name = re.sub(r"[^\w.-]+", "_", name).strip("-.") or "mine"
    problem = replace(described.problem, name=name, origin=origin, **inputs.of_problem)
    kind = problem.type
    if not kind.is_classification:
        problem = _scale_targets(problem, y_train)
    notes = [*notes, *y.notes, *inputs.notes]
    if problem.kind == "table":
        check_inputs(inputs.x, problem)
        problem = replace(problem, gaps=tuple(np.flatnonzero(np.isnan(x_train).any(axis=0)).tolist()))
        notes += _look_at_columns(x_train, y_train, problem)
    suggestion = suggest_measure(problem, y_train)
    subject = " ".join(" and ".join(origin.targets).split()) or SUBJECTS[problem.kind]  # on one line
    problem = replace(problem, question=f"What is {subject}?", measure=measure or suggestion.measure)
    expect_choice("measure", problem.measure, MEASURES, "There is no such measure.")
    MEASURES[problem.measure].check_type(problem)
    found = (
        f"The problem is taken to be {kind}. {described.reason}",
        f"The measure is {MEASURES[problem.measure].title}. {'It was asked for.' if measure else suggestion.reason}",
        *(f"Mind: {caution}" for caution in (described.caution, suggestion.caution) if caution),
        f"{len(x_test):,} of {len(inputs.x):,} samples, drawn with seed {origin.seed}, are the sealed test set.",
    )
    for note in notes:
        if note.is_warning:
            warnings.warn(note.text, UserWarning, stacklevel=3)
    return Dataset(
        problem=problem,
        x_train=x_train,
        y_train=y_train,
        test=SealedTest(x_test, y.y_test),
        source="own",
        provenance="It stays on this machine.",
        reason="You gave it to the kit.",
        vocabulary=inputs.vocabulary,
        notes=(*notes, *map(Note, found)),
    )


def _scale_targets(problem: Problem, y: np.ndarray) -> Problem:
    """Divide each quantity by the power of ten nearest to its deviation: networks learn numbers of about 1."""
    spread = y.astype(np.float64).reshape(len(y), -1).std(axis=0)
    scale = tuple((10.0 ** np.round(np.log10(np.where(spread > 0, spread, 1.0)))).tolist())
    unit = ", and ".join(f"x {value:,.10g}" for value in scale) if set(scale) != {1.0} else ""
    names = problem.origin.targets if problem.outputs == 1 else ()
    return replace(problem, target_scale=scale, target_unit=unit, output_names=names or problem.output_names)


def _look_at_columns(x: np.ndarray, y: np.ndarray, problem: Problem) -> list[Note]:
    """Note which columns of the training part have gaps, and which of them give the target away."""
    gaps = ", ".join(problem.column_names[column] for column in problem.gaps)
    filled = (
        f"Values are missing in {textwrap.shorten(gaps, 200, placeholder=' ...')}. They are filled with the median of "
        "the training part, and an indicator column says where."
    )
    copied = (
        "alone tells the target almost without fail. Such a column is mostly the target under another name, or became "
        "known after it. If so, leave it out by columns=[...]."
    )
    copies = [problem.column_names[column] for column in find_target_copies(x, y, problem.type)]
    notes = [Note(filled)] if gaps else []
    return notes + [Note(f"{name} {copied}", is_warning=True) for name in copies]
