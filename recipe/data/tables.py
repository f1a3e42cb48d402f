"""A table of one's own: read from a CSV file or a DataFrame, and turned into one array of numbers.

A CSV file is text only: nothing in it is run. What was taken of it (separator, encoding, decimal comma), what was left
out and what looks odd comes back as notes.
"""

from __future__ import annotations

import codecs
import csv
import datetime
import difflib
import itertools
import re
import reprlib
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from recipe.core.dataset import Samples
from recipe.core.input_checks import Note
from recipe.core.problem import Problem
from recipe.core.reviews import Reviews

HEAD_ROWS = 20_000  # by which a column of a file is taken for one of numbers or of texts
HEAD = 65_536  # bytes that separator and decimal sign are found from
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MOST_CATEGORIES = 50  # of a column; rarer ones become one, "other"
MOST_DISTINCT = 0.9  # a column of texts in which more of the values differ tells no groups apart
MANY_ROWS = 50  # below, that all values differ is no wonder
OTHER, MISSING = "other", "missing"
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE = (
    r"(?i)\d{4}[-/]\d{1,2}([-/]\d{1,2})?([T ].*)?"  # 2020-01-31, 2020-01
    r"|\d{1,2}[-./]\d{1,2}[-./](\d{4}|\d{2})( .*)?"  # 31.1.2020, 1/31/20 12:00
    rf"|\d{{1,2}}\.?[- ]{_MONTH},?[- ]\d{{2,4}}( .*)?|{_MONTH} (\d{{1,2}},? )?\d{{4}}( .*)?"  # 1 Jan 2020, Jan 1, 2020
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[ap]\.?m\.?)?"  # 14:30, 2:30 pm
)
_WRITTEN = r"[-+]?[$€£¥]? ?(\d{1,3}([,.' ]\d{3})+|\d+)([.,]\d+)? ?[%$€£¥]?"  # 12 %, $1,200
_ID_NAME = re.compile(r"(^|[_\W])(id|uuid|guid|index|unnamed:? 0)$|^(id|index)([_\W]|$)", re.IGNORECASE)


class _TellsNothing(Exception):
    """A column that is no input; the text says why."""


class Inputs(NamedTuple):
    """Samples of one's own as the kit keeps them, and what a `Problem` must know of them."""

    # Those to learn from, then those of the test set; of a table float32 (n, columns): numbers, NaN where one is
    # missing, and the number of the category, -1 for an unknown one; images, or reviews.
    x: Samples
    of_problem: dict[str, object]  # fields of `Problem`, such as ``input_shape``, ``kind`` and ``feature_names``
    notes: tuple[Note, ...] = ()  # what was taken and left out, and what looks like an identifier
    vocabulary: tuple[str, ...] = ()  # of texts, the word of each rank


def read_csv(path: str | Path) -> tuple[pd.DataFrame, tuple[tuple[str, str], ...], Note]:
    """Read a CSV file as Excel, pandas and databases write it.

    Encoding (UTF-8 with and without a byte order mark, UTF-16, Latin-1), separator and decimal sign are found out.

    Returns
    -------
    The frame, its numbers in the smallest dtype; the arguments of `pandas.read_csv` that read the file so; and a note
    that says what was taken.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be read: Python's own.
    ValueError
        If it is no CSV file.
    """
    path = Path(path)
    encoding = _find_encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        lines = file.read(HEAD).splitlines()[:50]
    separator = max(SEPARATORS, key=lambda sign: _count_cuts(lines, sign))
    decimal = _find_decimal(lines[1:], separator)
    reading = {"sep": separator, "encoding": encoding, "decimal": decimal}
    frame = _read_frame(path, reading)
    text = (
        f"{path.name}: {len(frame):,} rows and {frame.shape[1]} columns, read as {encoding} with "
        f"{SEPARATORS[separator]} between the columns" + (" and decimal commas." if decimal == "," else ".")
    )
    usual = {"sep": ",", "encoding": "utf-8", "decimal": "."}
    needed = tuple((name, value) for name, value in reading.items() if value != usual[name])
    return frame, needed, Note(text)


def find_column(frame: pd.DataFrame, name: str, what: str) -> None:
    """Raise ValueError where a table has no such column; the message names the nearest ones."""
    if name in frame.columns:
        return
    names = list(map(str, frame.columns))
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    way = f"Did you mean: {', '.join(near)}?" if near else f"Choose from: {', '.join(names[:20])}."
    raise ValueError(f"The table has no column of that name. Received: {what}={name!r}. {way}")


