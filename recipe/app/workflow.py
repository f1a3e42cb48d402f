"""The whole workflow in one call: seven steps from the data to the one look at the test set."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from recipe.core.dataset import Dataset, Split
from recipe.core.input_checks import expect
from recipe.core.measures import MEASURES, describe_score, name_measure
from recipe.core.prepared import Prepared, encoding_for
from recipe.core.problem import Problem
from recipe.core.run import WISHES, EpochReport, Run, mean_run
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.data.problems import default_rows
from recipe.engine.saving import FinalModel, predict
from recipe.search.plan import FEW_SAMPLES, FOLDS, HELD_OUT, Plan, make_plan
from recipe.steps.s2_measure import LEVEL, estimate_uncertainty, variance_of_folds
from recipe.steps.s3_protocol import hold_out, k_fold
from recipe.steps.s4_prepare import prepare
from recipe.steps.s5_baseline import Baseline, Rival, StatisticalPower, compute_baseline, statistical_power
from recipe.steps.s6_scale_up import HistoryDiagnosis, Verdict, diagnose_errors, diagnose_history, has_errors
from recipe.steps.s7_final import FinalResult, evaluate_once, train_final
from recipe.steps.s7_regularize import advise
from recipe.steps.training import cross_validate

TOLERANCE = 0.005  # half a point: where a model is tuned, less than the usual two points count


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of the workflow, and what it found.

    Attributes
    ----------
    number : from 1; 8 is the final model, which belongs to step 7
    title, question : what is done, and what it answers
    sentences : each of them complete; empty while the step has only begun
    """

    number: int
    title: str
    question: str
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """One spec, trained on every split of the protocol: a mean run with its place in the workflow.

    Attributes
    ----------
    step : number of the step that it belongs to
    name : for people, such as ``"big model"``
    run : the mean over the splits; its `members` are the runs
    why : what led to it, empty if nothing but the plan
    """

    step: int
    name: str
    run: Run
    why: str = ""

    @cached_property
    def diagnosis(self) -> HistoryDiagnosis:
        """What the mean curves say."""
        return diagnose_history(self.run)

    @property
    def sentence(self) -> str:
        """What it is, and how far it came."""
        run = self.run
        reached = f"{describe_score(run.problem, run.score)} in validation at epoch {run.best_epoch + 1}"
        return f"The {self.name} ({run.spec.describe()}) reaches {reached}."


@dataclass(kw_only=True, eq=False)
class RecipeResult:
    """All that the workflow found, as far as it came; what was not reached is None or empty.

    Attributes
    ----------
    dataset : what it walked on
    seed : as it was asked for
    splits : of the protocol, raw
    baseline, power : of step 5: what a guess achieves, and whether the small model is better beyond chance
    rival : of step 5: the best simple model that is no network, its outputs those of all splits
    overfitting_epoch : from 1, the epoch from which on the last model of step 6 overfits; None if it does not
    best : the trial with the best validation score: of step 6, then of all
    final, test : the final model, and what the test set said of it
    steps : in order; the last one has no sentences where it was interrupted
    trials : every training but the final one, the one that was interrupted too
    seconds : wall time
    """

    dataset: Dataset
    seed: int = 0
    splits: tuple[Split, ...] = ()
    baseline: Baseline | None = None
    power: StatisticalPower | None = None
    rival: Rival | None = None
    overfitting_epoch: int | None = None
    best: Trial | None = None
    final: FinalModel | None = None
    test: FinalResult | None = None
    steps: list[Step] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list, repr=False)
    seconds: float = 0.0

    @property
    def problem(self) -> Problem:
        """The problem, with the shapes of the data."""
        return self.dataset.problem

    @property
    def stopped_in(self) -> int | None:
        """The number of the step that Ctrl-C ended; None where all came to their end."""
        return None if self.steps[-1].sentences else self.steps[-1].number

    def to_frame(self) -> pd.DataFrame:
        """Return the scores, from the guess to the final model on the test set.

        The index says which model; ``score`` is in the problem's measure, ``low`` and ``high`` are the interval of a
        test score; NaN where there are none.
        """
        rows = {}  # of `columns`, as many as there are
        if self.baseline:
            rows["baseline"] = (self.baseline.value, f"{self.baseline.name}: {self.baseline.guess}")
        if self.rival:
            rows["rival"] = (self.rival.value, f"{self.rival.name}, scikit-learn; no network")
        for number, name in ((5, "small model"), (6, "big model"), (7, "regularized")):
            whole = [trial for trial in self.trials if trial.step == number and trial.run.stopped not in WISHES]
            if whole:
                run = find_best(whole).run
                rows[name] = (run.score, run.spec.describe(), run.best_epoch + 1)
        if self.test:
            run, noise = self.final.run, self.test.uncertainty
            told = f"{run.spec.describe()}; on all {run.train_samples:,} samples"
            rows["final model"] = (self.test.score, told, run.epochs, noise.low, noise.high)
        columns = ["score", "description", "epochs", "low", "high"]
        frame = pd.DataFrame([dict(zip(columns, row, strict=False)) for row in rows.values()], rows, columns)
        frame.insert(1, "part", np.where(frame.index == "final model", "test", "validation"))
        return frame.rename_axis("model")


