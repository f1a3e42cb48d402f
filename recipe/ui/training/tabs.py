"""What stands in the tabs of the training panel besides the curves: mistakes, model and code, for one experiment."""

from __future__ import annotations

from html import escape

from recipe.core.dataset import Split
from recipe.debugging.mistakes import find_mistakes
from recipe.engine.codegen import keras_code
from recipe.engine.models import build_model
from recipe.ui.experiment.outcome import Experiment

NOTHING_YET = "Press Train first: this is about the network that was trained last."
NO_WEIGHTS = (
    "This result is from the journal, which keeps scores and curves but no weights, so there is no model to make "
    "mistakes. Press Train again to train the same network anew: then its mistakes are shown here."
)
DATA_GONE = "Other data took the place of this run's in memory. Press Train again to see its mistakes."
MISTAKES = 12


def show_mistakes(experiment: Experiment, split: Split) -> tuple[bytes, str]:
    """Return a figure of what the model gets most wrong, as a PNG, and the same in words."""
    from recipe.figures import blank_figure
    from recipe.figures.mistakes import describe_mistakes, draw_mistakes
    from recipe.ui.panel import screen_png

    mistakes = find_mistakes(experiment.model, experiment.prepared, split, count=MISTAKES)
    figure = blank_figure((7.8, 5.4))
    draw_mistakes(figure, mistakes)
    return screen_png(figure), describe_mistakes(mistakes)


def model_html(experiment: Experiment) -> str:
    """Return the layers of the network as a table, with shapes and parameters."""
    model = experiment.model or build_model(experiment.spec, experiment.problem)
    cell = "padding:2px 12px 2px 0; text-align:{}"
    left, right = cell.format("left"), cell.format("right")
    body = "".join(
        f"<tr><td style='{left}'>{type(layer).__name__}</td>"
        f"<td style='{left}'>{escape(getattr(getattr(layer, 'activation', None), '__name__', ''))}</td>"
        f"<td style='{left}'>{' × '.join(map(str, layer.output.shape[1:]))}</td>"
        f"<td style='{right}'>{layer.count_params():,}</td></tr>"
        for layer in model.layers
    )
    heads = ("layer", "activation", "output of one sample", "parameters")
    head = "".join(f"<th scope='col' style='{right if name == 'parameters' else left}'>{name}</th>" for name in heads)
    total, samples = model.count_params(), len(experiment.prepared.y_train)
    shape = " × ".join(map(str, model.input_shape[1:]))
    return (
        f"<div style='line-height:1.5'>One sample goes in as {shape} numbers.<table style='border-collapse:collapse'>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><b>{total:,} parameters</b>, learned from "
        f"{samples:,} samples: {total / samples:,.1f} a sample.</div>"
    )


def code_html(experiment: Experiment) -> str:
    """Return the plain Keras program of the run, which loads its data by itself."""
    program = keras_code(experiment.spec, experiment.problem, source=experiment.prepared.source)
    samples = len(experiment.prepared.y_train) + len(experiment.prepared.y_val)
    note = (
        f"The same network in plain Keras. The program loads all of the data; the panel trained and validated on "
        f"{samples:,} samples."
    )
    return (
        f"<div style='line-height:1.35'>{escape(note)}</div><pre tabindex='0' aria-label='Keras program' "
        f"style='width:0; min-width:100%; max-height:520px; overflow:auto; line-height:1.35; white-space:pre'>"
        f"{escape(program)}</pre>"
    )
