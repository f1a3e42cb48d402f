"""The training panel in JupyterLab and Voilà: clicked fast, dragged while it trains, twice in a notebook, reloaded."""

from __future__ import annotations

import re

from playwright.sync_api import expect

TITLE = "Train a network"
CODE = (
    "import recipe\nfrom recipe.ui.training import TrainingPanel",
    "first = TrainingPanel(rows=600, units_1=16, epochs=20)\nfirst",
    "second = TrainingPanel(recipe.load('housing', rows=300), units_1=8, epochs=20)\nsecond",
)
_EXECUTE = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  await kernel.requestExecute({code}).done;
}"""


def test_training_panel_withstands_a_quick_hand_and_a_neighbour(lab, page):
    # 500 epochs take a minute: only Stop ends them.
    busy = CODE[1].replace("rows=600", "batch_size=1, layer_3=True, units_3=1024")
    lab.open_notebook(page("training", CODE[0], busy, CODE[2]))
    lab.hide_sidebar()
    lab.run_all()
    first, second = (lab.panel(TITLE, number, run="Train") for number in (0, 1))
    assert first.alt_text() == "No result yet."
    first.press("epochs", "End")
    _click_fast(first)
    first.wait_for_status(re.compile(r"Epoch \d+ of 500"))
    before = first.figure()

    second.press("epochs", "End")
    second.run()
    first.drag("units 1", to=0.9)  # of the next run: this one goes on
    first.wait_for_change(before)
    second.wait_for_status(re.compile(r"Epoch \d+ of 500|Done in"))
    first.stop()
    first.wait_for_status("Stopped after")
    assert "units_1=16" in first.status()
    second.wait_for_status("Done in")
    assert "mean absolute error" in second.status()
    assert "Training curves on a sample over 500 epochs" in second.alt_text()

    first.press("epochs", "Home")
    first.run()
    first.wait_for_status("Done in")
    assert "over 1 epoch." in first.alt_text()
    assert re.search(r"units_1=(512|1024)", first.status())


def _click_fast(panel):
    """Train, Stop, Train and switches between, faster than anything can follow; the last word is Train."""
    for label in ("layer 2", "dropout", "layer 2", "dropout"):
        panel.run_button.click(force=True)
        panel.toggle(label)
        panel.stop_button.click(force=True)
    panel.wait_until_done()
    panel.run()


def test_training_panel_tells_what_came_and_outlives_a_reload(lab, page):
    lab.open_notebook(page("training", *CODE))
    lab.hide_sidebar()
    lab.run_all()
    panel = lab.panel(TITLE, run="Train")
    panel.choose("your guess", "it does not overfit")
    panel.run()
    panel.wait_for_status("You guessed that it does not overfit: ")
    panel.check_fit("training-curves")
    diagnosis = panel.root.locator("[data-role=diagnosis]")
    expect(diagnosis).to_contain_text("above the reachable 0 %")
    panel.press("reachable error", "End")
    expect(diagnosis).to_contain_text("the reachable 50 %")
    panel.button("Apply").first.click()
    panel.wait_for_status("Put into the controls:")
    panel.run()
    panel.wait_for_status("Done in")
    _look_at_every_tab(panel)

    lab.page.reload()  # the kernel lives on: its notebook is run anew
    lab.page.wait_for_selector(".jp-Notebook .jp-Cell")
    lab.hide_sidebar()
    lab.run_all()
    panel = lab.panel(TITLE, run="Train")
    panel.open_tab("Runs")
    expect(panel.root).to_contain_text(re.compile(r"[2-9] runs on this data \(mnist\), kept in the journal"))
    _show_another_problem(panel, "housing", "rows")
    _show_another_problem(panel, "imdb", "texts")


def _look_at_every_tab(panel):
    panel.open_tab("Mistakes")
    expect(panel.image).to_have_attribute("title", re.compile("held-out images are wrong"))
    panel.check_fit("training-mistakes")
    panel.open_tab("Model")
    expect(panel.root).to_contain_text("parameters, learned from")
    panel.check_fit("training-model")
    panel.open_tab("Code")
    expect(panel.root.locator("pre").last).to_contain_text("model = keras.Sequential(")
    panel.button("Copy").click()
    panel.wait_for_status("The program is copied.")
    assert "model = keras.Sequential(" in panel.root.evaluate("() => getSelection().toString()")
    panel.check_fit("training-code")
    panel.open_tab("Runs")
    expect(panel.root).to_contain_text("what differs")
    panel.check_fit("training-runs")


def _show_another_problem(panel, problem, word):
    panel.open_tab("Mistakes")
    panel.choose("problem", problem)
    panel.run()
    expect(panel.image).to_have_attribute("title", re.compile(f"held-out {word}"))
    panel.check_fit(f"training-mistakes-{word}")
    panel.open_tab("Curves")
    panel.check_fit(f"training-curves-{word}")


def test_training_panel_by_keyboard_alone_whose_sliders_say_their_name_and_their_value(lab, page):
    lab.open_notebook(page("training", *CODE[:2]))
    lab.hide_sidebar()
    lab.run_all()
    panel = lab.panel(TITLE, run="Train")
    lab.page.wait_for_function("() => document.querySelector('[role=slider]').hasAttribute('aria-label')")
    names = [handle.get_attribute("aria-label") for handle in panel.root.locator("[role=slider]").all()]
    assert None not in names
    assert len(set(names)) == len(names)
    _press(lab, panel.control("optimizer").locator("select"), "Alt+ArrowDown", "ArrowDown", "Enter")
    assert panel.control("optimizer").locator("select").input_value() == "adam"
    _press(lab, panel.control("layer 2").locator("input"), "Space")
    rows = panel.control("rows").locator("[role=slider]")
    _press(lab, rows, "End")
    assert panel.readout("rows") == rows.get_attribute("aria-valuetext") == "all"
    _press(lab, rows, "Home")
    panel.press("epochs", "Home")
    _press(lab, panel.run_button, "Enter")
    panel.wait_for_status("layer_2=True, optimizer='adam', epochs=1")
    _press(lab, panel.button("Apply").first, "Space")
    panel.wait_for_status("Put into the controls:")
    _press(lab, panel.root.get_by_role("tab", name="Curves"), "End", "Enter")
    expect(panel.button("Use settings")).to_be_enabled()
    panel.button("Use settings").press("Enter")
    panel.wait_for_status("The controls say what run ")

    # A value beyond the usual steps is the end.
    lab.page.evaluate(_EXECUTE, "first.settings = first.settings.replace(epochs=1_000)")
    expect(panel.control("epochs").locator(".widget-readout")).to_have_text("1,000")
    for key, value in (("Home", "1"), ("End", "1,000")):
        panel.press("epochs", key)
        assert panel.readout("epochs") == value


def _press(lab, place, *keys):
    place.focus()
    for key in keys:
        lab.page.keyboard.press(key)


def test_panel_whose_kernel_is_gone_says_so(lab, page):
    lab.open_notebook(page("gone", "from panel_examples import CountPanel\nCountPanel()"))
    lab.run_all()
    panel = lab.panel("Count")
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    expect(panel.root).to_have_class(re.compile("disconnected"))
    assert "Run its cell again" in panel.root.evaluate("root => getComputedStyle(root, '::before').content")


def test_training_panel_works_in_voila(voila, page):
    busy = CODE[1].replace("rows=600", "batch_size=1")  # or it may be over before Stop is pressed
    voila.open_notebook(page("training", CODE[0], busy, CODE[2]))
    panel = voila.panel(TITLE, run="Train")
    panel.press("epochs", "End")
    panel.run()
    panel.wait_for_status(re.compile(r"Epoch \d+ of 500"))
    panel.stop()
    panel.wait_for_status("Stopped after")
    assert "Training curves on a sample" in panel.alt_text()
    panel.open_tab("Runs")
    expect(panel.root).to_contain_text("1 run on this data (mnist)")
    voila.screenshot("training-voila")
    assert panel.cut_texts() == []


OWN = (
    "import warnings\nimport recipe\nfrom recipe.data.examples import CHURN, SHAPES\nwarnings.simplefilter('ignore')",
    "mine = recipe.from_table(CHURN, 'left', columns=['age', 'region', 'contract', 'months', 'monthly_fee'])\n"
    "recipe.TrainingPanel(mine, journal=None, units_1=16, epochs=20)",
    "recipe.TrainingPanel(recipe.from_folder(SHAPES), journal=None, units_1=16, epochs=20)",
)


def test_training_panel_works_on_data_of_ones_own(lab, page):
    lab.open_notebook(page("own", *OWN))
    lab.hide_sidebar()
    lab.run_all()
    for number in (0, 1):
        panel = lab.panel(TITLE, number, run="Train")
        panel.run()
        panel.wait_for_status("Done in")
        assert "of the rival, logistic regression" in panel.status()
        assert "The rival is" in panel.alt_text()
