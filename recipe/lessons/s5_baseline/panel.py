"""Step 5's panel: does a small model beat the baseline? It depends on how many validation samples there are to tell."""

from __future__ import annotations

import dataclasses
import math
import threading
import typing
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd

from recipe.core.dataset import Dataset
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared
from recipe.core.spec import ModelSpec
from recipe.figures import BLUE, INK, VERMILION, draw_scores, finish, name_measure
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.s5_baseline import LEVEL, Baseline, StatisticalPower, compute_baseline, statistical_power
from recipe.steps.training import train
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

if typing.TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLES = (20, 50, 100, 200, 500, 1_000, 2_000)
WANTED = 0.8  # the power that studies are usually planned for


@dataclass(frozen=True, kw_only=True)
class BaselineSettings(Settings):
    """What the panel's controls say."""

    problem: str = setting("")
    trained_on: int = setting(
        100,
        label="trained on",
        choices={f"{number} samples": number for number in (20, 50, 100, 300)},
        help="Each small model is trained once, when it is first asked for.",
    )
    samples: int = setting(
        50,
        label="validation samples",
        low=20,
        high=10_000,
        steps=SAMPLES,
        help="How many the two are judged on.",
    )
    draw: int = setting(1, label="which of them", low=1, high=30, help="Another number draws other samples.")


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """A trained model beside the baseline: on all validation samples, and tested on a few of them.

    Attributes
    ----------
    prepared : what the model was trained and validated on
    outputs : np.ndarray of shape (n_val, outputs)
    power : the test on the few; None before it is made
    """

    prepared: Prepared
    outputs: np.ndarray = field(repr=False)
    baseline: Baseline
    power: StatisticalPower | None = None

    def judge(self, samples: int | None = None, *, seed: int = 0) -> StatisticalPower:
        """Test on so many validation samples, drawn without replacement; None, or more than there are: on all."""
        y_val = self.prepared.y_val
        rows = np.random.default_rng(seed).permutation(len(y_val))[:samples]
        few = dataclasses.replace(self.baseline, outputs=self.baseline.outputs[rows])
        return statistical_power(self.prepared.problem, y_val[rows], self.outputs[rows], few, seed=seed)

    @property
    def effect(self) -> float:
        """By how much the model is better on one sample: the mean, divided by the standard deviation."""
        problem, y_val = self.prepared.problem, self.prepared.y_val
        measure = MEASURES[problem.measure]
        both = (measure.per_sample(problem, y_val, outputs) for outputs in (self.outputs, self.baseline.outputs))
        gains = measure.gain(*both)  # (n_val,)
        return float(gains.mean() / max(gains.std(), 1e-12))


def power_at(effect: float, samples: np.ndarray) -> np.ndarray:
    """Return which share of validation sets of these sizes would show that a model is better.

    The test is one-sided, at a level of 5 %, and the mean of so many samples is taken as normal.

    Examples
    --------
    >>> power_at(0.25, np.array([25, 100])).round(2).tolist()
    [0.35, 0.8]
    """
    from scipy.stats import norm

    return norm.cdf(effect * np.sqrt(samples) - norm.ppf(LEVEL))


def samples_needed(effect: float) -> int | None:
    """Return the smallest validation set that has a power of `WANTED`; None where the model is not better.

    Examples
    --------
    >>> samples_needed(0.25), samples_needed(0.125), samples_needed(-0.1)
    (99, 396, None)
    """
    from scipy.stats import norm

    return math.ceil(((norm.ppf(LEVEL) + norm.ppf(WANTED)) / effect) ** 2) if effect > 0 else None


