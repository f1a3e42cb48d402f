"""Step 1, drawn: a question put to a dataset, its input, its target, and what it wants."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recipe.figures import BLUE, INK, ORANGE, SKY, VERMILION, finish
from recipe.lessons.s1_problem.framing import TARGETS, Framing
from recipe.steps.s1_problem import TargetDescription, format_number

WIDEST_NAME = 14  # characters of a class's name that stand under its bar; longer ones are wrapped
IMAGES, TEXTS = 10, 3  # samples that are shown of each


def draw_framing(figure: Figure, framing: Framing) -> None:
    """Draw a question on an empty figure: the input, the target, and the answer in words."""
    problem, description = framing.dataset.problem, framing.description
    grid = figure.add_gridspec(2, 2, width_ratios=(1.35, 1), height_ratios=(1, 1.5))
    top = figure.add_subplot(grid[0, :])
    {"image": _draw_images, "text": _draw_reviews, "table": _draw_closeness}[problem.kind](framing, top)
    finish(top, f"Input: {framing.input_text}")
    target = f"Target: {TARGETS[problem.name][framing.target]}"
    draw_target(description, title=target, axes=figure.add_subplot(grid[1, 0]))
    card = figure.add_subplot(grid[1, 1])
    lines = (
        str(description.problem.type),
        "",
        description.layer_code,
        f"loss {description.problem.last_layer.loss}",
        "",
        "A guess without the input:",
        description.guess,
    )
    text = "\n".join(textwrap.fill(line, 33) for line in lines)
    card.text(0, 0.98, text, va="top", color=INK, transform=card.transAxes, linespacing=1.35)
    finish(card, "What it wants")
    card.set_axis_off()


def describe_framing(framing: Framing) -> str:
    """Say in words what `draw_framing` shows, for those who cannot see it."""
    description = framing.description
    if description.shares:
        pairs = zip(description.problem.output_names, description.shares, strict=True)
        target = "shares " + ", ".join(f"{name} {share:.1%}" for name, share in pairs)
    else:
        values = description.targets.reshape(len(description.targets), -1)[:, 0]
        target = f"from {format_number(values.min())} to {format_number(values.max())}"
    return (
        f"{framing.question} Input: {framing.input_text}. Target: {framing.target}, {target}. "
        f"It is {description.problem.type}: {description.layer_code}, loss {description.problem.last_layer.loss}. "
        f"Without the input: {description.guess}"
    )


def _draw_images(framing: Framing, axes: Axes) -> None:
    """Draw the first images side by side, dark ink on white, each with its target above."""
    captions = [framing.answer(row).replace(", ", "\n") for row in range(min(IMAGES, len(framing.x)))]
    lines = 1 + max(caption.count("\n") for caption in captions)
    wide, above = 1.15, 0.1 + 0.27 * lines  # in sizes of an image: from one to the next, and what a caption takes
    for number, caption in enumerate(captions):
        left = wide * number
        extent, white = (left, left + 1, 1, 0), framing.dataset.problem.pixel_max
        axes.imshow(framing.x[number], cmap="gray_r", vmin=0, vmax=white, extent=extent, interpolation="nearest")
        size = "small" if lines == 1 else "x-small"
        axes.text(left + 0.5, -0.06, caption, ha="center", va="bottom", color=INK, fontsize=size)
    axes.set_xlim(-0.1, wide * len(captions))
    axes.set_ylim(1, -above)
    axes.set_axis_off()


def _draw_reviews(framing: Framing, axes: Axes) -> None:
    """Write the beginning of some reviews, each with its target."""
    for number in range(min(TEXTS, len(framing.x))):
        words = (framing.dataset.vocabulary[token] for token in framing.x[number][:60])
        begin = textwrap.shorten(" ".join(words), 190, placeholder=" ...")
        text = f"{framing.answer(number)}:  " + textwrap.fill(begin, 100)
        axes.text(0, 0.96 - number / TEXTS, text, va="top", color=INK, fontsize="small", transform=axes.transAxes)
    axes.set_axis_off()


def _draw_closeness(framing: Framing, axes: Axes) -> None:
    """Draw how closely each chosen column follows the target by itself: a bar a column, from -1 to 1."""
    places = np.arange(len(framing.inputs))
    colours = [BLUE if value >= 0 else VERMILION for value in framing.closeness]
    axes.barh(places, framing.closeness, color=colours, height=0.65)
    axes.set_yticks(places, framing.inputs, fontsize="small")
    axes.set_ylim(len(places) - 0.4, -0.6)
    axes.set_xlim(-1, 1)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("rank correlation of each column alone with the target", fontsize="small")


def draw_target(description: TargetDescription, *, title: str, axes: Axes) -> None:
    """Draw the balance of the classes, or a histogram of the quantity, and the guess that needs no input."""
    if description.shares:
        _draw_balance(description, axes)
    else:
        _draw_quantity(description, axes)
    finish(axes, title)
    axes.legend(frameon=False, fontsize="small", labelcolor=INK)


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
        axes.set_xticks(places, [textwrap.fill(name, WIDEST_NAME) for name in description.problem.output_names])
    axes.set_ylim(0, 135 * max(shares.max(), 0.01))
    axes.set_ylabel("samples with this label (%)" if several else "samples (%)")


def _draw_quantity(description: TargetDescription, axes: Axes) -> None:
    """Of several quantities the first is drawn."""
    values, median = description.targets.reshape(len(description.targets), -1)[:, 0], description.baseline.outputs[0, 0]
    low, high = np.percentile(values, (0, 99.5))
    axes.hist(np.minimum(values, high), bins=40, range=(low, high), color=SKY)
    axes.axvline(median, color=VERMILION, linestyle="--", label=f"guess: always {format_number(median)}")
    unit = description.problem.target_unit
    axes.set_xlabel(f"{description.problem.output_names[0]} ({unit})" if unit else description.problem.output_names[0])
    axes.set_ylabel("samples")
    axes.set_ylim(top=1.3 * axes.get_ylim()[1])
    axes.locator_params(axis="x", nbins=4)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:g}")