def encode_table(frame: pd.DataFrame, columns: Sequence[str], train: np.ndarray, test: np.ndarray) -> Inputs:
    """Turn the inputs of a table into one array: numbers as they are, texts and categories as category numbers.

    Columns that tell nothing are left out, with a note.

    Parameters
    ----------
    columns : names of the inputs among the columns of the frame
    train : numbers of the training rows, in their order: categories are learned from them alone
    test : and of those of the test set

    Raises
    ------
    ValueError
        If a column holds dates, or numbers written as texts, or if no column is left.
    """
    x = np.empty((len(train) + len(test), len(columns)), np.float32)
    names, categories, notes = [], [], []
    for name in columns:
        try:
            values, known = _encode_column(frame[name].infer_objects(), name, train)
        except _TellsNothing as why:
            notes.append(Note(f"{name} {why}. It is left out."))
            continue
        if not known:
            notes += _note_identifier(values[np.sort(train)], name)
        x[: len(train), len(names)], x[len(train) :, len(names)] = values[train], values[test]
        names.append(name)
        categories.append(known)
    if not names:
        reasons = " ".join(note.text for note in notes[:3])
        raise ValueError(
            f"No column is left to predict from. {reasons} Received: {len(columns)} columns. If one of them is a "
            "text to be read, give the texts alone: from_arrays(frame[column], frame[target])."
        )
    of_problem = {"input_shape": (len(names),), "feature_names": tuple(names)}
    of_problem["categories"] = tuple(categories) if any(categories) else ()
    return Inputs(x=x[:, : len(names)], of_problem=of_problem, notes=tuple(notes))


def read_samples(x: object, problem: Problem, vocabulary: Sequence[str] = ()) -> Samples:
    """Return raw samples as arrays: of a DataFrame its columns by name, of a sequence of texts their words.

    Whatever else it is comes back as it is.

    Raises
    ------
    ValueError
        If a column is missing, or holds texts where numbers are wanted.
    """
    if problem.kind == "table" and isinstance(x, pd.DataFrame):
        rows = np.empty((len(x), len(problem.column_names)), np.float32)
        for number, (name, known) in enumerate(itertools.zip_longest(problem.column_names, problem.categories)):
            find_column(x, name, "column")
            if known:
                rows[:, number] = _number_categories(x[name], known)
            else:
                rows[:, number] = pd.to_numeric(x[name]).to_numpy(np.float32, na_value=np.nan)
        return rows
    is_sequence = isinstance(x, list | tuple | pd.Series) or (isinstance(x, np.ndarray) and x.dtype.kind in "OUT")
    if problem.kind == "text" and is_sequence:
        return Reviews.read(list(map(str, x)), vocabulary)
    return x


