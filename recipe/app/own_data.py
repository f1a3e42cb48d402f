"""Data of one's own: a table, arrays or a folder become a `Dataset` that every step of the recipe takes.

Each of the three doors walks the first steps at once: it reads the data, finds out the type of problem from the
targets, seals a test set away before anything is learned, suggests a measure, and looks for what spoils projects:
identifiers, and copies of the target. What was taken, guessed and left out stands in the notes of the dataset:
``print(dataset)``. Nothing leaves the machine, and nothing that is read is run.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.dataset import Dataset, Samples, SealedTest
from recipe.core.input_checks import Note
from recipe.core.measures import MEASURES
from recipe.core.problem import KINDS, Origin, Problem, ProblemType
from recipe.data.folders import learn_vocabulary, read_folder, read_images
from recipe.data.tables import encode_table, find_column, read_csv
from recipe.data.texts import read_texts
from recipe.debugging.leaks import find_target_copies
from recipe.steps.s1_problem import MAX_CLASSES, describe_target
from recipe.steps.s2_measure import suggest_measure

if TYPE_CHECKING:
    import pandas as pd

LEAST_ROWS = 30  # below, neither the training part nor the test set says anything
LEAST_PART = 8  # samples that are left to learn from
MOST_CELLS = 200_000_000  # of a sparse matrix that is filled up: 0.8 GB
SUBJECTS = {"table": "the target", "image": "in an image", "text": "a text"}
PROVENANCE = "It stays on this machine."


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
    notes, reading, file = [], (), ""
    if isinstance(frame_or_csv, str | Path):
        frame, reading, note = read_csv(frame_or_csv)
        notes.append(note)
        file = Path(frame_or_csv).name
    else:
        frame = _check_frame(frame_or_csv)
    targets = _list_names(target)
    if not targets:
        raise ValueError("A table has a target. Received: target=[]. Give the name of a column, or of several.")
    for column in targets:
        find_column(frame, column, "target")
    wish = _Wish(problem=problem, classes=classes, measure=measure, test_size=test_size, seed=seed, name=name)
    frame, lost = _drop_without_target(frame, frame[targets])
    understood = _understand(frame[targets].to_numpy() if targets[1:] else frame[targets[0]], wish, targets)
    train, test = _cut(understood, wish)
    table = encode_table(frame, _choose_inputs(frame, targets, columns), train, chosen=columns is not None)
    del frame  # as large as the table; what is cut from that comes next
    return _seal(
        (table.x[train], table.x[test]),
        understood,
        (train, test),
        wish,
        notes=[*notes, *lost, *table.notes],
        question=_ask(" and ".join(targets), understood),
        kind="table",
        input_shape=(len(table.names),),
        feature_names=table.names,
        categories=table.categories,
        origin=Origin(form="csv" if file else "frame", file=file, targets=tuple(targets), reading=reading),
    )


def from_arrays(
    x: np.ndarray | pd.DataFrame | Sequence[str],
    y: np.ndarray | Sequence[object],
    *,
    input: str | None = None,
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
    input : ``"table"``, ``"image"`` or ``"text"``; None finds it out from shape and dtype, and says so
    columns : of a table, the names of its columns
    problem, classes, measure, test_size, seed, name : as for `from_table`

    Returns
    -------
    Dataset. Of texts the vocabulary is learned from the training part alone: its 10,000 most frequent words.

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
    import pandas as pd

    if isinstance(x, pd.DataFrame) and input in (None, "table"):
        wishes = {"problem": problem, "classes": classes, "measure": measure, "test_size": test_size, "seed": seed}
        return _from_frame(x, y, columns, name=name, **wishes)
    wish = _Wish(problem=problem, classes=classes, measure=measure, test_size=test_size, seed=seed, name=name)
    x, kind, note = _find_kind(x, input)
    y = _as_column(y)
    if len(x) != len(y):
        raise ValueError(
            f"Each sample has a target. Received: x of {len(x):,} samples, y of {len(y):,}. Give as many of both."
        )
    known = ~pd.isna(pd.DataFrame(y)).any(axis=1).to_numpy()
    lost = _note_lost(int((~known).sum()))
    if lost:
        x, y = ([text for text, keep in zip(x, known, strict=True) if keep] if kind == "text" else x[known]), y[known]
    return _seal_samples(x, y, kind, wish, notes=[note, *lost], names=columns, origin=Origin(form="arrays"))


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
    size : height and width that images are brought to; None: the commonest size among them, made smaller where its
        longer side has more than 64 pixels
    classes : the order of the folders' names; None: the alphabet
    problem, measure, test_size, seed, name : as for `from_table`

    Raises
    ------
    ValueError, OSError
        If there is no such folder, or it has fewer than two classes.
    """
    wish = _Wish(problem=problem, classes=classes, measure=measure, test_size=test_size, seed=seed, name=name)
    found = read_folder(folder, size)
    y = np.array(found.classes)[found.labels]
    for note in found.notes:
        if note.kind == "left_out":
            warnings.warn(note.text, UserWarning, stacklevel=2)
    origin = Origin(form="folder", file=Path(folder).resolve().name)
    return _seal_samples(found.samples, y, found.kind, wish, notes=list(found.notes), names=None, origin=origin)


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """What all three doors are asked for beside the data."""

    problem: str | ProblemType | None
    classes: Sequence[str] | None
    measure: str | None
    test_size: float
    seed: int
    name: str


