"""A table of one's own: read from a CSV file or a DataFrame, and turned into one array of numbers.

A CSV file is text only: nothing in it is run. What was taken of it (separator, encoding, decimal comma), what was left
out and what looks odd comes back as notes.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import re
import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.dataset import Samples
from recipe.core.input_checks import Note
from recipe.core.problem import Problem
from recipe.data.texts import read_texts

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 20_000  # rows of a file that are in memory as pandas reads them, in float64
HEAD = 65_536  # bytes that separator and decimal sign are found from
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MOST_CATEGORIES = 50  # of a column; rarer ones become one, "other"
MOST_DISTINCT = 0.9  # a column of texts in which more of the values differ tells no groups apart
MANY_ROWS = 50  # below, that all values differ is no wonder
OTHER, MISSING = "other", "missing"
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}( .*)?")
_WRITTEN = re.compile(r"[-+]?[$€£¥]? ?(\d{1,3}([,.' ]\d{3})+|\d+)([.,]\d+)? ?[%$€£¥]?")  # 12 %, $1,200
_ID_NAME = re.compile(r"(^|[_\W])(id|uuid|guid|index|unnamed:? 0)$|^(id|index)([_\W]|$)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """The inputs of a table as one array.

    Attributes
    ----------
    x : float32 (n, columns): numbers, NaN where one is missing, and the number of the category, -1 for an unknown one
    names : of the columns
    categories : of each column the names of its categories, () for numbers
    notes : what was left out, and what looks like an identifier
    """

    x: np.ndarray = field(repr=False)
    names: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    notes: tuple[Note, ...] = ()


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
        If there is no such file, or it cannot be read.
    ValueError
        If it is no CSV file.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"A table is one file. Received: the folder {path}. Take from_folder for folders.")
    if not path.is_file():
        raise FileNotFoundError(f"There is no such file. Received: {path}. The current folder is {Path.cwd()}.")
    encoding = _find_encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        lines = file.read(HEAD).splitlines()
    separator, columns = _find_separator(lines[:50])
    if columns < 2:
        raise ValueError(
            f"The first line has one column only, and a table has a target and something to predict it from. Received: "
            f"{path.name}, which begins {_short(lines[0] if lines else '')!r}. Save it as CSV, with the names of the "
            "columns in the first line."
        )
    decimal = _find_decimal(lines[1:50], separator)
    reading = {"sep": separator, "encoding": encoding, "decimal": decimal}
    usual = {"sep": ",", "encoding": "utf-8", "decimal": "."}
    longer = [row[columns:] for row in csv.reader(lines[:50], delimiter=separator) if row][1:]
    if longer and all(rest == [""] for rest in longer):  # each line ends with a separator, the header does not
        reading["index_col"], usual["index_col"] = False, None  # else pandas takes the first column for row names
    frame = _read_chunks(path, reading)
    text = (
        f"{path.name}: {len(frame):,} rows and {frame.shape[1]} columns, read as {encoding} with "
        f"{SEPARATORS[separator]} between the columns" + (" and decimal commas." if decimal == "," else ".")
    )
    needed = tuple((name, value) for name, value in reading.items() if value != usual[name])
    return frame, needed, Note(kind="read", text=text, count=len(frame))


def find_column(frame: pd.DataFrame, name: str, what: str) -> None:
    """Raise ValueError where a table has no such column; the message names the nearest ones."""
    if name in frame.columns:
        return
    names = [str(column) for column in frame.columns]
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    names, near = ([repr(one) if one != one.strip() else one for one in some] for some in (names, near))
    listed = ", ".join(near or names[:20]) + (", ..." if not near and len(names) > 20 else "")
    raise ValueError(
        f"The table has no column of that name. Received: {what}={name!r}. "
        f"{'Did you mean' if near else 'Choose from'}: {listed}{'?' if near else '.'}"
    )


def encode_table(frame: pd.DataFrame, columns: Sequence[str], train: np.ndarray, *, chosen: bool) -> Table:
    """Turn the inputs of a table into one array: numbers as they are, texts and categories as category numbers.

    Parameters
    ----------
    columns : names of the inputs among the columns of the frame
    train : numbers of the training rows: categories are learned from them alone
    chosen : whether the columns were named by the user. What is no input is then refused, else left out with a note

    Raises
    ------
    ValueError, TypeError
        If a column holds dates, numbers mixed with texts, infinite values, or what is neither number nor text; or if
        no column is left.
    """
    x = np.empty((len(frame), len(columns)), np.float32)
    names, categories, notes = [], [], []
    for name in columns:
        values, known, fault = _encode_column(frame[name], name, train)
        if fault and chosen:
            raise ValueError(f"{fault} Received: columns with {name!r}. Leave it out.")
        if fault:
            notes.append(Note(kind="left_out", text=f"{fault} It is left out.", feature=name, count=len(frame)))
            continue
        if note := _note_identifier(values[np.sort(train)], name, is_number=not known):
            notes.append(note)
        x[:, len(names)] = values
        names.append(name)
        categories.append(known)
    if not names:
        reasons = " ".join(note.text for note in notes[:3])
        raise ValueError(
            f"No column is left to predict from. {reasons} Received: {len(columns)} columns. If one of them is a "
            "text to be read, give the texts alone: from_arrays(frame[column], frame[target])."
        )
    kept = tuple(categories) if any(categories) else ()
    return Table(x=x[:, : len(names)], names=tuple(names), categories=kept, notes=tuple(notes))


def read_samples(x: object, problem: Problem, vocabulary: Sequence[str] = ()) -> Samples:
    """Return raw samples as arrays: of a DataFrame its columns by name, of a sequence of texts their words.

    Whatever else it is comes back as it is.

    Raises
    ------
    ValueError
        If a column is missing, or holds texts where numbers are wanted.
    """
    import pandas as pd

    if problem.kind == "table" and isinstance(x, pd.DataFrame):
        return _read_rows(x, problem.column_names, problem.categories)
    is_sequence = isinstance(x, list | tuple | pd.Series) or (isinstance(x, np.ndarray) and x.dtype.kind in "OUT")
    if problem.kind == "text" and is_sequence:
        return read_texts(list(map(str, x)), vocabulary)
    return x


def _read_rows(frame: pd.DataFrame, names: Sequence[str], categories: Sequence[Sequence[str]]) -> np.ndarray:
    import pandas as pd

    x = np.empty((len(frame), len(names)), np.float32)
    for number, name in enumerate(names):
        find_column(frame, name, "column")
        known = categories[number] if categories else ()
        if known:
            x[:, number] = _number_categories(frame[name], known)
            continue
        values = pd.to_numeric(frame[name], errors="coerce")
        if bad := int((values.isna() & frame[name].notna()).sum()):
            raise ValueError(
                f"{bad:,} values of {name} are no numbers. Received: {_examples(frame[name][values.isna()])}. "
                "Give numbers, or NaN for what is missing."
            )
        x[:, number] = values.to_numpy(np.float32, na_value=np.nan)
    return x


def _encode_column(column: pd.Series, name: str, train: np.ndarray) -> tuple[np.ndarray, tuple[str, ...], str]:
    """Return a column's values, the names of its categories, and why it is no input; empty where it is one."""
    import pandas as pd

    column = column.infer_objects()
    if column.notna().sum() == 0:
        return np.empty(0), (), f"{name} has no value at all."
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        raise _dates(name, column)
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
        if pd.api.types.is_complex_dtype(column):
            raise TypeError(f"Complex numbers are no input. Received: column {name!r}. Give their parts as columns.")
        values = column.to_numpy(np.float32, na_value=np.nan)
        if infinite := int(np.isinf(values).sum()):
            raise ValueError(
                f"{infinite:,} values of {name} are infinite. Received: {column.dtype} values from {column.min()} to "
                f"{column.max()}. Put NaN where a value is missing, and cap what is too large."
            )
        constant = np.nanmax(values) == np.nanmin(values) and not np.isnan(values).any()
        return values, (), f"{name} is the same in every row." if constant else ""
    return _encode_texts(column, name, train)