def _encode_column(column: pd.Series, name: str, train: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return a column's values, float32 (n,), and the names of its categories; a column of numbers has none."""
    if not pd.api.types.is_numeric_dtype(column):
        distinct = column.dropna().unique()
        if not _are_numbers(distinct, column, name):
            return _encode_categories(column, len(distinct), train)
        column = pd.to_numeric(column.astype(object))
    values = column.to_numpy(np.float32, na_value=np.nan)
    if np.isnan(values).all() or (values == values[0]).all():
        raise _TellsNothing("is the same in every row")
    return values, ()


def _encode_categories(column: pd.Series, distinct: int, train: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the number of each value's category; categories are those of the training rows, rare ones as one."""
    filled = int(column.notna().sum())
    if distinct + (filled < len(column)) <= 1:
        raise _TellsNothing("is the same in every row")
    if filled >= MANY_ROWS and distinct > MOST_DISTINCT * filled:
        raise _TellsNothing(f"looks like an identifier or a free text: {distinct:,} of {filled:,} values differ")
    known = column.iloc[train]
    counts = known.dropna().astype(str).value_counts()
    kept = sorted(counts.index[: MOST_CATEGORIES - 1] if len(counts) > MOST_CATEGORIES else counts.index)
    kept += [OTHER] * (len(counts) > len(kept) and OTHER not in kept) + [MISSING] * bool(known.isna().any())
    return _number_categories(column, kept), tuple(kept)


def _are_numbers(distinct: Sequence[object], column: pd.Series, name: str) -> bool:
    """Say whether all texts of a column are numbers; refuse dates, and a column where some are."""
    texts = pd.Series([str(value).strip() for value in distinct], dtype=object)
    times = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64, pd.Period)
    if len(texts) and (isinstance(distinct[0], times) or texts.str.fullmatch(_DATE).mean() > 0.9):
        raise ValueError(
            f"A date or a time is no number that a network can read. Received: column {name!r}, such as "
            f"{examples(texts)}. Make numbers of it that say what matters, such as frame[{name!r}] = "
            f"pd.to_datetime(frame[{name!r}]).dt.month, or leave it out by columns=[...]."
        )
    if isinstance(column.dtype, pd.CategoricalDtype) and not any(isinstance(value, str) for value in distinct):
        return False  # numbers that were made a category on purpose are names
    numbers = pd.to_numeric(texts, errors="coerce").notna()
    if not numbers.all() and (numbers | texts.str.fullmatch(_WRITTEN)).sum() >= max(0.5 * len(texts), 3):
        raise ValueError(
            f"Numbers are written as texts, or texts stand among them. Received: column {name!r}, such as "
            f"{examples(texts[~numbers])}. Make numbers of them, such as pd.to_numeric(frame[{name!r}].astype(str)"
            '.str.replace(r"[^0-9.-]", "", regex=True), errors="coerce"), or leave it out by columns=[...].'
        )
    return len(texts) > 0 and bool(numbers.all())


def _number_categories(column: pd.Series, known: Sequence[str]) -> np.ndarray:
    """Return which of the known categories each value is: float32 (n,), -1 for none of them."""
    place = {name: number for number, name in enumerate(known)}
    codes, distinct = pd.factorize(column)  # -1 for what is missing
    numbers = [place.get(str(value), place.get(OTHER, -1)) for value in distinct]
    return np.array([*numbers, place.get(MISSING, -1)], np.float32)[codes]


def _note_identifier(values: np.ndarray, name: str) -> list[Note]:
    """Note a column of whole numbers that are all different and count rows, or are called an id."""
    if (values != np.floor(values)).any() or not len(np.unique(values)) == len(values) >= MANY_ROWS:
        return []
    counts_rows = values.max() - values.min() < 2 * len(values) and bool((np.diff(values) > 0).all())
    text = (
        f"{name} looks like an identifier: whole numbers that are all different. What is learned from it does not hold "
        "for new rows. Leave it out by columns=[...]."
    )
    return [Note(text, is_warning=True)] if counts_rows or _ID_NAME.search(name) else []


def _find_encoding(path: Path) -> str:
    """Return the encoding of a file: UTF-16 by its mark, UTF-8 where all of it is, marked or not, else Latin-1."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in head or not head.strip():
        kind = "an Excel workbook or a zip" if head.startswith(b"PK") else "no text" if head else "empty"
        raise ValueError(
            f"The file is no CSV file. Received: {path.name}, which is {kind}. Save it as CSV (comma-separated "
            "values): in Excel by File, Save As."
        )
    try:
        with path.open(encoding="utf-8") as file:
            for _ in file:
                pass
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _count_cuts(lines: Sequence[str], separator: str) -> tuple[int, int]:
    """Return how many lines a separator cuts into as many columns as the first one, and into how many."""
    first, *rows = [len(row) for row in csv.reader(lines, delimiter=separator) if row] or [0]
    return rows[:-1].count(first) if first > 1 else 0, first  # the last line may be cut off


def _find_decimal(lines: Sequence[str], separator: str) -> str:
    values = [value.strip() for row in csv.reader(lines, delimiter=separator) for value in row]
    commas = sum(bool(re.fullmatch(r"-?\d+,\d+", value)) for value in values)
    points = sum(bool(re.fullmatch(r"-?\d+\.\d+", value)) for value in values)
    return "," if separator != "," and commas > points else "."


def _read_frame(path: Path, reading: dict[str, str]) -> pd.DataFrame:
    """Read a file, numbers in small dtypes and texts as categories: a large one needs little more memory than that."""
    from tqdm.auto import tqdm

    def read(types: dict[str, object]) -> pd.DataFrame:
        shown = {"total": path.stat().st_size, "desc": f"Reading {path.name}", "delay": 2, "leave": False}
        with path.open("rb") as file, tqdm.wrapattr(file, "read", **shown) as watched, warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)  # a column of numbers and texts is judged later
            return pd.read_csv(watched, dtype=types, skipinitialspace=True, **reading)

    try:
        head = pd.read_csv(path, nrows=HEAD_ROWS, skipinitialspace=True, **reading)
        texts = dict.fromkeys(head.select_dtypes(exclude=["number", "bool"]), "category")
        # Large ones may be identifiers, which float32 would round.
        fractions = [name for name in head.select_dtypes("float") if not head[name].abs().max() >= 1e6]
        try:
            frame = read(texts | dict.fromkeys(fractions, np.float32))
        except ValueError:  # there is a text further down
            frame = read(texts)
        if not isinstance(frame.index, pd.RangeIndex):
            raise pd.errors.ParserError("its lines have one more column than the first")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeError) as error:
        raise ValueError(
            f"The file is no CSV file that can be read: {str(error).strip()}. Received: {path.name}. Look at that "
            "line in a text editor: all lines have as many columns as the first one."
        ) from error
    for name in frame.select_dtypes("integer"):
        frame[name] = pd.to_numeric(frame[name], downcast="integer")
    return frame


def examples(values: Iterable[object]) -> str:
    """Return up to three different values, shortened, for an error."""
    texts = dict.fromkeys(reprlib.repr(str(value)) for value in itertools.islice(values, 1_000))
    return ", ".join(itertools.islice(texts, 3))
