"""The common ground of the panels, by Python alone: settings, runs here and in a thread, errors, the words on it."""

from __future__ import annotations

import base64
import logging
import threading
from dataclasses import dataclass

import ipywidgets as widgets
import numpy as np
import pytest
from panel_examples import CountPanel, CountSettings, LiveCountPanel, count

from recipe.ui.controls import StepSlider, make_controls
from recipe.ui.settings import Settings, setting

PNG = b"\x89PNG\r\n"


@dataclass(frozen=True, kw_only=True)
class Kinds(Settings):
    """One field of each kind."""

    whole: int = setting(3, low=1, high=9)
    real: float = setting(0.5, low=0.0, high=1.0)
    yes: bool = True
    name: str = setting("a", choices=("a", "b & c"))
    free: str = ""


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, ""),
        ({"whole": 9}, "whole=9"),
        ({"real": 1e-05}, "real=1e-05"),
        ({"real": 0.1 + 0.2}, "real=0.30000000000000004"),
        ({"name": "b & c"}, "name='b & c'"),
        ({"free": "x=1&y '2' %41"}, """free="x=1&y '2' %41\""""),
        ({"whole": 1, "yes": False}, "whole=1, yes=False"),
    ],
)
def test_settings_survive_their_text(changes, text):
    settings = Kinds(**changes)
    assert settings.to_text() == text
    assert Kinds().read(text) == settings
    assert hash(Kinds().read(text)) == hash(settings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"whole": 10}, r"whole is out of range. Received: whole=10. Allowed: from 1 to 9."),
        ({"real": float("nan")}, r"real is out of range. Received: real=nan. Allowed: from 0 to 1."),
        ({"name": "c"}, r"name is none of the choices. Received: name='c'. Choose from a, b & c."),
        ({"whole": 2.0}, r"whole is a whole number. Received: whole=2.0."),
        ({"whole": True}, r"whole is a whole number. Received: whole=True."),
        ({"real": "half"}, r"real is a number. Received: real='half'."),
        ({"yes": 1}, r"yes is true or false. Received: yes=1."),
    ],
)
def test_settings_refuse_what_makes_no_sense(changes, message):
    with pytest.raises(ValueError, match=message):
        Kinds(**changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("whole=3.5", r"The setting whole is a whole number. Received: whole=3.5."),
        ("yes='ja'", r"The setting yes is true or false. Received: yes='ja'"),
        ("whole=99", r"whole is out of range. Received: whole=99. Allowed: from 1 to 9."),
        ("whole", r"These are no settings. Received: 'whole'."),
        ("speed=3", r"no setting speed here. Received: text='speed'. Choose from whole, real, yes, name, free."),
        ("Panel(1", r"These are no settings. Received: 'Panel\(1'."),
        ("yes=open('file')", r"These are no settings."),  # nothing is called
    ],
)
def test_settings_name_the_field_the_value_and_what_is_allowed_of_a_text(text, message):
    with pytest.raises(ValueError, match=message):
        Kinds().read(text)


def test_settings_refuse_an_unknown_name():
    with pytest.raises(TypeError, match="unexpected keyword argument 'speed'"):
        CountSettings().replace(speed=3)


@pytest.mark.parametrize(
    "text",
    [
        "steps=5, grid=False",
        "https://host/voila/render/count.ipynb?recipe=CountPanel(steps%3D5%2C%20grid%3DFalse)",
        "CountPanel(steps=5, grid=False)",
        "recipe.CountPanel(*mine, data['a'], steps=5, grid=False)",
    ],
)
def test_settings_are_called_up_by_a_text_a_link_or_a_line_of_python(text):
    assert CountSettings().read(text) == CountSettings(steps=5, grid=False)


def test_line_of_a_panel_makes_it_again():
    panel = CountPanel(steps=7, shape="o")
    assert panel.settings_line.value == repr(panel) == "CountPanel(steps=7, shape='o')"
    assert eval(panel.line()).settings == panel.settings
    panel.controls["grid"].value = False
    assert panel.settings_line.value == "CountPanel(steps=7, shape='o', grid=False)"


