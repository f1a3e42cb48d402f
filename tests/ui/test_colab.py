"""Panels on Google Colab: an older ipywidgets, and what a thread sends never arrives on the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

TESTS = Path(__file__).parent.parent
CELL = f"""import sys, types
sys.path[:0] = [{str(TESTS)!r}, {str(TESTS.parent)!r}]
sys.modules["google.colab"] = types.ModuleType("google.colab")
from panel_examples import CountPanel
panel = CountPanel(steps=3)
panel"""


@pytest.fixture(scope="module")
def kernel():
    """A kernel in which a cell showed a panel: (client, what came of the cell)."""
    manager, client = start_new_kernel()
    outputs: list[dict] = []
    client.execute_interactive(CELL, output_hook=outputs.append, allow_stdin=False, timeout=60)
    yield client, outputs
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def find_models(outputs, name):
    """Return {identifier: state} of the widgets of this kind that a cell made."""
    opened = {one["content"]["comm_id"]: one["content"]["data"] for one in outputs if one["msg_type"] == "comm_open"}
    return {key: data["state"] for key, data in opened.items() if data["state"]["_model_name"] == name}


def test_cell_shows_the_panel_as_a_widget(kernel):
    _, outputs = kernel
    assert [one["content"] for one in outputs if one["msg_type"] in ("error", "stream")] == []
    shown = [one["content"]["data"] for one in outputs if "data" in one["content"] and one["msg_type"] != "comm_open"]
    views = [data["application/vnd.jupyter.widget-view+json"] for data in shown if "text/plain" in data]
    assert views[0]["model_id"] in find_models(outputs, "VBoxModel")


def test_button_computes_before_the_page_hears_that_it_is_done(kernel):
    client, outputs = kernel
    buttons = find_models(outputs, "ButtonModel")
    (run,) = (key for key, state in buttons.items() if state["description"] == "Run")
    press = {"comm_id": run, "data": {"method": "custom", "content": {"event": "click"}}}
    asked = client.session.msg("comm_msg", press)
    client.shell_channel.send(asked)
    states = []
    while True:
        heard = client.get_iopub_msg(timeout=60)
        if heard["parent_header"].get("msg_id") != asked["header"]["msg_id"]:
            continue
        if heard["content"].get("execution_state") == "idle":
            break
        if heard["msg_type"] == "comm_msg":
            states.append(heard["content"]["data"].get("state", {}))
    assert any("Done in" in str(state.get("value")) for state in states)
    assert {state["disabled"] for state in states if "disabled" in state} == {True, False}
