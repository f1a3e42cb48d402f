"""Step 5's panel: does a small model beat the baseline? It depends on how many validation samples there are to tell."""

from __future__ import annotations

import dataclasses
import threading
import typing
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from recipe.core.dataset import Dataset
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared
from recipe.core.spec import ModelSpec
from recipe.figures import draw_scores, finish, name_measure
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.s5_baseline import Baseline, StatisticalPower, compute_baseline, statistical_power
from recipe.steps.training import train
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

if typing.TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLES = (20, 50, 100, 200, 500, 1_000, 2_000)


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
        50, label="validation samples", low=20, high=10_000, steps=SAMPLES, help="How many the two are judged on."
    )
    draw: int = setting(1, label="which of them", low=1, high=30, help="Another number draws other samples.")


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """A trained model's outputs on all validation samples, beside those of the baseline.

    Attributes
    ----------
    prepared : what the model was trained and validated on
    outputs : np.ndarray of shape (n_val, outputs)
    """

    prepared: Prepared
    outputs: np.ndarray = field(repr=False)
    baseline: Baseline

    def judge(self, samples: int | None = None, *, seed: int = 0) -> StatisticalPower:
        """Test on so many validation samples, drawn without replacement; None, or more than there are: on all."""
        y_val = self.prepared.y_val
        rows = np.random.default_rng(seed).permutation(len(y_val))[:samples]
        few = dataclasses.replace(self.baseline, outputs=self.baseline.outputs[rows])
        return statistical_power(self.prepared.problem, y_val[rows], self.outputs[rows], few, seed=seed)

    @cached_property
    def whole(self) -> StatisticalPower:
        """The test on all samples."""
        return self.judge()


class Judgement(NamedTuple):
    """A model beside the baseline, tested on a few of the samples."""

    contest: Contest
    power: StatisticalPower


class BaselinePanel(Panel):
    """A small model against the baseline on a few validation samples, and on all of them.

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

    def compute(self, settings: BaselineSettings, on_progress: OnProgress, stop: threading.Event) -> Judgement:
        """Train the model if that was not done yet, and test it on the samples."""
        dataset, trained_on = self.dataset, settings.trained_on
        on_progress(None, "Training the small model, once ...")
        key = settings.problem, trained_on
        contest = self.once(key, lambda: hold_contest(dataset, trained_on, stop), stop)
        return Judgement(contest, contest.judge(settings.samples, seed=settings.draw))

    def draw(self, figure: Figure, result: Judgement) -> None:
        """The scores on these samples, and on all of them; the intervals are those of the difference."""
        axes, measure = figure.subplots(), MEASURES[result.power.measure]
        sign, scores, intervals = 1 if measure.higher_is_better else -1, {}, {}
        for power in (result.power, result.contest.whole):
            name = f"{power.samples:,} samples:\n"
            scores |= {f"{name}model": power.model, f"{name}baseline": power.baseline}
            intervals[f"{name}model"] = tuple(power.baseline + sign * end for end in power.interval)
        draw_scores(
            axes,
            scores,
            quantity=name_measure(result.contest.prepared.problem),
            higher_is_better=measure.higher_is_better,
            intervals=intervals,
            on_test=[name for name in scores if name.endswith("baseline")],  # in a colour of its own
        )
        axes.set_xlabel(axes.get_xlabel() + "\nline: 90 % interval")
        power, source = result.power, " (sample data)" if result.contest.prepared.source == "sample" else ""
        verdict = "beats it" if power.beats_baseline else "cannot be told" if power.difference > 0 else "no better"
        finish(axes, f"{power.samples:,} samples: {verdict}, p = {power.p_value:.2g}{source}")

    def describe(self, result: Judgement) -> str:
        """Both tests in words."""
        return f"{result.power.sentence} On all samples: {result.contest.whole.sentence}"

    def tabulate(self, result: Judgement) -> pd.DataFrame:
        """A row for the samples that were drawn and one for all."""
        heads = ["samples", "model", "baseline", "p_value", "beats_baseline"]
        tests = {"drawn": result.power, "all": result.contest.whole}
        rows = {name: [getattr(test, head) for head in heads] for name, test in tests.items()}
        return pd.DataFrame.from_dict(rows, orient="index", columns=heads).rename_axis("judged on").reset_index()

    def summarise(self, result: Judgement) -> str:
        """What was found on these samples, and on all."""
        shown, whole = "shows" if result.power.beats_baseline else "does not show", result.contest.whole
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
