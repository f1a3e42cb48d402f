"""Step 2's panel: is it a 5? One network, trained once; the threshold and the class balance are for the reader."""

from __future__ import annotations

import threading
import typing
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics

from recipe.core.spec import ModelSpec
from recipe.figures import BLUE, INK, VERMILION, finish
from recipe.lessons.few import draw_few, few_code, predict_held_out
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

SAMPLES = 1_000  # what the weighted counts add up to
COUNTS = ["true_negatives", "false_positives", "false_negatives", "true_positives"]
SPEC = ModelSpec(architecture="linear", learning_rate=0.003, batch_size=32, epochs=30)
THRESHOLDS = tuple(hundredths / 100 for hundredths in range(1, 100))
SHARES = {f"{share:.0%}": share for share in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)}


@dataclass(frozen=True, kw_only=True)
class MeasureSettings(Settings):
    """What the panel's controls say."""

    threshold: float = setting(0.5, low=0.01, high=0.99, steps=THRESHOLDS, help="A score above it is a yes.")
    share: float = setting(
        0.1, label="share of yes", low=0.001, high=0.999, steps=SHARES, help="Of the samples that are judged."
    )


class ThresholdReport(typing.NamedTuple):
    """A model judged at one threshold and one class balance.

    `measures` has accuracy, precision, recall, F1 and average precision, then the four counts of the confusion matrix,
    which add up to `SAMPLES`. `precision` and `recall` are those of all thresholds, each of shape (k,).
    """

    settings: MeasureSettings
    measures: pd.Series
    precision: np.ndarray
    recall: np.ndarray


def judge_threshold(y_true: np.ndarray, scores: np.ndarray, settings: MeasureSettings) -> ThresholdReport:
    """Judge a model at a threshold, where a given share of the samples is a yes.

    Every sample counts with the weight that makes the share; none is left out.

    Parameters
    ----------
    y_true : np.ndarray of shape (n,), 0 for no and 1 for yes; both must be there
    scores : np.ndarray of shape (n,), such as a sigmoid puts out; one above the threshold is a yes

    Examples
    --------
    >>> y_true, scores = np.array([1, 1, 0, 0]), np.array([0.9, 0.2, 0.6, 0.1])
    >>> judge_threshold(y_true, scores, MeasureSettings(share=0.1)).measures[COUNTS].tolist()
    [450.0, 450.0, 50.0, 50.0]
    """
    share = settings.share
    weights = SAMPLES * np.where(y_true == 1, share / np.sum(y_true == 1), (1 - share) / np.sum(y_true == 0))
    # float64, so that a threshold between two neighbouring float32 scores still stands between them.
    scores, judged = scores.astype(np.float64), {"sample_weight": weights}
    said = scores > settings.threshold
    *rates, _ = metrics.precision_recall_fscore_support(y_true, said, average="binary", zero_division=0, **judged)
    counts = metrics.confusion_matrix(y_true, said, **judged).ravel()
    average = metrics.average_precision_score(y_true, scores, **judged)
    measures = [metrics.accuracy_score(y_true, said, **judged), *rates, average, *counts]
    names = ["accuracy", "precision", "recall", "f1", "average_precision", *COUNTS]
    precision, recall, _ = metrics.precision_recall_curve(y_true, scores, **judged)
    return ThresholdReport(settings, pd.Series(measures, names), precision, recall)


class MeasurePanel(Panel):
    """Confusion matrix, precision-recall curve, and "never a yes" beside the network.

    Parameters
    ----------
    dataset : of a yes-or-no problem; None loads 20,000 images and asks whether they are a 5
    **settings : fields of `MeasureSettings`
    """

    title = "Choose a measure: threshold and class balance"
    settings_type = MeasureSettings
    live = True
    loads: typing.ClassVar = {"mnist_five": 20_000}  # half to learn from, half with some 770 fives to judge on
    figure_size = (7.4, 4.9)

    def compute(self, settings: MeasureSettings, on_progress: OnProgress, stop: threading.Event) -> ThresholdReport:
        """Train the network if that was not done yet, and judge its scores."""
        on_progress(None, "Training the network, once ...")
        prepared, outputs = self.once("scores", lambda: predict_held_out(draw_few(self.dataset), SPEC, stop), stop)
        return judge_threshold(prepared.y_val, outputs[:, 0], settings)

    def draw(self, figure: Figure, result: ThresholdReport) -> None:
        """The confusion matrix on the left, the precision-recall curve on the right."""
        names, at, share = self.dataset.problem.output_names, result.measures, result.settings.share
        counted, axes = figure.subplots(1, 2, width_ratios=(1, 1.15))
        shown = metrics.ConfusionMatrixDisplay(at[COUNTS].to_numpy().reshape(2, 2), display_labels=names)
        shown.plot(ax=counted, values_format=".0f", cmap="Blues", colorbar=False)
        never = f"never {names[1]}: accuracy {1 - share:.1%}, F1 0.00"
        finish(counted, f"the network: accuracy {at.accuracy:.1%}, F1 {at.f1:.2f}\n{never}")
        every = f"all thresholds: AP {at.average_precision:.2f}"
        axes.plot(result.recall, result.precision, color=BLUE, label=every)
        axes.axhline(share, color=INK, linestyle=":", label=f"a guess: {share:.2f}")
        label = f"threshold {result.settings.threshold:.2f}: F1 {at.f1:.2f}"
        axes.plot(at.recall, at.precision, "D", color=VERMILION, markersize=9, label=label, clip_on=False, zorder=3)
        axes.set(xlabel="recall", ylabel="precision", xlim=(-0.02, 1.03), ylim=(-0.02, 1.05))
        source = " (sample)" if self.dataset.source == "sample" else ""
        finish(axes, f"{share:.1%} of {SAMPLES:,} are {names[1]}{source}")
        axes.legend(frameon=False, fontsize="small", labelcolor=INK, loc="upper left", bbox_to_anchor=(0, -0.16))

    def describe(self, result: ThresholdReport) -> str:
        """The counts and measures in words."""
        yes, at, share = self.dataset.problem.output_names[1], result.measures, result.settings.share
        each = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in at[:"average_precision"].items())
        return (
            f"Of {SAMPLES:,} samples {share:.1%} are {yes}. At the threshold {result.settings.threshold:.2f} the "
            f"network finds {at.true_positives:.0f} and misses {at.false_negatives:.0f} of them, with "
            f"{at.false_positives:.0f} false positives: {each}. Never saying {yes} has an accuracy of {1 - share:.2f} "
            "and an F1 of 0."
        )

    def program(self, settings: MeasureSettings, result: ThresholdReport) -> tuple[str, str]:
        """The same network in Keras, judged by scikit-learn."""
        judged = {"samples": SAMPLES, "share": settings.share, "threshold": settings.threshold}
        return few_code("s2_measure", SPEC, self.dataset, draw_few(self.dataset), **judged)

    def tabulate(self, result: ThresholdReport) -> pd.DataFrame:
        """One row: the network's measures, then its counts."""
        return result.measures.to_frame().T
