"""Reading CSV files as Excel, pandas and databases write them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import recipe
from recipe.data.tables import read_csv

FRAME = pd.DataFrame({"größe": [1.5, -2.25, 3.0] * 20, "Stadt": ["Köln", "Zürich", "Bern"] * 20, "kauft": [0, 1] * 30})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize(("separator", "decimal"), [(",", "."), (";", ","), ("\t", "."), (";", ".")])
def test_read_csv_finds_encoding_separator_and_decimal_sign(tmp_path, encoding, separator, decimal):
    path = tmp_path / "kunden.csv"
    FRAME.to_csv(path, index=False, sep=separator, decimal=decimal, encoding=encoding)
    frame, reading, note = read_csv(path)
    assert list(frame.columns) == list(FRAME.columns)
    np.testing.assert_allclose(frame["größe"], FRAME["größe"])
    assert frame["Stadt"].astype(str).tolist() == FRAME["Stadt"].tolist()
    pd.testing.assert_frame_equal(pd.read_csv(path, **dict(reading)), FRAME)
    assert note.text.startswith("kunden.csv: 60 rows and 3 columns, read as ")
    assert ("decimal commas" in note.text) == (decimal == ",")


def test_read_csv_reads_quoted_commas_and_gaps(tmp_path):
    path = tmp_path / "some.csv"
    path.write_text('name,price,sold\n"Chair, red",3.5,yes\n"Table ""old""",,no\n', encoding="utf-8")
    frame = read_csv(path)[0]
    assert frame["name"].astype(str).tolist() == ["Chair, red", 'Table "old"']
    assert frame["price"].isna().tolist() == [False, True]


def test_read_csv_reads_rows_alike_that_are_unlike_the_first(tmp_path, monkeypatch):
    monkeypatch.setattr("recipe.data.tables.HEAD_ROWS", 7)
    path = tmp_path / "long.csv"
    wider = [*range(30), *range(100_000, 100_030)]  # whole numbers that grow, and that become fractions
    FRAME.assign(wider=wider, mixed=[*range(59), 0.5], late=[1] * 50 + ["x"] * 10).to_csv(path, index=False)
    frame = read_csv(path)[0]
    assert frame["Stadt"].astype(str).tolist() == FRAME["Stadt"].tolist()
    np.testing.assert_allclose(frame["größe"], FRAME["größe"])
    assert frame["wider"].tolist() == wider
    assert frame["mixed"].tolist() == [*range(59), 0.5]
    assert frame["late"].astype(str).tolist() == ["1"] * 50 + ["x"] * 10


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is no CSV file. Received: some.csv, which is empty"),
        (b"PK\x03\x04\0\0 xlsx", "an Excel workbook or a zip"),
        (b"\x89PNG\0\0", "which is no text"),
        (b"a,b\n1,2\n1,2,3,4\n", "no CSV file that can be read"),
        (b"a,b\n1,2,\n1,2,\n", "its lines have one more column than the first"),
    ],
)
def test_read_csv_refuses_what_is_no_table(tmp_path, content, message):
    (tmp_path / "some.csv").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_csv(tmp_path / "some.csv")


def test_from_table_says_how_it_read_a_file_without_naming_its_folder(tmp_path):
    path = tmp_path / "kunden.csv"
    FRAME.to_csv(path, index=False, sep=";", decimal=",", encoding="utf-16")
    data = recipe.from_table(path, "kauft")
    assert data.problem.origin.file == "kunden.csv"
    assert "kunden.csv: 60 rows" in str(data)
    assert str(tmp_path) not in f"{data}{data.problem}{data.provenance}"