def _encode_texts(column: pd.Series, name: str, train: np.ndarray) -> tuple[np.ndarray, tuple[str, ...], str]:
    """Return the number of each value's category; categories are those of the training rows, rare ones as one."""
    import pandas as pd

    if odd := [value for value in column.dropna() if not isinstance(value, Hashable)]:
        distinct = odd
    else:
        distinct = column.dropna().unique()
    if odd := [value for value in distinct if not isinstance(value, str | bool | int | float | np.generic)]:
        raise TypeError(
            f"A column holds numbers or texts. Received: column {name!r} with a {type(odd[0]).__name__}, "
            f"{_short(str(odd[0]))!r}. Turn it into one of the two, or leave it out by columns=[...]."
        )
    texts = [str(value) for value in distinct]
    if sum(bool(_DATE.fullmatch(text.strip())) for text in texts) > 0.9 * len(texts):
        raise _dates(name, column)
    numbers = [text for text in texts if _is_number(text)]
    # Numbers that were made a pandas category on purpose are names.
    if len(numbers) >= max(0.5 * len(texts), 3) and any(isinstance(value, str) for value in distinct):
        if len(numbers) == len(texts):
            return _encode_column(pd.to_numeric(column.astype(object)), name, train)
        others = [text for text in texts if not _is_number(text)]
        raise ValueError(
            f"A column is of numbers or of texts. Received: column {name!r}, numbers and {_examples(others)}. Make "
            f'numbers of them, pd.to_numeric(frame[{name!r}], errors="coerce") puts NaN for the others; or leave it '
            "out by columns=[...]."
        )
    if sum(bool(_WRITTEN.fullmatch(text.strip())) for text in texts) > 0.9 * len(texts) > len(numbers):
        raise ValueError(
            f"Numbers are written as texts. Received: column {name!r}, such as {_examples(texts)}. Make numbers of "
            f'them, such as frame[{name!r}].str.replace(r"[^0-9.-]", "", regex=True).astype(float), or leave it out by '
            "columns=[...]."
        )
    filled = len(column.dropna())
    if len(distinct) == 1 and filled == len(column):
        return np.empty(0), (), f"{name} is the same in every row."
    if filled >= MANY_ROWS and len(distinct) > MOST_DISTINCT * filled:
        fault = f"{name} looks like an identifier or a free text: {len(distinct):,} of {filled:,} values differ."
        return np.empty(0), (), fault
    known = column.iloc[train]
    counts = known.astype(str).where(known.notna()).value_counts()
    kept = sorted(counts.index[: MOST_CATEGORIES - 1] if len(counts) > MOST_CATEGORIES else counts.index)
    kept += [OTHER] * (len(counts) > len(kept) and OTHER not in kept) + [MISSING] * bool(known.isna().any())
    return _number_categories(column, kept), tuple(kept), ""


