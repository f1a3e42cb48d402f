"""One entry of the journal: what was trained, what came out and who asked for it; as Optuna keeps it, as we read it."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from recipe.core.parameters import from_params, to_params
from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.data.problems import PROBLEMS

if TYPE_CHECKING:
    import optuna

STATES = ("complete", "pruned", "failed")
WISHES = ("asked", "interrupted", "callback")  # how a run ends that did not get as far as its spec says
DIGITS = 7  # significant ones of each number of a history: what float32 has

# The columns of a row, as in a table or a CSV file.
_WHAT = ("time", "problem", "source", "origin", "state", "measure", "score", "train_score", "best_epoch", "epochs")
_SPEC = (
    "architecture",
    "hidden_units",
    "activation",
    "dropout",
    "l1",
    "l2",
    "optimizer",
    "learning_rate",
    "batch_size",
)
_REST = ("stopped", "patience", "seed", "spec", "seconds", "pinned", "final", "protocol", "data", "number", "backend")
COLUMNS = _WHAT + _SPEC + _REST

_origin: ContextVar[str | None] = ContextVar("origin", default=None)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A training that the journal keeps.

    Attributes
    ----------
    study, number : where it lies in the storage: a trial of an Optuna study
    state : ``"complete"``; ``"pruned"`` (ended before its last epoch by a search or a wish); ``"failed"`` (its score is
        no number, or it raised an error)
    problem, source, protocol, data : what it was trained on; `data` is `Prepared.data_key`
    origin : who asked for it: ``"notebook"``, ``"script"``, ``"command line"``, ``"panel"``, ``"search"``
    measure : the name of the measure of success
    score, train_score : the measure on the validation and the training part; NaN where there is none, such as the score
        of a final model, for which nothing is held out
    best_epoch : from 0; epochs : how many were trained; stopped : as in a `Run`
    history : as in a `Run`, to 7 significant digits
    time : when it ended, ISO 8601 in UTC
    final : whether it is a final training, on training and validation data together
    by_spec : whether spec and data alone decided the outcome: no callbacks, no other engine, the samples shuffled
    extra : what else was noted with it
    """

    study: str
    number: int
    state: str
    problem: str
    source: str
    protocol: str
    data: str
    spec: ModelSpec
    seed: int
    origin: str
    measure: str
    score: float
    train_score: float
    best_epoch: int
    epochs: int
    stopped: str | None
    seconds: float
    backend: str
    versions: dict[str, str] = field(repr=False)
    history: dict[str, list[float]] = field(repr=False)
    time: str
    pinned: bool = False
    final: bool = False
    by_spec: bool = True
    extra: dict[str, object] = field(default_factory=dict, repr=False)

    def to_row(self) -> dict[str, object]:
        """Return the entry as one flat row: numbers, texts and None; epochs as people count them, from 1."""
        own = {
            "best_epoch": self.best_epoch + 1,
            "hidden_units": "-".join(map(str, self.spec.hidden_units)),
            "spec": self.spec.describe(),
        }
        row = {name: own.get(name, getattr(self, name, getattr(self.spec, name, None))) for name in COLUMNS}
        return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}


@contextlib.contextmanager
def origin_of(name: str) -> Iterator[None]:
    """Say of all runs that are recorded inside, by this thread, who asked for them.

    Examples
    --------
    >>> with origin_of("panel"):
    ...     current_origin()
    'panel'
    """
    token = _origin.set(name)
    try:
        yield
    finally:
        _origin.reset(token)


def current_origin() -> str:
    """Return who asks now: what `origin_of` says, else ``"notebook"`` inside IPython and ``"script"`` outside."""
    if _origin.get() is not None:
        return _origin.get()
    shell = sys.modules.get("IPython")
    return "notebook" if shell is not None and shell.get_ipython() is not None else "script"


