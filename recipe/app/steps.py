"""The first steps of the workflow as functions: each returns what it found, in numbers and in sentences."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from recipe.app.trials import Bench, Trial
from recipe.core.dataset import Dataset, Split
from recipe.core.measures import MEASURES, Measure
from recipe.core.preparation import Preparation
from recipe.core.problem import Problem, ProblemType
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.steps.s3_protocol import hold_out, k_fold
from recipe.steps.s5_baseline import Baseline, StatisticalPower, compute_baseline, statistical_power
from recipe.steps.s6_plan import FEW_SAMPLES, FOLDS, HELD_OUT, Plan

TITLES = (
    ("Define the problem", "What am I predicting, from what?"),
    ("Choose a measure of success", "What counts as success?"),
    ("Decide on an evaluation protocol", "How will I judge honestly?"),
    ("Prepare the data", "Is the data fit for a network?"),
    ("Beat a baseline", "Can anything be learned at all?"),
    ("Scale up until it overfits", "Is the model big enough?"),
    ("Regularize and tune", "How good can it get?"),
    ("Look at the test set, once", "Does it keep the promise?"),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """What a step found.

    Attributes
    ----------
    number : from 1; 8 is the final model, which belongs to step 7
    sentences : for people, each of them complete
    numbers : by name, for programs
    """

    number: int
    sentences: tuple[str, ...]
    numbers: dict[str, object] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What is done in this step."""
        return TITLES[self.number - 1][0]

    @property
    def question(self) -> str:
        """What the step answers."""
        return TITLES[self.number - 1][1]


@dataclass(frozen=True, kw_only=True, eq=False)
class ProblemStep(Step):
    """Step 1, with the data."""

    dataset: Dataset


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasureStep(Step):
    """Step 2, with the measure of success."""

    measure: Measure


