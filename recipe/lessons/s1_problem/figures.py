"""Step 1, drawn: the data of the three problems, what a target looks like, and models against a guess."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recipe.figures import BLUE, INK, ORANGE, SKY, VERMILION, blank_figure, finish, new_figure
from recipe.lessons.s1_problem.framing import TARGETS, Framing
from recipe.steps.s1_problem import TargetDescription, format_number

WIDEST_NAME = 14  # characters of a class's name that stand under its bar; longer ones are wrapped
MAP_POINTS = 6_000  # more dots hide each other


def draw_images(
    images: np.ndarray,
    captions: Sequence[str],
    *,
    pixel_max: float,
    columns: int = 10,
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draw images side by side, dark ink on white, each with its caption above.

    Parameters
    ----------
    images : uint8 (n, height, width)
    captions : one an image
    """
    rows, lines = -(-len(images) // columns), 1 + max(caption.count("\n") for caption in captions)
    wide, above = 1.15, 0.1 + 0.27 * lines  # in sizes of an image: from one to the next, and what a caption takes
    axes = axes or new_figure(width=0.72 * columns, height=0.62 * rows * (1 + above) + 0.3)[1][0]
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        left, top = wide * (number % columns), (1 + above) * (number // columns)
        extent = (left, left + 1, top + 1, top)
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=pixel_max, extent=extent, interpolation="nearest")
        size = "small" if lines == 1 else "x-small"
        axes.text(left + 0.5, top - 0.06, caption, ha="center", va="bottom", color=INK, fontsize=size)
    axes.set_xlim(-0.1, wide * min(columns, len(images)))
    axes.set_ylim((1 + above) * rows - above, -above)
    finish(axes, title)
    axes.set_axis_off()
    return axes


def draw_map(
    longitude: np.ndarray,
    latitude: np.ndarray,
    values: np.ndarray,
    *,
    label: str,
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draw a dot for each district where it lies, coloured by a value."""
    axes = axes or new_figure(width=5.0, height=4.4)[1][0]
    shown = slice(None, None, -(-len(values) // MAP_POINTS))
    dots = axes.scatter(longitude[shown], latitude[shown], c=values[shown], s=4, cmap="viridis", linewidths=0)
    bar = axes.figure.colorbar(dots, ax=axes, label=label, shrink=0.8)
    bar.outline.set_visible(False)
    if np.max(values) >= 1_000:
        bar.ax.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_aspect(1 / np.cos(np.deg2rad(37)))  # at 37 degrees north a degree of longitude is that much shorter
    axes.set_xlabel("longitude (degrees)")
    axes.set_ylabel("latitude (degrees)")
    finish(axes, title)
    return axes


def draw_histograms(columns: Mapping[str, np.ndarray], units: Mapping[str, str], *, rows: int = 2) -> Figure:
    """Draw a histogram of each column, in as many rows.

    Parameters
    ----------
    columns : name -> values of shape (n,)
    units : name -> unit
    """
    across = -(-len(columns) // rows)
    figure = blank_figure((2.1 * across, 1.9 * rows))
    for place, (name, values) in enumerate(columns.items(), start=1):
        axes = figure.add_subplot(rows, across, place)
        axes.hist(values, bins=40, color=BLUE)
        axes.set_xlabel(textwrap.fill(units[name], 18), fontsize="small")
        axes.tick_params(labelsize="small")
        axes.locator_params(nbins=3)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        finish(axes, name)
        axes.title.set_fontsize("small")
    return figure


def draw_target(description: TargetDescription, *, title: str = "", axes: Axes | None = None) -> Axes:
    """Draw the balance of the classes, or a histogram of the quantity, and the guess that needs no input."""
    axes = axes or new_figure()[1][0]
    if description.shares:
        _draw_balance(description, axes)
    else:
        _draw_quantity(description, axes)
    finish(axes, title)
    axes.legend(frameon=False, fontsize="small", labelcolor=INK)
    return axes


def _draw_balance(description: TargetDescription, axes: Axes) -> None:
    shares, guess = np.array(description.shares), description.baseline.outputs[0]
    several = description.targets.ndim == 2
    guessed = guess > 0.5 if several or len(guess) > 1 else np.array([guess[0] == 0, guess[0] == 1])
    places = np.arange(len(shares))
    for chosen, colour, hatch, label in (
        (guessed, ORANGE, "//", "guess: always yes" if several else "guess: always this one"),
        (~guessed, SKY, "", "guess: always no" if several else ""),
    ):
        if chosen.any():
            axes.bar(places[chosen], 100 * shares[chosen], color=colour, hatch=hatch, edgecolor="white", label=label)
    if len(shares) <= 10:
        size = "small" if len(shares) <= 5 else "x-small"
        for place, share in zip(places, 100 * shares, strict=True):
            axes.text(place, share, f"{share:.3g}", ha="center", va="bottom", color=INK, fontsize=size)
        axes.set_xticks(places, [textwrap.fill(name, WIDEST_NAME) for name in description.names])
    axes.set_ylim(0, 135 * max(shares.max(), 0.01))
    axes.set_ylabel("samples with this label (%)" if several else "samples (%)")


def _draw_quantity(description: TargetDescription, axes: Axes) -> None:
    """Of several quantities the first is drawn."""
    values, median = description.targets.reshape(description.samples, -1)[:, 0], description.baseline.outputs[0, 0]
    low, high = np.percentile(values, (0, 99.5))
    axes.hist(np.minimum(values, high), bins=40, range=(low, high), color=SKY)
    axes.axvline(median, color=VERMILION, linestyle="--", label=f"guess: always {format_number(median)}")
    unit = description.unit
    axes.set_xlabel(f"{description.names[0]} ({unit})" if unit else description.names[0])
    axes.set_ylabel("samples")
    axes.set_ylim(top=1.3 * axes.get_ylim()[1])
    axes.locator_params(axis="x", nbins=4)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:g}")


def draw_closeness(framing: Framing, *, title: str = "", axes: Axes | None = None) -> Axes:
    """Draw how closely each chosen column follows the target by itself: a bar a column, from -1 to 1."""
    axes = axes or new_figure(height=2.6)[1][0]
    places = np.arange(len(framing.inputs))
    colours = [BLUE if value >= 0 else VERMILION for value in framing.closeness]
    axes.barh(places, framing.closeness, color=colours, height=0.65)
    axes.set_yticks(places, framing.inputs, fontsize="small")
    axes.set_ylim(len(places) - 0.4, -0.6)
    axes.set_xlim(-1, 1)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("rank correlation of each column alone with the target", fontsize="small")
    finish(axes, title)
    return axes


def draw_reviews(framing: Framing, *, texts: int = 3, title: str = "", axes: Axes | None = None) -> Axes:
    """Write the beginning of some reviews, each with its target."""
    axes = axes or new_figure(height=2.0)[1][0]
    for number in range(min(texts, len(framing.x))):
        words = (framing.vocabulary[token] for token in framing.x[number][:60])
        begin = textwrap.shorten(" ".join(words), 190, placeholder=" ...")
        text = f"{framing.description.answer(number)}:  " + textwrap.fill(begin, 100)
        axes.text(0, 0.96 - number / texts, text, va="top", color=INK, fontsize="small", transform=axes.transAxes)
    finish(axes, title)
    axes.set_axis_off()
    return axes


def draw_framing(figure: Figure, framing: Framing) -> None:
    """Draw a question on an empty figure: the input, the target, and the answer in words."""
    grid = figure.add_gridspec(2, 2, width_ratios=(1.35, 1), height_ratios=(1, 1.5))
    top = figure.add_subplot(grid[0, :])
    title = f"Input: {framing.input_text}"
    if framing.base == "mnist":
        shown = range(min(10, len(framing.x)))
        wrapped = [framing.description.answer(row).replace(", ", "\n") for row in shown]
        draw_images(framing.x[:10], wrapped, pixel_max=framing.pixel_max, title=title, axes=top)
    elif framing.base == "imdb":
        draw_reviews(framing, title=title, axes=top)
    else:
        draw_closeness(framing, title=title, axes=top)
    draw_target(
        framing.description,
        title=f"Target: {TARGETS[framing.base][framing.target]}",
        axes=figure.add_subplot(grid[1, 0]),
    )
    card = figure.add_subplot(grid[1, 1])
    finish(card, "What it wants")
    card.set_axis_off()
    card.text(0, 0.98, card_text(framing.description), va="top", color=INK, transform=card.transAxes, linespacing=1.35)


def card_text(description: TargetDescription, *, width: int = 33) -> str:
    """Return type, last layer, loss and guess as short lines, for a card of that many characters."""
    parts = (
        str(description.type),
        "",
        description.layer_code,
        f"loss {description.last_layer.loss}",
        "",
        "A guess without the input:",
        description.guess,
    )
    return "\n".join(textwrap.fill(part, width) for part in parts)


def draw_against_guess(errors: Mapping[str, Mapping[str, float]], *, title: str = "", axes: Axes | None = None) -> Axes:
    """Draw errors of models as multiples of a guess's error, a line a model: left of 1 it has learned something.

    Parameters
    ----------
    errors : model -> {part: its error, divided by that of the guess on the same part}; two parts at the most
    """
    axes = axes or new_figure(width=6.6, height=1.0 + 0.42 * len(errors))[1][0]
    parts = list(dict.fromkeys(part for line in errors.values() for part in line))
    for part, mark, colour, shift in zip(parts, "oD", (BLUE, ORANGE), (-0.09, 0.09), strict=False):
        lines = [(value[part], line + shift) for line, value in enumerate(errors.values()) if part in value]
        axes.plot(*zip(*lines, strict=True), mark, color=colour, markersize=8, linestyle="none", label=part)
    axes.axvline(1, color=INK, linestyle=":", label="a guess")
    axes.set_yticks(range(len(errors)), errors)
    axes.set_ylim(len(errors) - 0.5, -0.5)
    axes.set_xlim(left=min(0, *axes.get_xlim()))
    axes.set_xlabel("error, as a multiple of the error of a guess (left is better)")
    axes.grid(axis="y", alpha=0.25)
    finish(axes, title)
    axes.legend(frameon=False, fontsize="small", labelcolor=INK, loc="center left", bbox_to_anchor=(1, 0.5))
    return axes


def describe_framing(framing: Framing) -> str:
    """Say in words what `draw_framing` shows, for those who cannot see it."""
    description = framing.description
    if description.shares:
        pairs = zip(description.names, description.shares, strict=True)
        target = "shares " + ", ".join(f"{name} {share:.1%}" for name, share in pairs)
    else:
        values = description.targets.reshape(description.samples, -1)[:, 0]
        target = f"from {format_number(values.min())} to {format_number(values.max())}"
    return (
        f"{framing.question} Input: {framing.input_text}. Target: {framing.target}, {target}. "
        f"It is {description.type}: {description.layer_code}, loss {description.last_layer.loss}. "
        f"Without the input: {description.guess}"
    )