class BaselinePanel(Panel):
    """A small model against the baseline on a few validation samples, and how many of such sets would show it.

    Parameters
    ----------
    *datasets : digits, reviews and houses, as far as they are there; none loads all three
    **settings : fields of `BaselineSettings`
    """

    title = "Beat a baseline: beyond chance?"
    settings_type = BaselineSettings
    live = True
    loads = MappingProxyType({"imdb": 6_000, "mnist": 8_000, "housing": 6_000})  # half of them to judge on
    figure_size = (6.6, 3.6)

    def compute(self, settings: BaselineSettings, on_progress: OnProgress, stop: threading.Event) -> Contest:
        """Train the model if that was not done yet, and test it on the samples."""
        dataset, trained_on = self.dataset, settings.trained_on
        on_progress(None, "Training the small model, once ...")
        key = settings.problem, trained_on
        contest = self.once(key, lambda: hold_contest(dataset, trained_on, stop), stop)
        return dataclasses.replace(contest, power=contest.judge(settings.samples, seed=settings.draw))

    def draw(self, figure: Figure, result: Contest) -> None:
        """The two scores on the left, the power of a validation set on the right."""
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.2))
        power, measure = result.power, MEASURES[result.power.measure]
        sign = 1 if measure.higher_is_better else -1
        draw_scores(
            left,
            {"model": power.model, "baseline": power.baseline},
            quantity=name_measure(result.prepared.problem),
            higher_is_better=measure.higher_is_better,
            intervals={"model": tuple(power.baseline + sign * end for end in power.interval)},
            on_test=["baseline"],  # in a colour of its own
        )
        left.set_xlabel(left.get_xlabel().replace(" (", "\n(") + "\nline: 90 % interval")
        verdict = "beats it" if power.beats_baseline else "cannot be told" if power.difference > 0 else "no better"
        source = " (sample data)" if result.prepared.source == "sample" else ""
        finish(left, f"{power.samples:,} samples: {verdict}\np = {power.p_value:.2g}{source}")

        effect, needed = result.effect, samples_needed(result.effect)
        sizes = np.geomspace(SAMPLES[0], max(4 * (needed or 0), SAMPLES[-1]), 100)
        right.axhline(WANTED, color=INK, linestyle=":", linewidth=1.2)
        right.semilogx(sizes, power_at(effect, sizes), color=BLUE)
        right.plot(power.samples, power_at(effect, power.samples), "o", color=VERMILION, markersize=9)
        right.xaxis.set_major_formatter("{x:,.0f}")
        right.set_ylim(-0.03, 1.05)
        right.set_xlabel("validation samples (log scale)")
        right.set_ylabel("share of sets that show it")
        finish(right, f"{WANTED:.0%} of sets show it\n" + (f"from {needed:,} samples on" if needed else "at no size"))

    def describe(self, result: Contest) -> str:
        """The test and the curve in words."""
        samples, effect = result.power.samples, result.effect
        # A plan for other sets, from the difference on all samples. What these few showed is no plan.
        found = "If the difference is the one on all samples,"
        shown = f"{found} {float(power_at(effect, samples)):.0%} of sets of {samples:,} show it."
        needed = samples_needed(effect)
        enough = f"Plan {needed:,} for {WANTED:.0%}." if needed else "More samples would not show it either."
        return f"{result.power.sentence} {shown} {enough}"

    def tabulate(self, result: Contest) -> pd.DataFrame:
        """A row for the samples that were drawn and one for all."""
        tests = {"drawn": result.power, "all": result.judge()}
        rows = [
            (name, one.samples, one.model, one.baseline, one.p_value, one.beats_baseline) for name, one in tests.items()
        ]
        heads = ["judged on", "samples", "model", "baseline", "p-value", "beats the baseline"]
        return pd.DataFrame(rows, columns=heads)

    def summarise(self, result: Contest) -> str:
        """What was found on these samples, and on all."""
        shown, whole = "shows" if result.power.beats_baseline else "does not show", result.judge()
        is_better = "is" if whole.beats_baseline else "is not"
        return (
            f"This set of {result.power.samples:,} {shown} that the model is better. Judged on all {whole.samples:,} "
            f"it {is_better}."
        )


def hold_contest(dataset: Dataset, trained_on: int, stop: threading.Event) -> Contest:
    """Hold half of the samples out, train a small model on a few of the others, and put it beside the baseline."""
    split, few = hold_out(dataset, test_size=0.5), slice(trained_on)
    prepared = prepare(dataclasses.replace(split, x_train=split.x_train[few], y_train=split.y_train[few]))
    epochs = 40 if dataset.problem.kind == "table" else 15
    spec = ModelSpec(hidden_units=(16,), optimizer="adam", learning_rate=0.01, batch_size=32, epochs=epochs)
    run = train(spec, prepared, stop=stop, journal=None)
    return Contest(
        prepared=prepared,
        outputs=np.asarray(run.model.predict(prepared.inputs("val"), batch_size=1024, verbose=0)),
        baseline=compute_baseline(prepared),
    )