def _number_categories(column: pd.Series, known: Sequence[str]) -> np.ndarray:
    """Return which of the known categories each value is: float32 (n,), -1 for none of them."""
    import pandas as pd

    place = {name: number for number, name in enumerate(known)}
    codes, distinct = pd.factorize(column)  # -1 for what is missing
    numbers = [place.get(str(value), place.get(OTHER, -1)) for value in distinct]
    return np.array([*numbers, place.get(MISSING, -1)], np.float32)[codes]


def _note_identifier(values: np.ndarray, name: str, *, is_number: bool) -> Note | None:
    """Note a column of whole numbers that are all different and count rows, or are called an id."""
    if not is_number or len(values) < MANY_ROWS or not np.isfinite(values).all() or (values != np.floor(values)).any():
        return None
    if len(np.unique(values)) < len(values):
        return None
    counts_rows = values.max() - values.min() < 2 * len(values) and bool((np.diff(values) > 0).all())
    if not counts_rows and not _ID_NAME.search(name):
        return None
    text = (
        f"{name} looks like an identifier: whole numbers that are all different. What is learned from it does not hold "
        "for new rows. Leave it out by columns=[...]."
    )
    return Note(kind="identifier", text=text, feature=name, count=len(values))


def _dates(name: str, column: pd.Series) -> ValueError:
    return ValueError(
        f"A date is no number that a network can read. Received: column {name!r}, such as "
        f"{_examples(column.dropna().head(1))}. Make numbers of it that say what matters, such as frame[{name!r}] = "
        f"pd.to_datetime(frame[{name!r}]).dt.month, or leave it out by columns=[...]."
    )