@dataclass(frozen=True, kw_only=True, eq=False)
class _Targets:
    """Targets as the kit keeps them, (n,) or (n, outputs), and what was found out of them."""

    y: np.ndarray
    type: ProblemType
    names: tuple[str, ...]
    raw_classes: tuple[object, ...]
    reason: str
    caution: str = ""


def _check_frame(frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise TypeError(
            f"A table is a pandas DataFrame or the path of a CSV file. Received: a {type(frame).__name__}. "
            "Arrays and lists go to from_arrays(x, y)."
        )
    if frame.columns.nlevels > 1:
        raise ValueError(
            f"A column has one name. Received: columns of {frame.columns.nlevels} levels. Join them: frame.columns = "
            '["_".join(map(str, names)) for names in frame.columns].'
        )
    frame = frame.rename(columns=str)
    if twice := sorted(set(frame.columns[frame.columns.duplicated()])):
        raise ValueError(f"Two columns have the same name. Received: {', '.join(twice[:5])}. Rename one of them.")
    return frame


def _list_names(names: object) -> list[str]:
    """Return names of columns, each once, of one name or several; pandas allows numbers, too."""
    several = names if isinstance(names, Iterable) and not isinstance(names, str) else [names]
    return list(dict.fromkeys(map(str, several)))


def _choose_inputs(frame: pd.DataFrame, targets: Sequence[str], columns: Sequence[str] | None) -> list[str]:
    if columns is None:
        return [name for name in frame.columns if name not in targets]
    columns = _list_names(columns)
    for column in columns:
        find_column(frame, column, "columns")
    if both := [name for name in columns if name in targets]:
        raise ValueError(
            f"The target cannot be predicted from itself. Received: columns with {', '.join(both)}, the target. Leave "
            "it out of columns."
        )
    return columns


def _drop_without_target(frame: pd.DataFrame, targets: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    known = targets.notna().all(axis=1)
    lost = int((~known).sum())
    return (frame[known] if lost else frame), _note_lost(lost)


def _note_lost(lost: int) -> list[Note]:
    text = f"{lost:,} rows have no target (empty, NA or None) and are dropped: a target cannot be guessed."
    return [Note(kind="left_out", text=text, count=lost)] if lost else []


def _from_frame(x: pd.DataFrame, y: object, columns: Sequence[str] | None, **wishes: object) -> Dataset:
    """A DataFrame and its targets beside it: a table whose target column gets a name that no other has."""
    frame, y = _check_frame(x).copy(), _as_column(y)
    if len(frame) != len(y):
        raise ValueError(
            f"Each sample has a target. Received: x of {len(frame):,} samples, y of {len(y):,}. Give as many of both."
        )
    if columns is not None:
        frame.columns = _check_names(columns, frame.shape[1])
    y = y.reshape(len(y), -1)
    targets = []
    for number in range(y.shape[1]):
        name = "target" if y.shape[1] == 1 else f"target {number + 1}"
        while name in frame.columns:
            name = f"{name}_"
        frame[name] = y[:, number]
        targets.append(name)
    return from_table(frame.infer_objects(), targets[0] if len(targets) == 1 else targets, **wishes)


def _as_column(y: object) -> np.ndarray:
    """Return targets as an array, (n,) or (n, outputs): of a Series, a list, (n, 1)."""
    texts = isinstance(y, list | tuple) and any(isinstance(one, str) for one in y)
    # NumPy would turn the numbers among texts into texts without a word.
    y = np.array(y, object) if texts else np.asarray(y.to_numpy() if hasattr(y, "to_numpy") else y)
    if y.dtype == object and not any(isinstance(one, str) for one in y.flat):
        y = np.array(y.tolist())  # numbers or booleans that pandas kept as objects, where some were missing
    if not y.ndim:
        raise TypeError(f"Targets are a sequence, one a sample. Received: y={y.item()!r}. Give an array or a list.")
    if y.ndim > 2 or y.dtype.kind == "S":
        raise TypeError(
            f"Targets are numbers or texts, (n,) or (n, outputs). Received: y of shape {y.shape}, {y.dtype}. Reshape "
            "them; bytes become texts by np.char.decode(y)."
        )
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def _find_kind(x: object, asked: str | None) -> tuple[np.ndarray | list[str], str, Note]:
    """Return samples as an array or a list of texts, their kind, and a note that says which was taken, and why."""
    from scipy.sparse import issparse

    if asked not in (None, *KINDS):
        raise ValueError(f"There is no such input. Received: input={asked!r}. Choose from {', '.join(KINDS)}.")
    if issparse(x):
        if x.shape[0] * x.shape[1] > MOST_CELLS:
            raise ValueError(
                f"Filled up, the sparse matrix would take {4 * x.shape[0] * x.shape[1] / 1e9:.1f} GB. Received: x of "
                f"shape {x.shape}. Keep fewer columns, such as by sklearn.feature_selection.SelectKBest."
            )
        x = x.astype(np.float32).toarray()
    x = x.to_numpy() if hasattr(x, "to_numpy") else x if isinstance(x, np.ndarray) else _as_array(x)
    if x.ndim == 1 and x.dtype.kind in "OUT" and all(isinstance(one, str) for one in x):
        kind, why = "text", "a sequence of texts"
        samples = list(map(str, x))
    elif x.ndim == 1 and x.dtype == object and any(isinstance(one, str) for one in x):
        odd = next(one for one in x if not isinstance(one, str))
        raise TypeError(f"Some samples are no texts. Received: x with {odd!r}. Drop them, or give '' for no text.")
    elif x.dtype.kind not in "buif":
        raise TypeError(
            f"Samples are numbers or texts. Received: x of shape {x.shape}, {x.dtype}. A table with texts in it is a "
            "DataFrame: from_table(frame, target)."
        )
    elif x.ndim == 2 and x.shape[1]:
        kind, why, samples = "table", "two dimensions, (rows, columns)", x
    elif x.ndim in (3, 4):
        kind, why, samples = "image", f"{x.ndim} dimensions, (images, height, width{', colours' * (x.ndim == 4)})", x
    else:
        raise ValueError(
            f"Samples are rows of a table, images or texts. Received: x of shape {x.shape}. Reshape it to (n, columns) "
            "or (n, height, width)."
        )
    if asked == "image" and kind == "table" and (side := round(x.shape[1] ** 0.5)) ** 2 == x.shape[1]:
        kind, why, samples = "image", f"rows of {x.shape[1]:,} pixels, {side} x {side}", x.reshape(len(x), side, side)
    if asked == "table" and kind == "image":
        kind, samples = "table", x.reshape(len(x), -1)
    if asked not in (None, kind):
        raise ValueError(f"These samples are {why}. Received: input={asked!r}. Leave input out, or reshape x.")
    text = f"The input is taken to be {'a table' if kind == 'table' else kind + 's'}: x has {why}."
    return samples, kind, Note(kind="read", text=text, count=len(samples))


def _as_array(x: object) -> np.ndarray:
    try:
        return np.asarray(x)
    except ValueError as error:
        raise ValueError(
            f"All samples have one shape. Received: {len(x):,} samples of different shapes. Bring images to one size, "
            "such as by from_folder(folder, size=(64, 64))."
        ) from error


def _ask(subject: str, understood: _Targets) -> str:
    """Say in one line, whatever stands in the names, what is predicted."""
    names = understood.names
    several = understood.type in {ProblemType.BINARY, ProblemType.MULTICLASS} and len(names) <= 4
    choice = f": {', '.join(names[:-1])} or {names[-1]}" if several else ""
    return " ".join(f"What is {subject}{choice}?".split())


def _check_names(names: Sequence[str], columns: int) -> tuple[str, ...]:
    names = tuple(map(str, names))
    if len(names) != columns or len(set(names)) != columns:
        raise ValueError(
            f"Each column has a name of its own. Received: {len(set(names))} different names for {columns} columns. "
            "Give one a column, or leave columns out."
        )
    return names


def _seal_samples(
    x: np.ndarray | list[str],
    y: np.ndarray,
    kind: str,
    wish: _Wish,
    *,
    notes: list[Note],
    names: Sequence[str] | None,
    origin: Origin,
) -> Dataset:
    """Cut samples that are arrays or texts, and say what a problem must know of their kind."""
    understood = _understand(y, wish, ())
    train, test = _cut(understood, wish)
    common = {"kind": kind, "origin": origin, "question": _ask(SUBJECTS[kind], understood)}
    if kind == "text":
        vocabulary = learn_vocabulary([x[row] for row in train])
        if len(vocabulary) < 2:
            raise ValueError(f"No text has a word in it. Received: {_examples(x)}. Give texts with letters or digits.")
        parts = tuple(read_texts([x[row] for row in rows], vocabulary) for rows in (train, test))
        text = f"{len(vocabulary) - 1:,} words were learned from the training part alone, the most frequent ones."
        notes = [*notes, Note(kind="read", text=text)]
        words = len(vocabulary)
        return _seal(
            parts,
            understood,
            (train, test),
            wish,
            notes=notes,
            vocabulary=vocabulary,
            num_words=words,
            input_shape=(words,),
            **common,
        )
    if kind == "image":
        x, white, text = read_images(x)
        notes = [*notes, Note(kind="read", text=text)]
        return _seal(
            (x[train], x[test]),
            understood,
            (train, test),
            wish,
            notes=notes,
            pixel_max=white,
            input_shape=x.shape[1:],
            **common,
        )
    names = _check_names(names or [f"column {number}" for number in range(1, x.shape[1] + 1)], x.shape[1])
    x = _check_columns(x, names)
    return _seal(
        (x[train], x[test]),
        understood,
        (train, test),
        wish,
        notes=notes,
        feature_names=names,
        input_shape=x.shape[1:],
        **common,
    )


def _check_columns(x: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return a table as float32; ValueError where a value is infinite or a column has none at all."""
    x = x.astype(np.float32, copy=False)
    infinite, empty = np.isinf(x).any(axis=0), np.isnan(x).all(axis=0)
    if (infinite | empty).any():
        which = [names[column] for column in np.flatnonzero(infinite | empty)]
        fact = (
            "Some values are infinite, or too large for float32"
            if infinite.any()
            else "Some columns have no value at all"
        )
        listed = ", ".join(which[:5]) + (f" and {len(which) - 5} more" if which[5:] else "")
        raise ValueError(f"{fact}. Received: x of shape {x.shape}, {listed}. Mend these columns, or leave them out.")
    return x


def _understand(y: object, wish: _Wish, columns: Sequence[str]) -> _Targets:
    """Find out what type of problem targets are, unless it is said, and number the classes from 0."""
    y, asked = _as_column(y), _read_type(wish.problem)
    if y.dtype == object and not all(isinstance(one, str) for one in y.flat):
        raise TypeError(
            f"Targets are numbers or texts, not both. Received: y of {_examples(y.flat)}. Turn them into one of the "
            "two, such as by y.astype(str)."
        )
    if len(y) < LEAST_ROWS:
        raise ValueError(
            f"{len(y)} samples are too few to learn from and to be judged on. Received: {len(y)} with a target. "
            f"Collect {LEAST_ROWS} or more; a hundred of each class is a start."
        )
    described = describe_target(y, names=tuple(wish.classes or columns) if y.ndim == 2 else ())
    kind, reason, caution = described.problem.type, described.reason, described.caution
    if asked is not None and asked is not kind and not (asked == "classification" and kind.is_classification):
        kind, reason, caution = _take_asked(asked, y, wish), "It was asked for.", ""
    if kind.is_classification and y.ndim == 1:
        return _number_classes(y, kind, wish, reason, caution)
    names = described.problem.output_names if y.ndim == 2 else (*columns,) or ("target",)
    raw = tuple(range(len(names))) if kind is ProblemType.MULTICLASS else ()  # one-hot columns
    dtype = np.int32 if kind.is_classification else np.float32
    with np.errstate(over="ignore"):
        targets = described.targets.astype(dtype)
    if not np.isfinite(targets).all():
        raise ValueError(
            f"Some targets are too large for float32. Received: y up to {np.abs(described.targets).max():g}. Predict "
            "their logarithm, np.log(y)."
        )
    return _Targets(y=targets, type=kind, names=names, raw_classes=raw, reason=reason, caution=caution)


def _read_type(asked: str | ProblemType | None) -> ProblemType | str | None:
    """Return the type of problem that was asked for, ``"classification"``, or None."""
    if asked is None or isinstance(asked, ProblemType) or asked == "classification":
        return asked
    known = {one.name.lower(): one for one in ProblemType} | {one.value: one for one in ProblemType}
    if str(asked).lower() not in known:
        raise ValueError(
            f"There is no such type of problem. Received: problem={asked!r}. Choose from classification, "
            f"{', '.join(one.name.lower() for one in ProblemType)}."
        )
    return known[str(asked).lower()]


def _take_asked(asked: ProblemType | str, y: np.ndarray, wish: _Wish) -> ProblemType:
    """Return the type that was asked for where the targets do not say so themselves; ValueError where they cannot."""
    values = len(np.unique(y))
    if asked == "classification":
        asked = ProblemType.BINARY if values == 2 else ProblemType.MULTICLASS
    fits = {
        ProblemType.BINARY: values == 2,
        ProblemType.MULTICLASS: values <= MAX_CLASSES,
        ProblemType.MULTILABEL: False,
        ProblemType.REGRESSION: y.dtype.kind in "biuf",
        ProblemType.BOUNDED_REGRESSION: y.dtype.kind in "biuf" and y.min() >= 0 and y.max() <= 1,
    }
    if y.ndim == 2 or not fits[asked]:
        raise ValueError(
            f"These targets cannot be taken for {asked}. Received: problem={str(wish.problem)!r}, y of {values:,} "
            f"different values such as {_examples(y.ravel())}. Leave problem out."
        )
    return asked


def _number_classes(y: np.ndarray, kind: ProblemType, wish: _Wish, reason: str, caution: str) -> _Targets:
    """Number the classes from 0, in the order that was asked for, else in that of their values."""
    distinct, numbers = np.unique(y, return_inverse=True)
    if len(distinct) > MAX_CLASSES:
        raise ValueError(
            f"{len(distinct):,} different values are too many classes. Received: y of {_examples(distinct)}. Take a "
            "target with fewer, or put rare ones together."
        )
    raw = distinct.tolist()
    if isinstance(raw[0], str) and (len({one.strip() for one in raw}) < len(raw) or not raw[0].strip()):
        raise ValueError(
            f"Some classes are empty, or differ in blanks alone. Received: y of {_examples(distinct)}. Strip them, "
            "frame[target] = frame[target].str.strip(), and drop what is empty."
        )
    names = tuple(f"{value:g}" if isinstance(value, float) else str(value) for value in raw)
    asked = tuple(map(str, wish.classes)) if wish.classes is not None else names
    if sorted(asked) == sorted(names):  # the order is theirs
        order = [names.index(name) for name in asked]
        raw, numbers = [raw[number] for number in order], np.argsort(order)[numbers]
    elif len(asked) != len(names) or isinstance(raw[0], str):
        raise ValueError(
            f"The targets have {len(names)} classes: {', '.join(names[:10])}. Received: classes={list(asked)!r}. Give "
            f"{'these, in your order' if isinstance(raw[0], str) else 'a name for each'}."
        )
    return _Targets(
        y=numbers.astype(np.int32), type=kind, names=asked, raw_classes=tuple(raw), reason=reason, caution=caution
    )


def _cut(targets: _Targets, wish: _Wish) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train on and those of the test set, the share of each class the same in both."""
    from sklearn.model_selection import train_test_split

    size, seed = wish.test_size, wish.seed
    if not isinstance(size, int | float) or not (0 < size < 1 and len(targets.y) * (1 - size) >= LEAST_PART):
        raise ValueError(
            f"Both parts need samples. Received: test_size={size!r} of {len(targets.y):,} samples. Give "
            "a number between 0 and 1, such as 0.2."
        )
    if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"A seed is a whole number, 0 or more. Received: seed={seed!r}. Give one, such as 0.")
    labels = targets.y if targets.type.is_classification and targets.y.ndim == 1 else None
    if labels is not None:
        counts = np.bincount(labels)
        if counts.min() < 2:
            rare = [targets.names[number] for number in np.flatnonzero(counts < 2)]
            raise ValueError(
                f"A class with one sample can be learned or judged, not both. Received: {len(rare)} such classes, "
                f"{', '.join(rare[:5])}. Drop these samples, or put rare classes together."
            )
        if min(wish.test_size, 1 - wish.test_size) * len(labels) < len(counts):
            labels = None  # a part smaller than the number of classes cannot have each of them
    rows = np.arange(len(targets.y))
    train, test = train_test_split(rows, test_size=wish.test_size, random_state=wish.seed, stratify=labels)
    return train, test


def _seal(
    parts: tuple[Samples, Samples],
    targets: _Targets,
    rows: tuple[np.ndarray, np.ndarray],
    wish: _Wish,
    *,
    notes: list[Note],
    origin: Origin,
    vocabulary: tuple[str, ...] = (),
    **of_problem: object,
) -> Dataset:
    """Make the dataset: the problem with its measure, the test set sealed, what looks odd said."""
    y_train, y_test = (targets.y[part] for part in rows)
    scale = _choose_scale(y_train) if not targets.type.is_classification else (1.0,)
    problem = Problem(
        name=re.sub(r"[^\w.-]+", "_", wish.name).strip("-.") or "mine",
        type=targets.type,
        outputs=1 if targets.type is ProblemType.BINARY else len(targets.names),
        output_names=targets.names,
        measure="accuracy" if targets.type.is_classification else "mae",
        target_scale=scale,
        target_unit=", and ".join(f"x {value:,.10g}" for value in scale) if set(scale) != {1.0} else "",
        origin=dataclasses.replace(origin, classes=targets.raw_classes, test_size=wish.test_size, seed=wish.seed),
        **of_problem,
    )
    if problem.kind == "table":
        gaps = np.flatnonzero(np.isnan(parts[0]).any(axis=0)).tolist()
        problem = dataclasses.replace(problem, gaps=tuple(gaps))
        notes = [*notes, *_note_gaps(parts[0], problem)]
    suggestion = suggest_measure(problem, y_train)
    measure = wish.measure or suggestion.measure
    if measure not in MEASURES or targets.type not in MEASURES[measure].types:
        fitting = [name for name, one in MEASURES.items() if targets.type in one.types]
        raise ValueError(
            f"No such measure suits {targets.type}. Received: measure={measure!r}. Choose from {', '.join(fitting)}."
        )
    problem = dataclasses.replace(problem, measure=measure)
    why = "It was asked for." if wish.measure else suggestion.reason
    cautions = [one for one in (targets.caution, suggestion.caution) if one]
    found = [
        Note(kind="read", text=f"The problem is taken to be {targets.type}. {targets.reason}"),
        Note(kind="read", text=f"The measure is {MEASURES[measure].title}. {why}"),
        *(Note(kind="read", text=f"Mind: {caution}") for caution in cautions),
        Note(
            kind="read",
            text=f"{len(y_test):,} of {len(y_train) + len(y_test):,} samples, drawn with seed {wish.seed}, are sealed "
            "away as the test set.",
        ),
    ]
    notes = [*notes, *found, *_note_copies(parts[0], y_train, problem)]
    for note in notes:
        if note.kind in {"identifier", "target_copy"}:
            warnings.warn(note.text, UserWarning, stacklevel=4)
    return Dataset(
        problem=problem,
        x_train=parts[0],
        y_train=y_train,
        test=SealedTest(parts[1], y_test),
        source="own",
        provenance=PROVENANCE,
        reason="You gave it to the kit.",
        vocabulary=vocabulary,
        notes=tuple(notes),
    )


def _choose_scale(y: np.ndarray) -> tuple[float, ...]:
    """Return the power of ten nearest to each target's standard deviation: networks learn numbers of about 1."""
    spread = y.astype(np.float64).reshape(len(y), -1).std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    return tuple((10.0 ** np.round(np.log10(spread))).tolist())


def _note_gaps(x: np.ndarray, problem: Problem) -> list[Note]:
    if not problem.gaps:
        return []
    shares = {problem.column_names[column]: np.isnan(x[:, column]).mean() for column in problem.gaps}
    listed = ", ".join(f"{name} ({share:.1%})" for name, share in list(shares.items())[:5])
    more = f" and {len(shares) - 5} more columns" if len(shares) > 5 else ""
    text = (
        f"Values are missing in {listed}{more}. They are filled with the median of the training part, and an indicator "
        "column says where."
    )
    return [Note(kind="read", text=text, count=len(shares))]


def _note_copies(x: Samples, y: np.ndarray, problem: Problem) -> list[Note]:
    if problem.kind != "table":
        return []
    notes = []
    for column in find_target_copies(x, y, problem.type):
        name = problem.column_names[column]
        text = (
            f"{name} alone tells the target almost without fail. Such a column is mostly the target under another "
            "name, or became known after it. If so, leave it out by columns=[...]."
        )
        notes.append(Note(kind="target_copy", text=text, feature=name, count=len(y)))
    return notes


def _examples(values: object) -> str:
    """Return up to three different values, short, for an error."""
    texts = dict.fromkeys(str(value) for value in list(values)[:1000])
    return ", ".join(repr(text if len(text) <= 30 else f"{text[:27]}...") for text in list(texts)[:3])