@dataclass(frozen=True, kw_only=True, eq=False)
class ProtocolStep(Step):
    """Step 3, with the splits."""

    splits: tuple[Split, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparationStep(Step):
    """Step 4, with what was fitted on the training part of the first split."""

    preparation: Preparation


@dataclass(frozen=True, kw_only=True, eq=False)
class BaselineStep(Step):
    """Step 5, with the baseline, the small model, and whether it is better beyond chance."""

    baseline: Baseline
    small: Trial
    power: StatisticalPower


def state_problem(name: str, source: str = "auto", rows: int | None = None, seed: int = 0) -> ProblemStep:
    """Step 1: load the data and say what it is. None for `rows` takes the problem's own number."""
    from recipe.data.problems import default_rows

    dataset = load(name, source=source, rows=default_rows(name) if rows is None else rows, seed=seed)
    problem, last = dataset.problem, dataset.problem.last_layer
    sentences = (
        problem.question,
        f"This is {_article(problem.type)}: the last layer has {_count(problem.outputs, 'unit')} with "
        f"{f'{last.activation} activation' if last.activation else 'no activation'}, and the loss is {last.loss}.",
        f"Source: {dataset.source}. {dataset.reason}",
        dataset.provenance,
        f"{len(dataset.y_train):,} samples are there to learn from; {len(dataset.test):,} more are sealed away as the "
        "test set.",
    )
    numbers = {"samples": len(dataset.y_train), "test_samples": len(dataset.test)}
    return ProblemStep(number=1, sentences=sentences, numbers=numbers, dataset=dataset)


def choose_measure(dataset: Dataset) -> MeasureStep:
    """Step 2: say what counts as success, and why a plain accuracy will not always do."""
    problem, measure = dataset.problem, MEASURES[dataset.problem.measure]
    unit = measure.unit_of(problem)
    better = "higher" if measure.higher_is_better else "lower"
    sentences = [f"The measure of success is the {measure.title}; {better} is better. {measure.note}"]
    if unit:
        sentences.append(f"Its unit: {unit}.")
    shares = _shares(problem, dataset.y_train)
    if shares:
        listed = ", ".join(f"{name}: {100 * share:.1f} %" for name, share in shares.items())
        sentences.append(f"In the training data: {listed}.")
    return MeasureStep(number=2, sentences=tuple(sentences), numbers={"shares": shares}, measure=measure)


def choose_protocol(dataset: Dataset, seed: int = 0) -> ProtocolStep:
    """Step 3: hold out a part where there is plenty of data, let folds take turns where there is not."""
    samples = len(dataset.y_train)
    if samples < FEW_SAMPLES:
        splits = k_fold(dataset, folds=FOLDS, seed=seed)
        sentences = (
            f"{samples:,} samples are few: the score of a single validation part would depend on which samples fell "
            f"into it. So {FOLDS} folds take turns as the validation part, and the score is their mean.",
        )
    else:
        splits = (hold_out(dataset, test_size=HELD_OUT, seed=seed),)
        sentences = (
            f"Of {samples:,} samples {len(splits[0].y_val):,}, drawn at random, are held out for validation: enough "
            f"for a steady score. {len(splits[0].y_train):,} are left to train on.",
        )
    sentences += ("What is decided from here on is decided by validation. The test set stays sealed.",)
    numbers = {"splits": len(splits), "validation_samples": sum(len(split.y_val) for split in splits)}
    return ProtocolStep(number=3, sentences=sentences, numbers=numbers, splits=splits)


def prepare_data(bench: Bench, spec: ModelSpec) -> PreparationStep:
    """Step 4: bring the data into the form that a network reads, with statistics from the training part alone."""
    first = bench.prepared(spec)[0]
    x, preparation = first.x_train, first.preparation
    done = {
        "scale": f"Pixels from 0 to {1 / preparation.input_scale:g} are scaled to the range from 0 to 1.",
        "normalize": "Each feature is shifted and scaled to mean 0 and standard deviation 1, with the mean and the "
        "deviation of the training part alone: the validation part must not leak into them.",
        "multi_hot": f"Each review becomes a row of {x.shape[1]:,} zeros and ones: which of the most frequent words "
        "stand in it.",
        "sequence": f"Each review becomes the row of its first {x.shape[1]} words.",
    }[preparation.encoding]
    size = f"The training part has the shape {x.shape} and takes {x.nbytes / 1e6:,.1f} MB as {x.dtype}."
    sentences = (done, *_target_sentence(bench.problem), size)
    numbers = {"encoding": preparation.encoding, "shape": list(x.shape), "megabytes": x.nbytes / 1e6}
    return PreparationStep(number=4, sentences=sentences, numbers=numbers, preparation=preparation)


def beat_baseline(bench: Bench, plan: Plan) -> BaselineStep:
    """Step 5: train a small model and test whether it is better than a guess, beyond chance."""
    prepared = bench.prepared(plan.small)
    guesses = [compute_baseline(bench.problem, one.y_train, one.y_val) for one in prepared]
    outputs, y_val = np.concatenate([guess.outputs for guess in guesses]), np.concatenate([p.y_val for p in prepared])
    value = MEASURES[bench.problem.measure].compute(bench.problem, y_val, outputs)
    baseline = replace(guesses[0], value=value, outputs=outputs)
    # Its last weights are the ones that are tested, so the score is the one of the last epoch.
    small = bench.try_spec(5, "small model", plan.small, at_end=True)
    power = statistical_power(bench.problem, y_val, bench.predict(small), baseline, seed=plan.small.seed)
    sentences = (
        baseline.sentence,
        f"A small model ({describe_spec(small.spec)}) reaches {show_score(bench.problem, small.score)} in validation "
        f"after {_count(small.epochs, 'epoch')}.",
        power.sentence,
    )
    numbers = {"baseline": value, "small": small.score, "confidence": power.confidence}
    return BaselineStep(number=5, sentences=sentences, numbers=numbers, baseline=baseline, small=small, power=power)


def describe_spec(spec: ModelSpec) -> str:
    """Say what a spec is in a few words.

    Examples
    --------
    >>> describe_spec(ModelSpec(hidden_units=(64, 64), dropout=0.5, batch_size=16))
    'mlp of 64-64 units, dropout 0.5, rmsprop, batches of 16'
    """
    parts = [f"{spec.architecture} of {'-'.join(map(str, spec.hidden_units))} units" if spec.hidden_units else "linear"]
    parts += [f"{name} {value:g}" for name in ("dropout", "l1", "l2") if (value := getattr(spec, name))]
    parts.append(spec.optimizer if spec.learning_rate is None else f"{spec.optimizer} at {spec.learning_rate:g}")
    return ", ".join([*parts, f"batches of {spec.batch_size}"])


def show_score(problem: Problem, value: float) -> str:
    """Write a value of the problem's measure with its name and unit."""
    measure = MEASURES[problem.measure]
    return f"{measure.title} {value:.4g} {measure.unit_of(problem)}".rstrip()


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _article(kind: ProblemType) -> str:
    return f"a {kind}" if kind.is_classification else str(kind)


def _shares(problem: Problem, y: np.ndarray) -> dict[str, float]:
    """Return which part of the samples has each label; empty for quantities."""
    if not problem.type.is_classification:
        return {}
    if y.ndim > 1:
        return dict(zip(problem.output_names, y.mean(axis=0).tolist(), strict=True))
    shares = np.bincount(y, minlength=len(problem.output_names)) / len(y)
    return dict(zip(problem.output_names, shares.tolist(), strict=True))


def _target_sentence(problem: Problem) -> tuple[str, ...]:
    if not problem.target_unit:
        return ()
    return (f"The target is counted in this unit: {problem.target_unit}.",)
