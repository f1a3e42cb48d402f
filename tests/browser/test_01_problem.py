"""Lesson 1 in JupyterLab: a question is put to its panel as a reader would."""

from __future__ import annotations

NAME = "01_define_the_problem"
TITLE = "What is predicted, from what?"


def test_lesson_1_panel_follows_every_choice_and_lets_columns_be_chosen(lab, excerpt):
    lab.open_notebook(excerpt(NAME, "load", "panel", "panel-drive"))
    lab.run_all()
    panel = lab.panel(TITLE)
    panel.wait_until_done()
    assert "housing: an embedded sample, not the real data" in panel.source()
    assert "Houses: the column latitude" in panel.alt_text()  # as the cell before asked

    panel.choose("target", "digits: which digit it is")
    panel.wait_for_status("Multiclass, single-label classification")
    assert 'Dense(10, activation="softmax")' in panel.alt_text()
    before = panel.figure()
    panel.choose("target", "digits: whether it is a 5")
    panel.wait_for_status("Binary classification")
    before = panel.wait_for_change(before)

    panel.drag("rows", to=0.0)
    panel.wait_for_status("rows=50")
    panel.wait_until_done()
    assert "50 images" in panel.alt_text()
    before = panel.wait_for_change(before)
    panel.press("draw", "ArrowRight", times=3)
    panel.wait_for_status("draw=4")
    panel.wait_for_change(before)

    panel.choose("target", "houses: the median house value")
    panel.wait_for_status("target=housing")
    assert "8 columns" in panel.alt_text()
    panel.choose("target", "houses: the column latitude")
    panel.wait_for_status("target=latitude")
    panel.wait_until_done()
    assert "8 columns" in panel.alt_text()
    panel.run()
    panel.wait_for_status("Done in")
    lab.hide_sidebar()
    panel.check_fit("lesson-1")