def test_pasted_settings_and_reset_move_the_controls():
    panel = LiveCountPanel(steps=7)
    panel.settings_line.value = "CountPanel(steps=3)"
    panel.wait(timeout=10)
    assert len(panel.result.values) == panel.settings.steps == 3
    panel.settings_line.value = "CountPanel(3"
    assert "These are no settings." in panel.status.value
    assert panel.settings.steps == 3
    panel.reset_button.click()
    panel.wait(timeout=10)
    assert len(panel.result.values) == panel.settings.steps == 7


def test_make_controls_fits_each_control_to_its_setting():
    controls = make_controls(CountSettings(shape="o"))
    kinds = {name: type(control) for name, control in controls.items()}
    assert kinds == {
        "steps": widgets.IntSlider,
        "pause": StepSlider,
        "scale": StepSlider,
        "shape": widgets.Dropdown,
        "grid": widgets.Checkbox,
    }
    assert (controls["steps"].min, controls["steps"].max) == (1, 200)
    assert controls["shape"].options == (("a line", "line"), ("dots", "o"))
    assert controls["pause"].description == "pause (seconds)"


def test_run_returns_what_the_function_returns_and_shows_it():
    panel = CountPanel()
    before = bytes(panel.image.value)
    result = panel.run(steps=3, scale=2.0)
    assert result == panel.result == count(CountSettings(steps=3, scale=2.0))
    assert panel.settings == CountSettings(steps=3, scale=2.0)
    assert panel.controls["steps"].value == 3
    assert panel.table().to_dict("list") == {"step": [1, 2, 3], "counted": [2.0, 4.0, 6.0]}
    assert panel.alt_text() == panel.image.tooltip == "3 of 3 steps, the last at 6."
    assert bytes(panel.image.value).startswith(PNG)
    assert bytes(panel.image.value) != before
    assert "3 steps." in panel.status.value
    assert "steps=3, scale=2.0" in panel.status.value
    assert not panel.run_button.disabled
    assert panel.stop_button.disabled


def test_figure_is_a_new_one_that_a_notebook_shows():
    panel = CountPanel()
    panel.run()
    figure = panel.figure()
    assert figure is not panel.figure()
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), [1, 2])
    assert figure._repr_mimebundle_()[0]["image/png"].startswith("iVBOR")


@pytest.mark.parametrize("twin", ["figure", "table", "alt_text"])
def test_twins_need_a_run_first(twin):
    with pytest.raises(RuntimeError, match=r"no result yet. Received: CountPanel\(\). Call run\(\) first."):
        getattr(CountPanel(), twin)()


def test_settings_are_written_without_a_run():
    panel = LiveCountPanel()
    panel.settings = CountSettings(steps=5)
    panel.settings = "steps=7, grid=False"
    panel.wait(timeout=10)
    assert panel.settings == CountSettings(steps=7, grid=False)
    assert panel.computed == []


def test_run_button_computes_in_a_thread_and_stop_ends_it():
    panel = CountPanel(steps=200, pause=0.2)
    seen = threading.Event()
    panel.image.observe(lambda change: seen.set(), names="value")
    panel.run_button.click()
    assert panel.run_button.disabled
    assert not panel.stop_button.disabled
    assert seen.wait(30), "no live figure came"
    panel.stop_button.click()
    panel.wait(timeout=10)
    assert 1 <= len(panel.result.values) < 200
    assert "Stopped after" in panel.status.value
    assert not panel.run_button.disabled
    assert panel.stop_button.disabled


def test_start_cuts_the_run_under_way_short_and_takes_the_new_settings():
    panel = CountPanel(steps=200, pause=0.2)
    panel.start()
    panel.settings = "steps=5"
    panel.start()
    panel.wait(timeout=10)
    assert len(panel.result.values) == 5
    assert panel.computed[-1] == CountSettings(steps=5)


def test_stop_ends_a_run_of_the_main_thread_too():
    panel = CountPanel(steps=200, pause=0.2)
    panel.image.observe(lambda change: panel.stop_button.click(), names="value")
    assert 1 <= len(panel.run().values) < 200
    assert "Stopped after" in panel.status.value


