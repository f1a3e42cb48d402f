"""The words that stand on every panel: the source of its data, and the status line."""

from __future__ import annotations

from html import escape

from recipe.core.dataset import Dataset

SOURCES = {
    "local": "real data, from files on this machine",
    "download": "real data, downloaded",
    "sample": "an embedded sample, not the real data",
}


def describe_source(*datasets: Dataset) -> str:
    """Say what each dataset is and whence, once for all problems that are made from the same one.

    Examples
    --------
    >>> from recipe.data.load import load
    >>> print(describe_source(load("mnist", source="sample"), load("mnist_five", source="sample")))
    ... # doctest: +ELLIPSIS
    mnist: an embedded sample, not the real data. ...
    """
    lines = {
        (data.problem.base, data.source): f"{data.problem.base}: {SOURCES[data.source]}. {data.provenance}"
        for data in datasets
    }
    return "\n".join(lines.values())


def heading_html(title: str) -> str:
    """Return what the panel is called, above it."""
    return f"<b style='font-size:1.1em'>{escape(title)}</b>"


def source_html(text: str) -> str:
    """Return the source as small print."""
    if not text:
        return ""
    lines = "<br>".join(escape(line) for line in text.splitlines())
    return f"<div data-role='source' style='line-height:1.35; font-size:0.9em'><b>Data</b> {lines}</div>"


def status_html(message: str, *, settings: str = "") -> str:
    """Return a status line that screen readers speak; the settings' text stands at its end, to be copied."""
    shared = f" <span style='opacity:0.75'>Settings: <code>{escape(settings)}</code></span>" if settings else ""
    return f"<div role='status' style='line-height:1.35; overflow-wrap:anywhere'>{escape(message)}{shared}</div>"


def error_html(error: BaseException) -> str:
    """Return the message of an exception, marked as an alert."""
    message = escape(str(error) or "no message")
    return (
        "<div role='alert' style='line-height:1.35; border-left:4px solid #D55E00; padding-left:8px'>"
        f"<b>{type(error).__name__}</b>: {message}</div>"
    )
