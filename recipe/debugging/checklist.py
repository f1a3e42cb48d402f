"""Step 5: nothing beats the baseline. Last activation, loss, learning rate, and then the last resort.

The last resort gives the model the answer among its inputs. A model that cannot even learn to copy it has a broken
pipeline. One that can, and still beats no baseline without it, may be looking for an answer that is not in the data.
"""

from __future__ import annotations

from dataclasses import dataclass

from recipe.core.prepared import Prepared
from recipe.core.spec import ModelSpec
from recipe.debugging import PipelineReport, check_pipeline
from recipe.debugging.bench import ROWS, VAL_ROWS
from recipe.debugging.checks import Check
from recipe.engine.models import build_model, make_targets
from recipe.steps.s5_baseline import StatisticalPower, compute_baseline, statistical_power
from recipe.steps.training import train

CHECKLIST = ("last activation", "loss", "learning rate", "output as input")


@dataclass(frozen=True, kw_only=True, eq=False)
class Checklist:
    """The answers for the model at hand.

    Attributes
    ----------
    power : whether its model beats the baseline
    report : of the four checks, in their order
    """

    power: StatisticalPower
    report: PipelineReport

    @property
    def checks(self) -> tuple[Check, ...]:
        """The four checks."""
        return self.report.checks

    @property
    def first_failed(self) -> Check | None:
        """The check to begin with; None where none failed."""
        return next(iter(self.report.failed), None)

    @property
    def answer_may_be_missing(self) -> bool:
        """Whether all passed and the model beats no baseline: what is asked may not stand in the inputs."""
        return self.first_failed is None and not self.power.beats_baseline

    @property
    def sentence(self) -> str:
        """The verdict in words, with the way out."""
        failed, power = self.report.failed, self.power.sentence
        if failed:
            many = f" ({len(failed)} of {len(self.checks)} checks failed; this one comes first.)" if failed[1:] else ""
            so_far = "The model beats the baseline, and could do better. " if self.power.beats_baseline else ""
            return f"{so_far}Begin with the {failed[0].name}. {failed[0].found} {failed[0].cause}{many}"
        if self.answer_may_be_missing:
            return (
                f"No check failed, and still: {power[0].lower()}{power[1:]} The pipeline learns what there is to "
                "learn, so the answer may not be in the data: the inputs may not say what is asked, or inputs and "
                "targets may not belong together. Look at them."
            )
        return f"There is nothing to repair. {power}"


def run_checklist(spec: ModelSpec, prepared: Prepared) -> Checklist:
    """Go through the checklist for a model: four of the checks of `recipe.check_pipeline`.

    Parameters
    ----------
    spec : the model that beats no baseline
    prepared : what it is trained and validated on
    """
    problem, run = prepared.problem, train(spec, prepared, journal=None)
    baseline = compute_baseline(problem, prepared.y_train, prepared.y_val)
    outputs = run.model.predict(prepared.inputs("val"), batch_size=1024, verbose=0)
    arrays = []
    for x, y, rows in ((prepared.x_train, prepared.y_train, ROWS), (prepared.x_val, prepared.y_val, VAL_ROWS)):
        # As many as are looked at, before they are float32.
        arrays += [prepared.preparation.to_network(x[:rows]), make_targets(spec, problem, y[:rows])]
    report = check_pipeline(build_model(spec, problem), *arrays, problem=problem, checks=CHECKLIST, seed=spec.seed)
    power = statistical_power(problem, prepared.y_val, outputs, baseline)
    return Checklist(power=power, report=report)