def run_recipe(
    data: str | Dataset,
    source: str = "auto",
    rows: int | None = None,
    seed: int = 0,
    on_event: Callable[[Step | EpochReport], object] | None = None,
    plan: Plan | None = None,
) -> RecipeResult:
    """Walk the seven steps on a problem.

    Parameters
    ----------
    data : the name of a problem that comes with the kit, or a Dataset
    source, rows, seed : as for `load`; None for rows takes the problem's own number. A Dataset is taken as it is
    on_event : called in this thread with a `Step` as it begins, without sentences, and again when it is done; in
        between with an `EpochReport` after each epoch, whose `member` is the fold
    plan : the networks to begin with, seeds and all; None takes those of `recipe.search.plan.make_plan`

    Returns
    -------
    RecipeResult. Ctrl-C ends the work early: what was done until then is in it, and the test set stays sealed unless
    the final model was ready.

    Raises
    ------
    TypeError
        If the data is neither a name nor a Dataset.
    ValueError, OSError
        If there is no such problem, or its data cannot be had; see `load`.
    """
    began = time.perf_counter()
    if isinstance(data, str):
        data = load(data, source=source, rows=default_rows(data) if rows is None else rows, seed=seed)
    expect(data, Dataset, "The workflow begins with the name of a problem, or with the data itself.")
    result = RecipeResult(dataset=data, seed=seed)
    walk = _Walk(result=result, tell=on_event or (lambda event: None), plan=plan)
    with contextlib.suppress(KeyboardInterrupt):
        walk.go()
    result.seconds = time.perf_counter() - began
    return result