def _find_encoding(path: Path) -> str:
    """Return how the bytes of a file become text: by its mark, or UTF-8 where all of it is, else Latin-1."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if b"\0" in head or not head.strip():
            kind = "an Excel workbook or a zip" if head.startswith(b"PK") else "empty" if not head else "no text"
            raise ValueError(
                f"The file is no CSV file. Received: {path.name}, which is {kind}. Save it as CSV (comma-separated "
                "values): in Excel by File, Save As."
            )
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while head:
                decoder.decode(head)
                head = file.read(HEAD)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "latin-1"
    return "utf-8"


def _find_separator(lines: Sequence[str]) -> tuple[str, int]:
    """Return the separator that cuts most lines into as many columns as the first one, and how many these are."""
    best = (0, 0, ",")
    for separator in SEPARATORS:
        rows = [row for row in csv.reader(lines, delimiter=separator) if row]
        columns = len(rows[0]) if rows else 0
        alike = sum(len(row) == columns for row in rows[:-1]) if columns > 1 else 0  # the last line may be cut off
        best = max(best, (alike, columns, separator))
    return best[2], best[1]


def _find_decimal(lines: Sequence[str], separator: str) -> str:
    values = [value.strip() for row in csv.reader(lines, delimiter=separator) for value in row]
    commas = sum(bool(re.fullmatch(r"-?\d+,\d+", value)) for value in values)
    points = sum(bool(re.fullmatch(r"-?\d+\.\d+", value)) for value in values)
    return "," if separator != "," and commas > points else "."


def _read_chunks(path: Path, reading: dict[str, str]) -> pd.DataFrame:
    """Read a file a part at a time, numbers as float32 and texts as categories: no more memory than that is needed."""
    import pandas as pd
    from tqdm.auto import tqdm

    try:
        with (
            warnings.catch_warnings(action="ignore", category=pd.errors.ParserWarning),  # of what ends each line
            pd.read_csv(path, chunksize=CHUNK, skipinitialspace=True, **reading) as reader,
            tqdm(reader, desc=f"Reading {path.name}", unit=f" x {CHUNK:,} rows", delay=2, leave=False) as chunks,
        ):
            parts = [{name: _shrink(chunk[name]) for name in chunk} for chunk in chunks]
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeError) as error:
        raise ValueError(
            f"The file is no CSV file that can be read: {str(error).strip()}. Received: {path.name}. Look at that "
            "line in a text editor: all lines have as many columns as the first one."
        ) from error
    # What is joined goes at once: parts and whole together would be twice the memory.
    return pd.DataFrame({name: _join([part.pop(name) for part in parts]) for name in list(parts[0])})


def _shrink(column: pd.Series) -> pd.Series:
    import pandas as pd

    if pd.api.types.is_float_dtype(column):
        return column.astype(np.float32) if np.abs(column).max() < 1e6 else column  # large ones may be identifiers
    if pd.api.types.is_integer_dtype(column):
        return pd.to_numeric(column, downcast="integer")
    return column.copy() if pd.api.types.is_bool_dtype(column) else column.astype("category")


def _join(parts: list[pd.Series]) -> pd.Series:
    import pandas as pd

    if all(isinstance(part.dtype, pd.CategoricalDtype) for part in parts):
        return pd.Series(pd.api.types.union_categoricals(parts, ignore_order=True))
    texts = any(isinstance(part.dtype, pd.CategoricalDtype) for part in parts)
    return pd.concat([part.astype(object) if texts else part for part in parts], ignore_index=True)


def _is_number(text: str) -> bool:
    try:
        return bool(float(text)) or True
    except ValueError:
        return False


def _examples(values: Sequence[object]) -> str:
    """Return up to three values, short, for an error."""
    return ", ".join(repr(_short(str(value))) for value in list(dict.fromkeys(values))[:3])


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
