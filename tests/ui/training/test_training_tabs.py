"""The training panel's tabs and its table of runs: filled, sorted, compared, pinned and exported."""

from __future__ import annotations

import csv

import pytest
from training_examples import read_status

from recipe.ui.training.tabs import NO_WEIGHTS, NOTHING_YET
from recipe.ui.training.view import TABS


def test_compare_pin_and_use_runs_of_the_table(panel):
    panel.run()
    panel.run(units_1=16, epochs=3)
    rows = panel.compare(1, 2)
    assert rows[0] == {"what": "hidden_units", "first": [8], "second": [16]}
    assert "validation accuracy" in panel._view.table.comparison.value
    panel.pin(1)
    assert [row["pinned"] for row in panel.runs] == [True, False]
    assert [value for _, value in panel._view.table.first.options] == [1, 2]  # pinned first, though older
    panel.use_run(1)
    assert panel.spec.hidden_units == (8,)
    panel.pin(1, False)
    assert [value for _, value in panel._view.table.first.options] == [2, 1]


@pytest.mark.parametrize("number", [0, 3, True, "1"])
def test_table_refuses_a_run_that_is_not_there(panel, number):
    panel.run()
    with pytest.raises(
        ValueError, match=rf"no such run on this data. Received: run {number!r}. There are runs 1 to 1."
    ):
        panel.use_run(number)


def test_table_sorts_by_its_menu(panel):
    panel.run(epochs=3)
    panel.run(epochs=2)
    panel.show_tab("Runs")
    table = panel._view.table
    table.sort_by.value = "epochs"
    assert [value for _, value in table.first.options] == [1, 2]
    assert "aria-sort='descending'" in table.table.value
    table.descending.value = False
    assert [value for _, value in table.first.options] == [2, 1]


def test_buttons_of_the_table_say_in_the_status_what_they_did(panel):
    panel.show_tab("Runs")
    panel._view.table.load_button.click()
    assert "There is no such run on this data. Received: run None. There is none yet: train first." in read_status(
        panel
    )
    panel.run()
    panel.show_tab("Runs")
    table = panel._view.table
    table.compare_button.click()
    assert "Runs 1 and 1 are compared below the table." in read_status(panel)
    table.pin_button.click()
    assert "Run 1 is pinned to the top of the table." in read_status(panel)
    table.load_button.click()
    assert "The controls say what run 1 was trained with." in read_status(panel)


def test_export_csv_writes_every_run_and_says_where(panel, tmp_path):
    with pytest.raises(ValueError, match=r"There is no run on this data yet."):
        panel.export_csv(tmp_path / "none.csv")
    panel.run()
    panel.run(epochs=3)
    panel._view.table.path.value = str(tmp_path / "runs.csv")
    panel._view.table.export_button.click()
    with (tmp_path / "runs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epochs"] for row in rows] == ["2", "3"]
    assert f"2 runs are written to {tmp_path / 'runs.csv'}" in read_status(panel)
    panel._view.table.path.value = str(tmp_path / "no folder" / "x" / "runs.csv")
    assert not (tmp_path / "none.csv").exists()


@pytest.mark.parametrize("tab", TABS[1:4])
def test_tabs_are_never_blank(panel, tab):
    panel.show_tab(tab)
    assert panel._view.notes[tab].value == NOTHING_YET
    panel.run()
    assert len(panel._view.notes[tab].value or panel._view.mistakes_image.tooltip) > 50


def test_tabs_show_mistakes_model_and_code_of_the_last_run(panel):
    panel.run()
    panel.show_tab("Mistakes")
    assert "held-out images are wrong" in panel._view.mistakes_image.tooltip
    assert bytes(panel._view.mistakes_image.value).startswith(b"\x89PNG")
    panel.show_tab("Model")
    assert "<b>610 parameters</b>" in panel._view.model_text.value  # 64 * 8 + 8 + 8 * 10 + 10
    panel.show_tab("Code")
    assert "keras.layers.Dense(8, activation=&quot;relu&quot;)," in panel._view.code_text.value
    panel.show_tab("Runs")
    assert "1 run on this data (mnist), kept in the journal" in panel._view.table.note.value


def test_mistakes_of_a_run_from_the_journal_say_how_to_get_them(panel):
    panel.show_tab("Mistakes")
    panel.run()
    panel.run()
    assert panel._view.mistakes_text.value == NO_WEIGHTS
    assert panel._view.mistakes_image.layout.display == "none"
    panel.run(again=True)
    assert panel._view.mistakes_image.layout.display == "block"


def test_show_tab_refuses_one_that_is_not_there(panel):
    with pytest.raises(ValueError, match=r"no such tab. Received: name='Test'. Choose from Curves, Mistakes, Model,"):
        panel.show_tab("Test")