def test_button_pressed_during_a_run_of_the_main_thread_waits_for_it():
    panel = CountPanel(steps=3)
    both = []
    panel.image.observe(lambda change: both.append(threading.current_thread().name), names="value")
    panel.image.observe(lambda change: panel.run_button.click() if len(both) == 1 else None, names="value")
    panel.run()
    panel.wait(timeout=10)
    assert len(panel.computed) == 2
    assert both == sorted(both)  # MainThread, then recipe-panel: never mixed


def test_wait_says_when_the_time_is_over():
    panel = CountPanel(steps=200, pause=0.2)
    panel.start()
    with pytest.raises(TimeoutError, match=r"not done. Received: timeout=0.05. Wait longer, or call stop\(\)."):
        panel.wait(timeout=0.05)
    panel.stop()
    panel.wait(timeout=10)


def test_dragged_slider_leads_to_few_runs_and_ends_with_the_last_value():
    panel = LiveCountPanel(pause=0.1)
    for steps in range(100, 2, -1):
        panel.controls["steps"].value = steps
    panel.wait(timeout=20)
    assert len(panel.computed) <= 3
    assert len(panel.result.values) == 3


def test_live_panel_has_its_first_result_when_it_is_shown():
    panel = LiveCountPanel()
    panel._ipython_display_()
    assert len(panel.result.values) == 2
    panel._ipython_display_()
    assert panel.computed == [CountSettings()]


@pytest.fixture
def shown(monkeypatch):
    """What a notebook shows: (outputs of the cell, their later versions), as pairs of data and metadata."""
    outputs: tuple[list, list] = [], []

    def display(data, *, raw, metadata=None, display_id=None, update=False):
        outputs[update].append((data, metadata))

    monkeypatch.setattr("recipe.ui.texts.display", display)
    return outputs


def test_panel_keeps_its_picture_and_numbers_for_where_no_widget_can_be_shown(shown):
    panel = CountPanel()
    panel._ipython_display_()
    (view, _), _, (words, _) = shown[0]
    assert list(view) == ["application/vnd.jupyter.widget-view+json", "text/plain"]
    assert "Run this cell to work with it." in words["text/plain"]
    panel.run(steps=30)
    (picture, look), (words, _) = shown[1]
    assert base64.b64decode(picture["image/png"]) == panel.image.value
    assert look["image/png"]["alt"] == panel.alt_text()
    assert panel.alt_text() in words["text/html"]
    assert "<td>30</td>" in words["text/html"]
    assert words["text/html"].count("<tr>") == 13  # of 30 rows the first and the last ones


def test_panel_with_run_button_does_not_run_by_itself():
    panel = CountPanel()
    panel._ipython_display_()
    panel.controls["steps"].value = 9
    panel.wait(timeout=10)
    assert panel.computed == []


def test_error_in_the_thread_is_shown_and_logged_and_raised_by_wait(caplog):
    panel = CountPanel()
    panel.run()
    panel.settings = "steps=13"
    with caplog.at_level(logging.ERROR, logger="recipe.ui"):
        panel.run_button.click()
        with pytest.raises(ValueError, match=r"13</b> is unlucky") as raised:
            panel.wait(timeout=10)
    assert panel.error is raised.value
    assert "&lt;b&gt;13&lt;/b&gt; is unlucky. Take another number." in panel.status.value
    assert [(record.name, record.exc_info[1]) for record in caplog.records] == [("recipe.ui", raised.value)]
    assert not panel.run_button.disabled
    assert len(panel.result.values) == 2
    panel.settings = "steps=4"
    panel.start()
    panel.wait(timeout=10)
    assert panel.error is None


def test_panel_that_is_stopped_before_there_is_anything_shows_nothing_and_forgets_what_waits():
    panel = CountPanel(pause=0.2)
    panel.start()
    panel.start()
    panel.stop()
    panel.wait(timeout=10)
    assert panel.result is None
    assert len(panel.computed) <= 1
