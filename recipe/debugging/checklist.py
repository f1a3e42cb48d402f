"""Step 5: nothing beats the baseline. Last activation, loss, learning rate, and then the last resort.

The last resort gives the model the answer among its inputs. A model that cannot even learn to copy it has a broken
pipeline. One that can, and still beats no baseline without it, may be looking for an answer that is not in the data.
"""

from __future__ import annotations

from dataclasses import dataclass

from recipe.core.prepared import Prepared
from recipe.core.run import Run
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
    run : the training as it was asked for
    power : whether its model beats the baseline
    report : of the four checks, in their order
    """

    run: Run
    power: StatisticalPower
    report: PipelineReport

    @property
    def checks(self) -> tuple[Check, ...]:
        """Of the last activation, the loss, the learning rate, and of the output as input."""
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


def run_checklist(spec: ModelSpec, prepared: Prepared, *, run: Run | None = None) -> Checklist:
    """Go through the checklist for a model: four of the checks of `recipe.check_pipeline`.

    Parameters
    ----------
    spec : the model that beats no baseline
    prepared : what it is trained and validated on
    run : its training, if that was done; None trains it
    """
    problem = prepared.problem
    run = run or train(spec, prepared, journal=None)
    baseline = compute_baseline(problem, prepared.y_train, prepared.y_val)
    outputs = run.model.predict(prepared.inputs("val"), batch_size=1024, verbose=0)
    few = prepared.x_train[:ROWS], prepared.x_val[:VAL_ROWS]  # as many as are looked at, before they are float32
    x_train, x_val = map(prepared.preparation.to_network, few)
    y_train, y_val = (
        make_targets(spec, problem, y[:rows]) for y, rows in ((prepared.y_train, ROWS), (prepared.y_val, VAL_ROWS))
    )
    report = check_pipeline(
        build_model(spec, problem), x_train, y_train, x_val, y_val, problem=problem, checks=CHECKLIST, seed=spec.seed
    )
    power = statistical_power(problem, prepared.y_val, outputs, baseline)
    return Checklist(run=run, power=power, report=report)
