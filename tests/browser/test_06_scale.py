"""The panel of bias and variance in JupyterLab, in a notebook of its own: lesson 6 trains for half a minute."""

from __future__ import annotations

TITLE = "Bias and variance from three numbers"
CODE = """from recipe.lessons.s6_scale_up.panel import ErrorsPanel

plane = ErrorsPanel({"houses, no hidden layer": (0.51, 0.53), "houses, 64-64 units": (0.13, 0.38)})
plane"""


def test_errors_panel_follows_its_three_sliders(lab, page):
    lab.open_notebook(page("plane", CODE))
    lab.run_all()
    panel = lab.panel(TITLE)
    panel.wait_for_status("High variance: training error 1 %")  # live: it has a result before it is shown
    before = panel.figure()

    panel.drag("training error", to=0.5)
    before = panel.wait_for_change(before)
    panel.wait_until_done()
    panel.press("validation error", "End")
    panel.wait_for_status("validation=0.5")
    panel.press("training error", "Home")
    panel.wait_for_status("High variance: training error 0 %")
    panel.press("training error", "End")
    panel.wait_for_status("High bias: training error 50 %")
    before = panel.wait_for_change(before)

    panel.press("reachable error", "End")
    panel.wait_for_status("Neither bias nor variance is high: training error 50 %")
    assert panel.readout("reachable error") == "50 %"
    assert "houses, 64-64 units: 13 % and 38 %, neither is high." in panel.alt_text()
    lab.hide_sidebar()
    panel.check_fit("errors")
