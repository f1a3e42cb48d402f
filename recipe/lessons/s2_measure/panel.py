"""Step 2's panel: is it a 5? One network, trained once; the threshold and the class balance are for the reader."""

from __future__ import annotations

import threading
import typing
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd

from recipe.core.dataset import Dataset
from recipe.core.prepared import encoding_for
from recipe.core.problem import ProblemType
from recipe.core.spec import ModelSpec
from recipe.figures import BLUE, INK, VERMILION, finish
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import train
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

if typing.TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLES = 1_000  # what the weighted counts add up to
SPEC = ModelSpec(architecture="linear", learning_rate=0.003, batch_size=32, epochs=30)
THRESHOLDS = tuple(hundredths / 100 for hundredths in range(1, 100))
SHARES = MappingProxyType({f"{share:.0%}": share for share in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)})


@dataclass(frozen=True, kw_only=True, eq=False)
class ThresholdReport:
    """A model judged at one threshold and one class balance, beside the answer that is always no.

    Attributes
    ----------
    share : of yes among the samples, which is the precision of a guess
    counts : the confusion matrix of each, (2, 2), a row for what is true: how many it would be of `SAMPLES`
    measures : accuracy, precision, recall and F1, a row each
    precision, recall : np.ndarray of shape (k,), at all thresholds, as scikit-learn's `precision_recall_curve` has them
    average_precision : precision averaged over the recall that each threshold gains: it judges the ranking alone
    """

    threshold: float
    share: float
    counts: dict[str, np.ndarray]
    measures: pd.DataFrame
    precision: np.ndarray = field(repr=False)
    recall: np.ndarray = field(repr=False)
    average_precision: float


def judge_threshold(y_true: np.ndarray, scores: np.ndarray, *, share: float, threshold: float = 0.5) -> ThresholdReport:
    """Judge a model at a threshold, where a given share of the samples is a yes, beside "never a yes".

    Every sample counts with the weight that makes the share; none is left out.

    Parameters
    ----------
    y_true : np.ndarray of shape (n,), 0 for no and 1 for yes; both must be there
    scores : np.ndarray of shape (n,), such as a sigmoid puts out; one above the threshold is a yes

    Examples
    --------
    >>> y_true, scores = np.array([1, 1, 0, 0]), np.array([0.9, 0.2, 0.6, 0.1])
    >>> judge_threshold(y_true, scores, share=0.1).counts["network"].tolist()
    [[450.0, 450.0], [50.0, 50.0]]
    """
    from sklearn import metrics

    weights = SAMPLES * np.where(y_true == 1, share / np.sum(y_true == 1), (1 - share) / np.sum(y_true == 0))
    # float64, so that a threshold between two neighbouring float32 scores still stands between them.
    scores, judged = scores.astype(np.float64), {"sample_weight": weights}
    counts, measures = {}, {}
    for name, said in (("network", scores > threshold), ("never", np.zeros(len(y_true), dtype=bool))):
        counts[name] = metrics.confusion_matrix(y_true, said, **judged)
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(
            y_true, said, average="binary", zero_division=0, **judged
        )
        accuracy = metrics.accuracy_score(y_true, said, **judged)
        measures[name] = {"accuracy": accuracy, "precision": precision, "recall": recall, "f1": f1}
    precision, recall, _ = metrics.precision_recall_curve(y_true, scores, **judged)
    return ThresholdReport(
        threshold=threshold,
        share=share,
        counts=counts,
        measures=pd.DataFrame(measures).T,
        precision=precision,
        recall=recall,
        average_precision=float(metrics.average_precision_score(y_true, scores, **judged)),
    )


@dataclass(frozen=True, kw_only=True)
class MeasureSettings(Settings):
    """What the panel's controls say."""

    threshold: float = setting(0.5, low=0.01, high=0.99, steps=THRESHOLDS, help="A score above it is a yes.")
    share: float = setting(
        0.1, label="share of yes", low=0.001, high=0.999, steps=SHARES, help="Of the samples that are judged."
    )