@dataclass(kw_only=True, eq=False)
class _Walk:
    """One way through the steps: each reads what the earlier ones put into `result`, and yields what to say of it."""

    result: RecipeResult
    tell: Callable[[Step | EpochReport], object]
    plan: Plan | None
    _prepared: dict[str, list[Prepared]] = field(default_factory=dict)

    def go(self) -> None:
        for number, (title, question, take) in enumerate(STEPS, start=1):
            step = Step(number=number, title=title, question=question)
            self.result.steps.append(step)
            self.tell(step)
            self.result.steps[-1] = step = replace(step, sentences=tuple(take(self)))
            self.tell(step)

    def define_problem(self) -> Iterator[str]:
        """Step 1: say what the data is, and what the question."""
        dataset = self.result.dataset
        problem, last = dataset.problem, dataset.problem.last_layer
        article = "a " if problem.type.is_classification else ""
        activation = f"{last.activation} activation" if last.activation else "no activation"
        yield problem.question
        yield (
            f"This is {article}{problem.type}. The last layer: Dense({problem.outputs}), with {activation}; the loss: "
            f"{last.loss}."
        )
        yield f"Source: {dataset.source}. {dataset.reason}"
        yield dataset.provenance
        train, test = len(dataset.y_train), len(dataset.test)
        yield f"{train:,} samples are there to learn from; {test:,} more are sealed away as the test set."

    def choose_measure(self) -> Iterator[str]:
        """Step 2: say what counts as success, and why a plain accuracy will not always do."""
        problem, measure, y = self.result.problem, MEASURES[self.result.problem.measure], self.result.dataset.y_train
        better = "higher" if measure.higher_is_better else "lower"
        yield f"The measure of success is the {name_measure(problem)}; {better} is better. {measure.note}"
        if problem.type.is_classification:
            shares = ", ".join(f"{name}: {share:.1%}" for name, share in problem.shares(y).items())
            yield f"In the training data: {shares}."

    def decide_on_protocol(self) -> Iterator[str]:
        """Step 3: hold out a part where there is plenty of data, let folds take turns where there is not."""
        dataset, samples = self.result.dataset, len(self.result.dataset.y_train)
        if samples < FEW_SAMPLES:
            splits = tuple(k_fold(dataset, folds=FOLDS, seed=self.result.seed))
            yield (
                f"{samples:,} samples are few: the score of a single validation part would depend on which samples "
                f"fell into it. So {FOLDS} folds take turns as the validation part, and the score is their mean."
            )
        else:
            splits = (hold_out(dataset, test_size=HELD_OUT, seed=self.result.seed),)
            yield (
                f"Of {samples:,} samples {len(splits[0].y_val):,}, drawn at random, are held out for validation: "
                f"enough for a steady score. {len(splits[0].y_train):,} are left to train on."
            )
        self.result.splits = splits
        self.plan = self.plan or make_plan(dataset.problem, len(splits[0].y_train), self.result.seed)
        yield "What is decided from here on is decided by validation. The test set stays sealed."

    def prepare_data(self) -> Iterator[str]:
        """Step 4: bring the data into the form that a network reads, with statistics from the training part alone."""
        first = self.prepared(self.plan.small)[0]
        x, preparation = first.x_train, first.preparation
        flags = len(preparation.columns) - len(preparation.problem.number_columns)
        yield {
            "scale": f"Pixels from 0 to {1 / preparation.input_scale:g} are scaled to the range from 0 to 1.",
            "normalize": "Each number is shifted and scaled to mean 0 and standard deviation 1, with the mean and the "
            "deviation of the training part alone: the validation part must not leak into them."
            + (f" {flags} columns of 0 and 1 stand for categories and for missing values." if flags else ""),
            "multi_hot": f"Each text becomes a row of {x.shape[1]:,} zeros and ones: which of the most frequent words "
            "stand in it.",
            "sequence": f"Each text becomes the row of its first {x.shape[1]} words.",
        }[preparation.encoding]
        yield f"The training part has the shape {x.shape} and takes {x.nbytes / 1e6:,.1f} MB as {x.dtype}."

    def beat_baseline(self) -> Iterator[str]:
        """Step 5: train a small model and test whether it is better than a guess, beyond chance."""
        result, prepared = self.result, self.prepared(self.plan.small)
        guesses = [compute_baseline(one) for one in prepared]
        y_val = np.concatenate([one.y_val for one in prepared])
        result.baseline = _join(guesses, result.problem, y_val)
        result.best = small = self.try_spec(5, "small model", self.plan.small, keep_best=True)
        jobs = zip(small.run.members, prepared, result.splits, strict=True)
        outputs = np.concatenate([predict(run.model, one.preparation, split.x_val) for run, one, split in jobs])
        result.power = statistical_power(
            result.problem, y_val, outputs, result.baseline, folds=prepared, seed=small.run.spec.seed
        )
        result.rival = _join([guess.rival for guess in guesses], result.problem, y_val)
        yield result.baseline.sentence
        reached = describe_score(result.problem, result.rival.value)
        yield f"The rival, a simple model that is no network ({result.rival.name}), reaches {reached}."
        yield small.sentence
        yield result.power.sentence

    def scale_up(self) -> Iterator[str]:
        """Step 6: train larger networks, then for longer, until one learns the training set by heart."""
        trials = []
        for spec in self.plan.ladder:
            is_longer = bool(trials) and spec.hidden_units == trials[-1].run.spec.hidden_units
            name = f"{trials[-1].name}, longer" if is_longer else "bigger model" if trials else "big model"
            trial = self.try_spec(6, name, spec)
            trials.append(trial)
            yield f"{trial.sentence} {trial.diagnosis.sentence}"
            if trial.diagnosis.verdict is Verdict.OVERFITTING:
                self.result.overfitting_epoch = since = trial.diagnosis.overfitting_epoch + 1
                yield f"From epoch {since} on it learns the training set by heart, so it is big enough."
                break
        else:
            yield "None of these overfits beyond noise: a still larger network, or longer training, might do better."
        self.result.best = find_best(trials)

    def regularize(self) -> Iterator[str]:
        """Step 7: try what the advice says, a change at a time, and keep what improves the validation score."""
        result, small, tried = self.result, self.result.trials[0], {self.result.best.run.spec}
        reachable, measure = result.dataset.reachable_error or 0.0, MEASURES[result.problem.measure]
        if not measure.higher_is_better:  # an error of a quantity is told as a part of the baseline's
            reachable = measure.error(reachable, result.baseline.value)
        if has_errors(result.best.run):
            yield diagnose_errors(result.best.run, reachable, tolerance=TOLERANCE).sentence
        for _ in range(self.plan.trials):
            advice = advise(result.best.run, reachable, tolerance=TOLERANCE)
            piece = next((one for one in advice if self.can_try(one.spec, tried)), None)
            if piece is None:
                break
            tried.add(piece.spec)
            before = result.best
            trial = self.try_spec(7, piece.title, self.with_time_to_learn(piece.spec), why=piece.reason)
            result.best = find_best((before, trial))
            kept = "kept" if result.best is trial else "not kept"
            yield (
                f"Tried: {trial.name}. {trial.why} It gives {describe_score(result.problem, trial.run.score)} at epoch "
                f"{trial.run.best_epoch + 1}, against {before.run.score:.4g} before: {kept}."
            )
        # The small model may be the best where there are so few samples that every larger one is lost on them.
        result.best = best = find_best((result.best, small))
        yield (
            f"The best in validation is the {best.name if best.step < 7 else 'changed model'}: "
            f"{best.run.spec.describe()}, {describe_score(result.problem, best.run.score)} after "
            f"{best.run.best_epoch + 1} epochs. The score of a best one is flattered a little by the choice."
        )
        yield self.compare_with_rival(best.run)

    def compare_with_rival(self, run: Run) -> str:
        """Say whether the best network is better than the rival beyond the noise of the validation samples."""
        rival, problem = self.result.rival, self.result.problem
        y_val = np.concatenate([one.y_val for one in self.prepared(run.spec)])
        noise = estimate_uncertainty(problem, y_val, rival.outputs)
        gain = MEASURES[problem.measure].gain(run.score, rival.value)
        against = f"{describe_score(problem, run.score)} against {rival.value:.4g} of the rival, {rival.name}"
        if noise.low <= run.score <= noise.high:
            return (
                f"The network cannot be told from the rival: {against} ({100 * LEVEL:g} % interval "
                f"{noise.low:.3g} to {noise.high:.3g}). Where two models are level, the simple one is easier to train "
                "and to explain."
            )
        if gain > 0:
            return f"The network beats the rival beyond the noise of the validation samples: {against}."
        return f"The network does not beat the rival: {against}. On this data the simple model is the one to use."

    def finish(self) -> Iterator[str]:
        """Train the best spec on training and validation data, as long as validation found; then test it once."""
        result, best = self.result, self.result.best.run
        spec = best.spec.replace(epochs=best.best_epoch + 1)
        final = train_final(spec, result.dataset, on_epoch=self.tell)
        if final.run.stopped in WISHES:
            raise KeyboardInterrupt
        result.final = final
        # Folds are worth fewer samples than they hold: they share what they were trained on.
        worth = np.mean([len(split.y_val) for split in result.splits]) / variance_of_folds(result.splits)
        result.test = test = evaluate_once(
            final, result.dataset, validation_score=best.score, validation_samples=round(worth), seed=best.spec.seed
        )
        yield (
            f"The final model ({final.run.spec.describe()}) was trained on all {final.run.train_samples:,} samples, "
            f"training and validation part together, for {final.run.epochs} epochs, the number that validation found."
        )
        yield from test.sentences

    def prepared(self, spec: ModelSpec) -> list[Prepared]:
        """Return the splits as the architecture reads them, each prepared by its own training part, once."""
        encoding = encoding_for(spec, self.result.problem)
        if encoding not in self._prepared:
            self._prepared[encoding] = [prepare(split, encoding=encoding) for split in self.result.splits]
        return self._prepared[encoding]

    def try_spec(self, step: int, name: str, spec: ModelSpec, *, why: str = "", keep_best: bool = False) -> Trial:
        """Train a spec on every split; a trial that Ctrl-C stopped is kept, as far as it went, and ends the work.

        With `keep_best` the models have the weights of the best epoch, which the score is of, not those of the last
        one: patience brings them back, and one that is as long as the training changes nothing else.
        """
        asked = spec.replace(patience=spec.epochs) if keep_best else spec
        runs = cross_validate(asked, self.prepared(spec), on_epoch=self.tell)
        trial = Trial(step=step, name=name, run=mean_run(runs, spec=spec), why=why)
        self.result.trials.append(trial)
        if trial.run.stopped in WISHES:
            raise KeyboardInterrupt
        return trial

    def can_try(self, spec: ModelSpec | None, tried: set[ModelSpec]) -> bool:
        """Say whether what advice on the best model says can be tried here and was not yet.

        When to stop is left out, since every trial is judged at its best epoch anyway.
        """
        best = self.result.best.run.spec
        if spec is None or spec in tried or spec.epochs < best.epochs or spec.replace(patience=best.patience) == best:
            return False
        return self.plan.architectures or spec.architecture == best.architecture

    def with_time_to_learn(self, spec: ModelSpec) -> ModelSpec:
        """Return the changed spec, with three times the epochs that the best one took: regularized ones learn slowly.

        Folds cannot stop early, each at its own time, for they share one number of epochs.
        """
        best = self.result.best.run
        if spec.epochs == best.spec.epochs:
            spec = spec.replace(epochs=max(10, min(3 * (best.best_epoch + 1), best.spec.epochs * 3 // 2)))
        return spec.replace(patience=max(3, spec.epochs // 5) if len(self.result.splits) == 1 else None)


STEPS = (
    ("Define the problem", "What am I predicting, from what?", _Walk.define_problem),
    ("Choose a measure of success", "What counts as success?", _Walk.choose_measure),
    ("Decide on an evaluation protocol", "How will I judge honestly?", _Walk.decide_on_protocol),
    ("Prepare the data", "Is the data fit for a network?", _Walk.prepare_data),
    ("Beat a baseline", "Can anything be learned at all?", _Walk.beat_baseline),
    ("Scale up until it overfits", "Is the model big enough?", _Walk.scale_up),
    ("Regularize and tune", "How good can it get?", _Walk.regularize),
    ("Look at the test set, once", "Does it keep the promise?", _Walk.finish),
)


def find_best(trials: Sequence[Trial]) -> Trial:
    """Return the trial with the best validation score, the first of equals; one that diverged only if all did."""
    measure = MEASURES[trials[0].run.measure]
    return max(trials, key=lambda one: measure.gain(one.run.score, 0.0) if math.isfinite(one.run.score) else -math.inf)


def _join(guesses: Sequence[Baseline | Rival], problem: Problem, y_val: np.ndarray) -> Baseline | Rival:
    """Return the baselines, or the rivals, of all splits as one, with the name that most of them have."""
    outputs = np.concatenate([guess.outputs for guess in guesses])
    names = [guess.name for guess in guesses]
    value = MEASURES[problem.measure].compute(problem, y_val, outputs)
    return replace(guesses[0], name=max(names, key=names.count), value=value, outputs=outputs)
