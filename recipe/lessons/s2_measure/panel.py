"""Step 2's panel: is it a 5? One network, trained once; the threshold and the class balance are for the reader."""

from __future__ import annotations

import threading
import typing
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd

from recipe.core.spec import ModelSpec
from recipe.figures import BLUE, INK, VERMILION, finish
from recipe.lessons.few import draw_few, predict_held_out
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

if typing.TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLES = 1_000  # what the weighted counts add up to
COUNTS = ["true_negatives", "false_positives", "false_negatives", "true_positives"]
SPEC = ModelSpec(architecture="linear", learning_rate=0.003, batch_size=32, epochs=30)
THRESHOLDS = tuple(hundredths / 100 for hundredths in range(1, 100))
SHARES = MappingProxyType({f"{share:.0%}": share for share in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)})


@dataclass(frozen=True, kw_only=True)
class MeasureSettings(Settings):
    """What the panel's controls say."""

    threshold: float = setting(0.5, low=0.01, high=0.99, steps=THRESHOLDS, help="A score above it is a yes.")
    share: float = setting(
        0.1, label="share of yes", low=0.001, high=0.999, steps=SHARES, help="Of the samples that are judged."
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ThresholdReport:
    """A model judged at one threshold and one class balance, beside the answer that is always no.

    Attributes
    ----------
    settings : threshold, and share of yes among the samples, which is the precision of a guess
    measures : a row for the network and one for "never": accuracy, precision, recall and F1, then the four counts of
        the confusion matrix, which add up to `SAMPLES`
    precision, recall : np.ndarray of shape (k,), at all thresholds, as scikit-learn's `precision_recall_curve` has them
    average_precision : precision averaged over the recall that each threshold gains: it judges the ranking alone
    """

    settings: MeasureSettings
    measures: pd.DataFrame
    precision: np.ndarray = field(repr=False)
    recall: np.ndarray = field(repr=False)
    average_precision: float


def judge_threshold(y_true: np.ndarray, scores: np.ndarray, settings: MeasureSettings) -> ThresholdReport:
    """Judge a model at a threshold, where a given share of the samples is a yes, beside "never a yes".

    Every sample counts with the weight that makes the share; none is left out.

    Parameters
    ----------
    y_true : np.ndarray of shape (n,), 0 for no and 1 for yes; both must be there
    scores : np.ndarray of shape (n,), such as a sigmoid puts out; one above the threshold is a yes

    Examples
    --------
    >>> y_true, scores = np.array([1, 1, 0, 0]), np.array([0.9, 0.2, 0.6, 0.1])
    >>> judge_threshold(y_true, scores, MeasureSettings(share=0.1)).measures.loc["network", COUNTS].tolist()
    [450.0, 450.0, 50.0, 50.0]
    """
    from sklearn import metrics

    share = settings.share
    weights = SAMPLES * np.where(y_true == 1, share / np.sum(y_true == 1), (1 - share) / np.sum(y_true == 0))
    # float64, so that a threshold between two neighbouring float32 scores still stands between them.
    scores, judged = scores.astype(np.float64), {"sample_weight": weights}
    measures = {}
    for name, said in (("network", scores > settings.threshold), ("never", np.zeros(len(y_true), dtype=bool))):
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(
            y_true, said, average="binary", zero_division=0, **judged
        )
        accuracy = metrics.accuracy_score(y_true, said, **judged)
        counts = zip(COUNTS, metrics.confusion_matrix(y_true, said, **judged).ravel(), strict=True)
        measures[name] = {"accuracy": accuracy, "precision": precision, "recall": recall, "f1": f1} | dict(counts)
    precision, recall, _ = metrics.precision_recall_curve(y_true, scores, **judged)
    return ThresholdReport(
        settings=settings,
        measures=pd.DataFrame(measures).T,
        precision=precision,
        recall=recall,
        average_precision=float(metrics.average_precision_score(y_true, scores, **judged)),
    )


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
    loads = MappingProxyType({"mnist_five": 20_000})  # half to learn from, half with some 770 fives to judge on
    figure_size = (7.4, 4.9)

    def compute(self, settings: MeasureSettings, on_progress: OnProgress, stop: threading.Event) -> ThresholdReport:
        """Train the network if that was not done yet, and judge its scores."""
        on_progress(None, "Training the network, once ...")
        prepared, outputs = self.once("scores", lambda: predict_held_out(draw_few(self.dataset), SPEC, stop), stop)
        return judge_threshold(prepared.y_val, outputs[:, 0], settings)

    def draw(self, figure: Figure, result: ThresholdReport) -> None:
        """The confusion matrix on the left, the precision-recall curve on the right."""
        from sklearn.metrics import ConfusionMatrixDisplay

        names, share = self.dataset.problem.output_names, result.settings.share
        counted, axes = figure.subplots(1, 2, width_ratios=(1, 1.15))
        at, never = result.measures.loc["network"], result.measures.loc["never"]
        shown = ConfusionMatrixDisplay(at[COUNTS].to_numpy().reshape(2, 2), display_labels=names)
        shown.plot(ax=counted, values_format=".0f", cmap="Blues", colorbar=False)
        judged = {"the network": at, f"never {names[1]}": never}
        lines = [f"{name}: accuracy {one.accuracy:.1%}, F1 {one.f1:.2f}" for name, one in judged.items()]
        finish(counted, "\n".join(lines))
        every = f"all thresholds: AP {result.average_precision:.2f}"
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
        yes, never = self.dataset.problem.output_names[1], result.measures.loc["never"]
        _, false_positives, false_negatives, true_positives = result.measures.loc["network", COUNTS]
        each = ", ".join(f"{name} {value:.2f}" for name, value in result.measures.loc["network"][:"f1"].items())
        return (
            f"Of {SAMPLES:,} samples {result.settings.share:.1%} are {yes}. At the threshold "
            f"{result.settings.threshold:.2f} the network finds {true_positives:.0f} and misses {false_negatives:.0f} "
            f"of them, with {false_positives:.0f} false positives: {each}. Never saying {yes} has an accuracy of "
            f"{never.accuracy:.2f} and an F1 of {never.f1:.2f}. Over all thresholds the average precision is "
            f"{result.average_precision:.2f}."
        )

    def tabulate(self, result: ThresholdReport) -> pd.DataFrame:
        """A row for the network and one for "never"."""
        return result.measures.rename_axis("model").reset_index()
