"""Step 5's panel: does a small model beat the baseline? It depends on how many validation samples there are to tell."""

from __future__ import annotations

import threading
import typing
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recipe.core.measures import MEASURES, name_measure
from recipe.core.prepared import Prepared
from recipe.core.spec import ModelSpec
from recipe.figures import BLUE, GREEN, INK, VERMILION, finish
from recipe.lessons.few import draw_few, few_code, predict_held_out
from recipe.steps.s5_baseline import Rival, StatisticalPower, compute_baseline, fit_rival, statistical_power
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

SAMPLES = (20, 50, 100, 200, 500, 1_000, 2_000)
SPEC = ModelSpec(hidden_units=(16,), optimizer="adam", learning_rate=0.01, batch_size=32, epochs=20)


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


class Judgement(typing.NamedTuple):
    """A model beside the baseline, tested on a few of the validation samples, and on all of them, and the rival."""

    power: StatisticalPower
    whole: StatisticalPower
    rival: Rival


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
    loads: typing.ClassVar = {"imdb": 6_000, "mnist": 8_000, "housing": 6_000}  # half of them to judge on
    figure_size = (6.6, 3.6)

    def compute(self, settings: BaselineSettings, on_progress: OnProgress, stop: threading.Event) -> Judgement:
        """Train the model and test it on all samples, if that was not done yet; then test it on a few."""
        dataset, key = self.dataset, (settings.problem, settings.trained_on)
        on_progress(None, "Training the small model, once ...")
        model = self.once(key, lambda: predict_held_out(draw_few(dataset, settings.trained_on), SPEC, stop), stop)
        whole = self.once((*key, "judged"), lambda: judge(*model), stop)
        rival = self.once((*key, "rival"), lambda: fit_rival(model[0]), stop)
        return Judgement(judge(*model, settings.samples, seed=settings.draw), whole, rival)

    def draw(self, figure: Figure, result: Judgement) -> None:
        """The scores on these samples, and on all of them; the intervals are those of the difference.

        Dots, not bars: scores such as 0.978 and 0.981 are told apart on an axis that need not begin at 0.
        """
        axes, names, measure = figure.subplots(), [], MEASURES[result.power.measure]
        sign, direction = (1, "right") if measure.higher_is_better else (-1, "left")
        for power in result[:2]:
            ends = [power.baseline + sign * end for end in power.interval]
            axes.plot(ends, [len(names)] * 2, color=BLUE, linewidth=2.5, alpha=0.6)
            for name, mark, colour in (("model", "o", BLUE), ("baseline", "D", VERMILION)):
                score = getattr(power, name)
                axes.plot(score, len(names), mark, color=colour, markersize=8)
                place = {"textcoords": "offset points", "ha": "center", "fontsize": "small", "color": INK}
                axes.annotate(f"{score:.3g}", (score, len(names)), (0, 7), **place)
                names.append(f"{power.samples:,} samples:\n{name}")
        axes.axvline(result.rival.value, color=GREEN, linestyle="--", zorder=0)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.7)  # from the top
        axes.margins(x=0.12)
        axes.grid(axis="y", alpha=0.25)
        line = "line: the baseline plus the 90 % interval of the difference"
        axes.set_xlabel(f"{name_measure(self.dataset.problem)} ({direction} is better)\n{line}")
        power, source = result.power, " (sample data)" if self.dataset.source == "sample" else ""
        verdict = "beats it" if power.beats_baseline else "no difference shown" if power.difference > 0 else "no better"
        rival = f"dashed, on all samples: {result.rival.name} {result.rival.value:.4g}"
        finish(axes, f"{power.samples:,} samples: {verdict}, p = {power.p_value:.2g}{source}\n{rival}")

    def describe(self, result: Judgement) -> str:
        """Both tests in words."""
        rival = f"The rival, {result.rival.name}, has {result.rival.value:.3g}."
        return f"{result.power.sentence} On all samples: {result.whole.sentence} {rival}"

    def tabulate(self, result: Judgement) -> pd.DataFrame:
        """A row for the samples that were drawn and one for all."""
        heads = ["samples", "model", "baseline", "p_value", "beats_baseline"]
        rows = [[getattr(test, head) for head in heads] for test in result[:2]]
        table = pd.DataFrame(rows, index=["drawn", "all"], columns=heads).rename_axis("judged on").reset_index()
        return table.assign(rival=[None, result.rival.value])

    def program(self, settings: BaselineSettings, result: Judgement) -> tuple[str, str]:
        """The same network, guess and test in Keras and SciPy."""
        judged = {"samples": settings.samples, "which": settings.draw}
        return few_code("s5_baseline", SPEC, self.dataset, draw_few(self.dataset, settings.trained_on), **judged)

    def summarise(self, result: Judgement) -> str:
        """What was found on these samples, and what the rival has on all."""
        return f"{result.power.sentence} The rival, {result.rival.name}, has {result.rival.value:.3g} on all of them."


def judge(prepared: Prepared, outputs: np.ndarray, samples: int | None = None, *, seed: int = 0) -> StatisticalPower:
    """Test a model on so many validation samples, drawn without replacement; None, or more than there are: on all.

    Parameters
    ----------
    outputs : np.ndarray of shape (n_val, outputs), of the model on all validation samples
    """
    baseline = compute_baseline(prepared)
    rows = np.random.default_rng(seed).permutation(len(prepared.y_val))[:samples]
    few = replace(baseline, outputs=baseline.outputs[rows])
    return statistical_power(prepared.problem, prepared.y_val[rows], outputs[rows], few, seed=seed)
