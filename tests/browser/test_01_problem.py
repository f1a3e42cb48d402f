"""Lesson 1 in JupyterLab: a question is put to its panel as a reader would."""

from __future__ import annotations

NAME = "01_define_the_problem"
TITLE = "What is predicted, from what?"


def test_lesson_1_panel_follows_every_choice_and_lets_columns_be_chosen(lab, excerpt):
    lab.open_notebook(excerpt(NAME, "load", "panel", "panel-drive"))
    lab.run_all()
    panel = lab.panel(TITLE)
    panel.wait_until_done()
    assert "mnist, imdb, housing: an embedded sample, not the real data" in panel.source()
    assert "What is the latitude of a district" in panel.alt_text()  # as the next cell asked

    panel.choose("data", "digits (MNIST)")
    panel.wait_for_status("Multiclass, single-label classification")
    assert 'Dense(10, activation="softmax")' in panel.alt_text()
    before = panel.figure()
    panel.choose("target", "whether it is a 5")
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

    panel.choose("data", "film reviews (IMDB)")
    panel.wait_for_status("data=imdb")
    assert not panel.control("total_rooms").is_visible()
    panel.choose("data", "houses (California)")
    panel.wait_for_status("data=housing&target=median_house_value")
    assert panel.control("median_house_value").locator("input").is_disabled()
    panel.toggle("median_income")
    panel.wait_for_status("inputs=longitude,latitude,housing_median_age")
    panel.wait_until_done()
    assert "7 columns" in panel.alt_text()

    panel.choose("target", "the column latitude")
    panel.wait_for_status("target=latitude")
    panel.wait_until_done()
    assert "8 columns" in panel.alt_text()
    panel.run()
    panel.wait_for_status("Done in")
    lab.hide_sidebar()
    panel.check_fit("lesson-1")