class MeasurePanel(Panel):
    """Confusion matrix, precision-recall curve, and "never a yes" beside the network.

    Parameters
    ----------
    dataset : of a yes-or-no problem; None loads 20,000 images and asks whether they are a 5
    **settings : fields of `MeasureSettings`

    Raises
    ------
    ValueError
        If the problem is no yes-or-no question.
    """

    title = "Choose a measure: threshold and class balance"
    settings_type = MeasureSettings
    live = True
    loads = MappingProxyType({"mnist_five": 20_000})  # half to learn from, half with some 770 fives to judge on
    figure_size = (7.4, 4.9)

    def check(self, settings: MeasureSettings) -> None:
        """Refuse data whose answers are no yes or no."""
        problem = self.datasets[0].problem
        if problem.type is not ProblemType.BINARY:
            raise ValueError(
                f"A threshold needs a yes-or-no question, and this is {problem.type}. "
                f"Received: dataset of {problem.name}. Load mnist_five or imdb."
            )

    def compute(self, settings: MeasureSettings, on_progress: OnProgress, stop: threading.Event) -> ThresholdReport:
        """Train the network if that was not done yet, and judge its scores."""
        dataset = self.dataset
        on_progress(None, "Training the network, once ...")
        scored = self.once("scores", lambda: score_held_out(dataset, SPEC, stop=stop), stop)
        return judge_threshold(*scored, threshold=settings.threshold, share=settings.share)

    def draw(self, figure: Figure, result: ThresholdReport) -> None:
        """Two confusion matrices on the left, the precision-recall curve on the right."""
        from sklearn.metrics import ConfusionMatrixDisplay

        names, measures = self.dataset.problem.output_names, result.measures
        panes = figure.subplot_mosaic([["network", "curve"], ["never", "curve"]], width_ratios=(1, 1.15))
        for name, title in (("network", "the network"), ("never", f"never {names[1]}")):
            shown = ConfusionMatrixDisplay(result.counts[name], display_labels=names)
            shown.plot(ax=panes[name], values_format=".0f", cmap="Blues", colorbar=False)
            panes[name].set_aspect("auto")
            finish(panes[name], f"{title}\naccuracy {measures.accuracy[name]:.1%}, F1 {measures.f1[name]:.2f}")
        axes, at = panes["curve"], measures.loc["network"]
        axes.plot(
            result.recall, result.precision, color=BLUE, label=f"all thresholds: AP {result.average_precision:.2f}"
        )
        axes.axhline(result.share, color=INK, linestyle=":", label=f"a guess: {result.share:.2f}")
        label = f"threshold {result.threshold:.2f}: F1 {at.f1:.2f}"
        axes.plot(at.recall, at.precision, "D", color=VERMILION, markersize=9, label=label, clip_on=False, zorder=3)
        axes.set(xlabel="recall", ylabel="precision", xlim=(-0.02, 1.03), ylim=(-0.02, 1.05))
        source = " (sample)" if self.dataset.source == "sample" else ""
        finish(axes, f"{result.share:.1%} of {SAMPLES:,} are {names[1]}{source}")
        axes.legend(frameon=False, fontsize="small", labelcolor=INK, loc="upper left", bbox_to_anchor=(0, -0.16))

    def describe(self, result: ThresholdReport) -> str:
        """The counts and measures in words."""
        yes, never = self.dataset.problem.output_names[1], result.measures.loc["never"]
        (_, false_positives), (false_negatives, true_positives) = result.counts["network"]
        each = ", ".join(f"{name} {value:.2f}" for name, value in result.measures.loc["network"].items())
        return (
            f"Of {SAMPLES:,} samples {result.share:.1%} are {yes}. At the threshold {result.threshold:.2f} the network "
            f"finds {true_positives:.0f} and misses {false_negatives:.0f} of them, with {false_positives:.0f} false "
            f"positives: {each}. Never saying {yes} has an accuracy of {never.accuracy:.2f} and an F1 of "
            f"{never.f1:.2f}. Over all thresholds the average precision is {result.average_precision:.2f}."
        )

    def tabulate(self, result: ThresholdReport) -> pd.DataFrame:
        """A row for the network and one for "never"."""
        cells = ["true_negatives", "false_positives", "false_negatives", "true_positives"]
        counts = pd.DataFrame({name: matrix.ravel() for name, matrix in result.counts.items()}, index=cells).T
        return result.measures.join(counts).rename_axis("model").reset_index()

    def summarise(self, result: ThresholdReport) -> str:
        """Who has the higher accuracy, and the higher F1."""
        accuracy, f1 = result.measures.accuracy, result.measures.f1
        return (
            f"Accuracy: network {accuracy.network:.1%}, never {accuracy.never:.1%}. "
            f"F1: network {f1.network:.2f}, never {f1.never:.2f}."
        )


def score_held_out(
    dataset: Dataset, spec: ModelSpec, *, stop: threading.Event | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Train a yes-or-no model on half of the training set, and score the other half, large enough for rare answers.

    Returns
    -------
    (y_true, scores), both of shape (n,): 1 for yes, and from 0 (surely no) to 1 (surely yes)
    """
    prepared = prepare(hold_out(dataset, test_size=0.5), encoding=encoding_for(spec, dataset.problem))
    run = train(spec, prepared, stop=stop, journal=None)
    return prepared.y_val, run.model.predict(prepared.inputs("val"), batch_size=1024, verbose=0).reshape(-1)
