"""Voilà's list of the lessons, served as a folder: it stands on its own, without another host."""

from __future__ import annotations

from urllib.parse import urlsplit


def test_voila_lists_the_lessons_and_asks_no_other_host(browser, voila_server):
    context = browser.new_context()
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(urlsplit(request.url)))
    page.goto(f"{voila_server.url}/?token={voila_server.token}")
    page.get_by_text("01_define_the_problem.ipynb", exact=True).wait_for()
    page.goto(f"{voila_server.url}/voila/render/no_such_lesson.ipynb?token={voila_server.token}")
    page.get_by_text("404").wait_for()
    context.close()
    assert {address.hostname for address in asked if address.scheme.startswith("http")} == {"127.0.0.1"}