def entry_attributes(
    run: Run,
    *,
    origin: str | None = None,
    by_spec: bool = True,
    final: bool = False,
    extra: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Return what a trial of a run carries as user attributes: ``"run"`` and ``"history"``, ready for JSON."""
    score, train_score = _scores(run)
    values = {
        "problem": run.problem.name,
        "source": run.source,
        "protocol": run.protocol,
        "data": run.data,
        "spec": run.spec.to_dict(),
        "origin": origin or current_origin(),
        "measure": run.measure,
        "score": None if final else _finite(score),
        "train_score": _finite(train_score),
        "best_epoch": run.best_epoch,
        "epochs": run.epochs,
        "stopped": run.stopped,
        "seconds": round(run.seconds, 3),
        "backend": run.backend,
        "versions": run.versions,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "by_spec": by_spec,
        "final": final,
        "extra": dict(extra or {}),
    }
    return {"run": values, "history": {key: [_short(value) for value in one] for key, one in run.history.items()}}


def make_trial(run: Run, attributes: dict[str, object]) -> optuna.trial.FrozenTrial:
    """Return a run as a finished trial of Optuna's, with the measure after each epoch as its intermediate values."""
    from optuna.trial import TrialState, create_trial

    score = _finite(_scores(run)[0])
    state = TrialState.PRUNED if run.stopped in WISHES else TrialState.COMPLETE
    params, distributions = to_params(run.spec)
    steps = enumerate(run.history.get("val_" + run.measure, ()))
    return create_trial(
        state=TrialState.FAIL if score is None else state,
        value=score,
        params=params,
        distributions=distributions,
        user_attrs=attributes,
        intermediate_values={epoch: _short(value) for epoch, value in steps if _finite(value) is not None},
    )


def read_entry(study: str, trial: optuna.trial.FrozenTrial, pinned: bool) -> Entry | None:
    """Return a trial as an entry; None where it is not finished, or holds nothing that this version knows."""
    states = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
    if trial.state.name not in states:
        return None
    problem, _, data = study.rpartition("-")
    values = _defaults(problem, data, trial) | trial.user_attrs.get("run", {})
    try:
        spec = ModelSpec.from_dict(values.pop("spec")) if "spec" in values else from_params(trial.params)
    except (ValueError, TypeError, KeyError):
        return None
    known = {name: values[name] for name in Entry.__dataclass_fields__ if name in values}
    scores = {name: math.nan if known[name] is None else known[name] for name in ("score", "train_score")}
    history = trial.user_attrs.get("history", {})
    place = {"study": study, "number": trial.number, "state": states[trial.state.name], "pinned": pinned}
    return Entry(**known | scores | place | {"spec": spec, "seed": spec.seed, "history": history})


def _defaults(problem: str, data: str, trial: optuna.trial.FrozenTrial) -> dict[str, object]:
    """Return what an entry says of a trial that ended before there was a run: its origin can only be a search."""
    ended = trial.datetime_complete  # local time without a zone, as Optuna has it
    return {
        "problem": problem,
        "source": "",
        "protocol": "",
        "data": data,
        "origin": "search",
        "measure": PROBLEMS[problem].measure if problem in PROBLEMS else "",
        "score": trial.value if trial.state.name == "COMPLETE" else None,
        "train_score": None,
        "best_epoch": 0,
        "epochs": len(trial.intermediate_values),
        "stopped": None,
        "seconds": trial.duration.total_seconds() if trial.duration else 0.0,
        "backend": "",
        "versions": {},
        "time": ended.astimezone(UTC).isoformat(timespec="seconds") if ended else "",
    }


def _scores(run: Run) -> tuple[float, float]:
    """Return the measure on the validation and the training part, of the same weights."""
    validation, training = run.history.get("val_" + run.measure), run.history.get(run.measure)
    if not validation or not training:
        return math.nan, math.nan
    epoch = run.best_epoch
    return float(validation[epoch]), float(training[epoch])


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
