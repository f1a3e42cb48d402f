"""Every panel of the kit on the samples, a cell each: what holds for all of them is tested on one page."""

from __future__ import annotations

PANELS = {
    "What is predicted, from what?": "from recipe.lessons.s1_problem.panel import ProblemPanel\nProblemPanel()",
    "Choose a measure: threshold and class balance": (
        "from recipe.lessons.s2_measure.panel import MeasurePanel\nMeasurePanel()"
    ),
    "Decide on a protocol: what it reports, and what is true": (
        "from recipe.lessons.s3_protocol.panel import ProtocolPanel\n"
        "panel = ProtocolPanel(rows=40, draws=5)\nnone = panel.run()\npanel"
    ),
    "Prepare: what the network reads, and how it learns from it": (
        "from recipe.lessons.s4_prepare.panel import PreparePanel\nPreparePanel(rows=20)"
    ),
    "Beat a baseline: beyond chance?": "from recipe.lessons.s5_baseline.panel import BaselinePanel\nBaselinePanel()",
    "Bias and variance from three numbers": "from recipe.lessons.s6_scale_up.panel import ErrorsPanel\nErrorsPanel()",
    "Bias and variance in two dimensions": (
        "from recipe.lessons.s6_scale_up.boundaries import BoundaryPanel\nBoundaryPanel()"
    ),
    "Train a network": (
        "import recipe\npanel = recipe.TrainingPanel(rows=300, epochs=2)\nnone = panel.run()\nnone = panel.run()\npanel"
    ),
    "What is broken? A game of faults": "from recipe.lessons.s8_debug.panel import FaultGamePanel\nFaultGamePanel()",
    "How far am I?": (
        "from recipe.lessons.s6_scale_up import questions\nfrom recipe.teach.progress_panel import ProgressPanel\n"
        "none = questions.next_step.check('c'), questions.turn.predict('b', 0.8)\n"
        "ProgressPanel(journal='progress.log')"  # in Voilà there is no journal of one's own
    ),
}
MOVING_KEYS = ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown")
RUN_WORDS = {"Train a network": "Train", "How far am I?": "Read again"}
MUST_RUN = {"Decide on a protocol: what it reports, and what is true", "Train a network"}  # the others do by themselves
# By title: a control, a key that moves it, and what the status says then.
MOVES = dict(
    zip(
        PANELS,
        (
            ("draw", "ArrowRight", "draw=2"),
            ("threshold", "End", "threshold=0.99"),
            ("times", "ArrowRight", "draws=10"),
            ("training samples", "ArrowDown", "rows=50"),
            ("which of them", "ArrowRight", "draw=2"),
            ("training error", "End", "training=0.5"),
            ("units", "ArrowLeft", "units=16"),
            ("epochs", "ArrowRight", "epochs=3"),
            ("round", "ArrowRight", "Round 2"),
            ("show", "ArrowDown", "show='predictions'"),
        ),
        strict=True,
    )
)
