"""Addresses, and servers that say nothing."""

from __future__ import annotations

import time

import pytest
from http_server import Server

from recipe.data.convert import OFFICIAL_URL
from recipe.data.fetch import download
from recipe.data.transfer import Patience, base_url, retrieve


def test_quick_download_gives_up_on_a_silent_server_in_time(server: Server):
    server.faults["mnist.npz"] = "hang"
    start = time.monotonic()
    with pytest.raises(ConnectionError, match=r"it gave no answer within 0\.3 s"):
        download("mnist.npz", Patience(connect=9.0, read=9.0, answer=0.3))
    assert time.monotonic() - start < 3
    assert server.requests["GET mnist.npz"] == 0


def test_quick_download_gives_up_without_a_server(server: Server, monkeypatch):
    server.shutdown()
    server.server_close()
    with pytest.raises(ConnectionError, match="there is no connection to it"):
        download("mnist.npz", Patience(answer=4.0))


def test_quick_download_says_that_a_name_is_unknown(monkeypatch):
    monkeypatch.setenv("RECIPE_MIRROR", "http://nowhere.invalid/")
    with pytest.raises(ConnectionError, match=r"from nowhere\.invalid failed: (its name is not known here|it gave no)"):
        download("mnist.npz", Patience(answer=4.0))


@pytest.mark.parametrize("mirror", ["ftp://x/y", "127.0.0.1:8000", "/srv/data"])
def test_base_url_refuses_what_is_no_web_address(monkeypatch, mirror):
    monkeypatch.setenv("RECIPE_MIRROR", mirror)
    with pytest.raises(ValueError, match=r"A mirror is an http or https address\. Received: RECIPE_MIRROR="):
        base_url()


def test_base_url_is_kerass_unless_there_is_a_mirror(monkeypatch):
    assert base_url() == OFFICIAL_URL
    monkeypatch.setenv("RECIPE_MIRROR", "http://10.0.0.1/kit")
    assert base_url() == "http://10.0.0.1/kit/"


def test_retrieve_refuses_to_try_never(server: Server, tmp_path):
    with pytest.raises(ValueError, match="Received: attempts=0"):
        retrieve("mnist.npz", tmp_path, Patience(attempts=0))
