"""Proof of process: an extract of a learner's journal whose entries are chained by hashes, checked and run again.

Each entry is hashed together with the hash of the entry before it (SHA-256 over canonical JSON), and the first one with
the student's id. The grader takes the file for what it is, a text by somebody: it is small, it is JSON, and nothing in
it is run but settings of a network, within limits and on data of the grader's own. `PROVES` and `DOES_NOT_PROVE` say
what that is worth; the command prints them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import json
import math
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np

from recipe.core.dataset import Dataset, Split
from recipe.core.prepared import ENCODINGS, Prepared
from recipe.core.run import Run
from recipe.data.load import load
from recipe.data.problems import PROBLEMS
from recipe.journal import Journal, choose_journal
from recipe.steps.s3_protocol import hold_out, k_fold
from recipe.steps.s4_prepare import prepare

FORMAT = "recipe-process/1"
MOST_BYTES = 32 * 2**20  # of a file that is read: some thousand runs
MOST_ENTRIES = 20_000
MOST_LAYERS, MOST_UNITS, MOST_EPOCHS, MOST_SECONDS = 6, 1024, 500, 120  # of a run that is run again
ROWS = (None, 300, 600, 1_000, 3_000, 10_000)  # what panels, lessons and the command load
SEEDS = 3  # of the split: how many are tried
# How far two trainings may lie apart (see `measure_gap`) for one to be the other again. Up to `NEAR` it is left open:
# on a graphics card sums are taken in another order. Measured on the samples with dense, convolutional and embedding
# networks: the same settings with another compiler's options or an older processor's instructions, below 0.00001;
# another seed, 0.02 to 0.15; a learning rate that is 1 % larger, 0.001 to 0.009.
TOLERANCE, NEAR = 0.005, 0.02
SLACK = timedelta(minutes=2)  # between the clocks of processes that write the same journal, and of two machines

PROVES = (
    "A whole chain: nobody edited, took out or moved an entry of the file, or exchanged the student's id, unless all "
    "hashes after it were made anew.",
    "A run that agrees: its numbers are those that its settings give on its data. Nobody made them up.",
    "An earlier extract that is contained: those entries were there when it was handed in.",
)
DOES_NOT_PROVE = (
    "Who worked. The same settings give the same numbers to everybody, and a journal can be copied before it is "
    "exported. Entries that two students share to the last digit are named where both files are given.",
    "When. The times are of the student's own clock: a chain that was made in one go, after the fact, is as whole as "
    "one that grew for weeks. An earlier extract is what pins the past down.",
    "That nothing is missing. What was deleted before the export leaves no trace, least of all at the end, and with "
    "RECIPE_JOURNAL=off nothing is recorded.",
    "That nobody made the chain anew after an edit: there is no secret in the hashes. A run that was edited shows when "
    "it is run again; those that were not run again are as good as the student's word.",
)


@dataclass(frozen=True, kw_only=True)
class Link:
    """An entry of the journal in its place: its number from 1, the hash before it, and its own as the file has it."""

    number: int
    previous: str
    hash: str
    entry: Mapping[str, object]

    @property
    def true_hash(self) -> str:
        """The hash of what it says."""
        return _hash({"number": self.number, "previous": self.previous, "entry": self.entry})

    @property
    def run(self) -> Run | None:
        """The run that it is; None where it is another kind of entry, or no run of this version."""
        try:
            return Run.from_dict(self.entry["run"])
        except Exception:  # whatever a stranger's text may bring about
            return None

    @property
    def time(self) -> datetime | None:
        """When it was written; None where it does not say so, as a look at a test set."""
        for kind in ("run", "answer"):
            values = self.entry.get(kind)
            if isinstance(values, dict) and "time" in values:
                time = datetime.fromisoformat(str(values["time"]))
                return time if time.tzinfo else time.replace(tzinfo=UTC)
        return None


@dataclass(frozen=True, kw_only=True)
class Extract:
    """What a file of proof holds.

    Attributes
    ----------
    exported : when it was written, by the student's clock
    entries : how many links it had then
    in_journal : how many entries the journal had then, those that were not asked for, too
    seal : the hash of all that and of the last link, as the file states it
    """

    student: str
    assignment: str
    exported: str
    entries: int
    in_journal: int
    links: tuple[Link, ...]
    seal: str = ""

    @property
    def anchor(self) -> str:
        """What the first link is chained to."""
        return _hash({"format": FORMAT, "student": self.student, "assignment": self.assignment})

    @property
    def head(self) -> str:
        """The last hash, which stands for all of it."""
        return self.links[-1].hash if self.links else self.anchor

    @property
    def true_seal(self) -> str:
        """The hash of what stands at the head of the file, and of the last link."""
        said = {name: value for name, value in vars(self).items() if name not in ("links", "seal")}
        return _hash({"format": FORMAT, **said, "head": self.head})


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A run that was run again, or was not.

    Attributes
    ----------
    number : of its link
    agrees : whether both are the same; None where it could not be run again, or where they are near and not the same
    text : the outcome in words
    """

    number: int
    agrees: bool | None
    text: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was found of an extract; `is_sound` without findings, and with no run that differs."""

    extract: Extract
    findings: tuple[str, ...]
    replays: tuple[Replay, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.findings and all(one.agrees is not False for one in self.replays)

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it in words."""
        extract, again = self.extract, [one for one in self.replays if one.agrees is not None]
        of = f", {_clean(extract.assignment)}" if extract.assignment else ""
        runs = sum("run" in link.entry for link in extract.links)
        return (
            f"Student {_clean(extract.student)}{of}: {len(extract.links):,} entries, {runs:,} of them runs, of "
            f"{extract.in_journal:,} in the journal.",
            *(self.findings or ("The chain is whole, and its times go forward.",)),
            *(one.text for one in self.replays),
            f"Run again: {len(again)}, of which {sum(bool(one.agrees) for one in again)} agree.",
        )

    def to_dict(self) -> dict[str, object]:
        """Return all of it, ready for JSON."""
        extract = {name: value for name, value in vars(self.extract).items() if name not in ("links", "seal")}
        replays = [dataclasses.asdict(one) for one in self.replays]
        return {**extract, "sound": self.is_sound, "findings": list(self.findings), "replays": replays}


def export_process(
    path: Path,
    *,
    student: str,
    assignment: str = "",
    since: datetime | None = None,
    problem: str | None = None,
    journal: Journal | str | Path | None = "default",
) -> Extract:
    """Write an extract of a journal.

    Parameters
    ----------
    path : of the JSON file that is written
    student : the id that the instructor knows the learner by; the chain hangs on it
    assignment : what it is handed in for
    since : leave out what is older; of looks at test sets, which have no time, those before the first entry with one
    problem : of the runs, take those on this problem alone

    Raises
    ------
    ValueError
        If the student has no id, the journal is off, or there is nothing to be written.
    """
    journal = choose_journal(journal)
    if not student.strip():
        raise ValueError("The chain hangs on the student's id. Received: student=''. Give the id of the course.")
    if journal is None:
        raise ValueError("The journal is off. Received: RECIPE_JOURNAL=off. What is not recorded cannot be shown.")
    every = journal.entries()
    extract = Extract(
        student=student.strip(),
        assignment=assignment,
        exported=datetime.now(UTC).isoformat(timespec="seconds"),
        entries=0,
        in_journal=len(every),
        links=(),
    )
    links: list[Link] = []
    for entry in _choose(every, since, problem):
        previous = links[-1].hash if links else extract.anchor
        link = Link(number=len(links) + 1, previous=previous, hash="", entry=entry)
        links.append(dataclasses.replace(link, hash=link.true_hash))
    if not links:
        raise ValueError(f"There is nothing to show. Received: {len(every):,} entries in {journal.location}.")
    extract = dataclasses.replace(extract, entries=len(links), links=tuple(links))
    extract = dataclasses.replace(extract, seal=extract.true_seal)
    values = {"format": FORMAT, **vars(extract), "links": [vars(link) for link in links]}
    path.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return extract


def _choose(entries: Iterable[dict], since: datetime | None, problem: str | None) -> Iterator[dict]:
    since, reached = since.astimezone(UTC) if since else None, since is None
    for entry in entries:
        if not reached:
            time = Link(number=0, previous="", hash="", entry=entry).time
            reached = time is not None and time >= since
        run = entry.get("run")
        is_other = problem is not None and isinstance(run, dict) and run["problem"]["name"] != problem
        if reached and not is_other:
            yield entry


def read_extract(path: Path) -> Extract:
    """Read a file of proof, which may be anything.

    Raises
    ------
    ValueError
        If it is too large, no JSON, or not of this form; the message says which.
    OSError
        If there is no such file.
    """
    if path.stat().st_size > MOST_BYTES or not path.is_file():
        raise ValueError(f"{path.name} is no file of at most {MOST_BYTES:,} bytes. It is not read.")
    try:
        values = json.loads(path.read_bytes(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ValueError(f"{path.name} is damaged: it is no JSON. Ask for it again.") from None
    try:
        if values["format"] != FORMAT:
            raise KeyError("format")
        kinds = {"student": str, "assignment": str, "exported": str, "entries": int, "in_journal": int, "seal": str}
        head = {name: _expect(values[name], kind) for name, kind in kinds.items()}
        fields = {"number": int, "previous": str, "hash": str, "entry": dict}
        links = _expect(values["links"], list)[: MOST_ENTRIES + 1]
        links = [Link(**{name: _expect(link[name], kind) for name, kind in fields.items()}) for link in links]
        extract = Extract(**head, links=tuple(links))
        datetime.fromisoformat(extract.exported)
        for link in links:  # once here: a number beyond all bounds, or a time that is none
            _ = link.true_hash, link.time
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError):
        raise ValueError(f"{path.name} is no extract of a journal, or it is damaged. Ask for it again.") from None
    if len(links) > MOST_ENTRIES:
        raise ValueError(f"{path.name} has more than {MOST_ENTRIES:,} entries. It is not read.")
    return extract


def verify_process(
    extract: Extract,
    *,
    replay: int = 0,
    student: str | None = None,
    earlier: Extract | None = None,
    datasets: Callable[[Run], Iterable[Dataset]] | None = None,
    seed: int | None = None,
    now: datetime | None = None,
) -> Report:
    """Check an extract: its chain, its times, an earlier one that it must contain, and some of its runs.

    Parameters
    ----------
    replay : how many of the runs are run again, drawn at random from those that can be
    student : whose it should be; None is content with any
    earlier : an extract of the same student and assignment, with the same choice of entries, that was handed in before
    datasets : what data a run may be from; None is the kit's own, from samples or from files on this machine. For a
        world of one's own return the `Dataset` that the students were told to make
    seed : of the draw; None lets nobody know it in advance
    now : the time that none may be later than; None is that of the clock
    """
    findings = [*_check_chain(extract), *_check_times(extract, now or datetime.now(UTC))]
    if student is not None and student != extract.student:
        findings.append(f"It is of student {_clean(extract.student)}, not of {_clean(student)}.")
    if earlier is not None and earlier.head not in {link.hash for link in extract.links}:
        findings.append(
            f"It does not contain the extract of {earlier.exported}: entries from before were changed or left out."
        )
    replays = _replay_some(extract, replay, datasets or _known_data, random.Random(seed)) if replay else ()
    return Report(extract=extract, findings=tuple(findings), replays=tuple(replays))


def is_extract(path: Path) -> bool:
    """Tell whether a file says at its head that it is an extract; whether it can be read, `read_extract` says."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return FORMAT.encode() in file.read(1_000)


def examine(path: Path, student: str, replay: int = 0) -> tuple[str, tuple[str, ...]]:
    """Return what a file of proof is worth, in a word or two, and what speaks against it.

    A stranger's file never keeps a notebook from being graded: whatever happens is an outcome.
    """
    try:
        extract = read_extract(path)
    except (ValueError, OSError) as error:
        return "unreadable", (str(error),)
    try:
        report = verify_process(extract, replay=replay, student=student)
    except Exception as error:
        return "not verified", (f"It could not be verified: {type(error).__name__}.",)
    against = (*report.findings, *(one.text for one in report.replays if one.agrees is False))
    replayed = sum(one.agrees is not None for one in report.replays)
    return f"{'sound' if report.is_sound else 'not sound'} ({replayed} replayed)", against


def find_shared(extracts: Sequence[Extract]) -> list[str]:
    """Name entries that several students have in common, to the millisecond: one journal is a copy of the other."""
    owners: dict[str, set[str]] = defaultdict(set)
    for extract in extracts:
        for link in extract.links:
            if link.time is not None:
                owners[_hash(link.entry)].add(extract.student)
    groups: dict[tuple[str, ...], int] = defaultdict(int)
    for students in owners.values():
        if len(students) > 1:
            groups[tuple(sorted(students))] += 1
    return [f"{' and '.join(map(_clean, group))} share {count:,} entries." for group, count in sorted(groups.items())]


def find_shared_in(folder: Path) -> list[str]:
    """Do so for all extracts below a folder; what cannot be read is left out."""
    extracts = []
    for path in filter(is_extract, sorted(folder.rglob("*.json"))):
        with contextlib.suppress(ValueError, OSError):
            extracts.append(read_extract(path))
    return find_shared(extracts)


def _check_chain(extract: Extract) -> list[str]:
    """Name what was edited, taken out, put elsewhere or exchanged."""
    links, found = extract.links, []
    numbers = [link.number for link in links]
    found += [f"Entry {link.number} was edited: its hash is of something else." for link in links if _is_edited(link)]
    if extract.seal != extract.true_seal:
        found.append("The head of the file or its end was edited: its seal is of something else.")
    last = min(max([extract.entries, *numbers]), MOST_ENTRIES)  # whatever a file says
    missing = sorted(set(range(1, last + 1)) - set(numbers))
    for first, end in _as_ranges(missing):
        found.append(f"Entry {first} is missing." if first == end else f"Entries {first} to {end} are missing.")
    if links and numbers[0] == 1 and links[0].previous != extract.anchor:
        found.append("The chain does not begin with this student and assignment: it was made for somebody else.")
    for before, link in itertools.pairwise(links):
        if link.number <= before.number:
            found.append(f"Entry {link.number} stands behind entry {before.number}: the order was changed.")
        elif link.number == before.number + 1 and link.previous != before.hash:
            found.append(f"Entry {link.number} does not follow from entry {before.number}: one of them was replaced.")
    return found


def _is_edited(link: Link) -> bool:
    return link.hash != link.true_hash


def _as_ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last one of each run of whole numbers."""
    for _, group in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        yield run[0], run[-1]


def _check_times(extract: Extract, now: datetime) -> list[str]:
    """Name entries that are older than one before them, or later than the export or than now."""
    found, latest = [], datetime.min.replace(tzinfo=UTC)
    exported = datetime.fromisoformat(extract.exported)
    limit = min(now, exported if exported.tzinfo else exported.replace(tzinfo=UTC)) + SLACK
    for link in extract.links:
        if link.time is None:
            continue
        if link.time > limit:
            found.append(f"Entry {link.number} is from the future: {_write(link.time)}.")
            continue
        if link.time + SLACK < latest:
            found.append(f"Entry {link.number} is older than an entry before it: {_write(link.time)}.")
        latest = max(latest, link.time)
    return found


# Runs that are run again.


def _replay_some(
    extract: Extract, wanted: int, datasets: Callable[[Run], Iterable[Dataset]], rng: random.Random
) -> list[Replay]:
    """Run as many again as are wanted; where none can be, say of a few why."""
    runs = [(link.number, run) for link in extract.links if (run := link.run) is not None]
    rng.shuffle(runs)
    done, left_out = [], []
    for number, run in runs[: 10 * wanted]:
        if len(done) == wanted:
            break
        if why := _refuse_run(run):
            left_out.append(Replay(number=number, agrees=None, text=f"Entry {number} is not run again: {why}."))
            continue
        data = find_data(run, datasets(run))
        if data is None:
            data_of = f"{_clean(run.problem.name)}, {_clean(run.source)}"
            why = f"its data ({data_of}) is none that is known here, or is of another version of the kit"
            left_out.append(Replay(number=number, agrees=None, text=f"Entry {number} is not run again: {why}."))
        else:
            done.append(_replay(number, run, data))
    return [*done, *left_out[: wanted - len(done)]]


def _refuse_run(run: Run) -> str:
    """Return why a run cannot be run again; empty where it can."""
    import keras

    spec = run.spec
    if run.state != "complete" or run.final or run.members or not run.epochs:
        return "it was stopped, has no score, or is a mean of several"
    if run.backend != keras.config.backend():
        return f"it was trained by another backend, {_clean(run.backend)}"
    is_small = len(spec.hidden_units) <= MOST_LAYERS and max(spec.hidden_units, default=0) <= MOST_UNITS
    return "" if is_small and spec.epochs <= MOST_EPOCHS else "it is larger than what is run again"


def find_data(run: Run, datasets: Iterable[Dataset]) -> Prepared | None:
    """Return the data that a run says it was trained on, by its key: among the usual splits and preparations.

    Those are hold-out and K-fold with the run's own sizes and the seeds 0 to 2, in every encoding.
    """
    for dataset in datasets:
        if dataset.problem.name == run.problem.name and len(dataset.y_train) == run.train_samples + run.val_samples:
            for split in _usual_splits(dataset, run.val_samples):
                for encoding in ENCODINGS[dataset.problem.kind]:
                    prepared = prepare(split, encoding=encoding)
                    if prepared.data_key == run.data:
                        return prepared
    return None


def _usual_splits(dataset: Dataset, val_samples: int) -> Iterator[Split]:
    total = len(dataset.y_train)
    if not 0 < val_samples < total:
        return
    for seed in range(SEEDS):
        yield hold_out(dataset, test_size=val_samples / total, seed=seed)
        if 2 <= (folds := round(total / val_samples)) <= 20:
            yield from k_fold(dataset, folds=folds, seed=seed)


def _known_data(run: Run) -> Iterator[Dataset]:
    """Yield the kit's own data of the run's problem: samples, or files on this machine; nothing is downloaded."""
    if run.problem.name in PROBLEMS:
        for rows in ROWS:
            try:
                yield _load(run.problem.name, "sample" if run.source == "sample" else "local", rows)
            except (OSError, ValueError):  # the files are not here
                return


@lru_cache(maxsize=4)
def _load(name: str, source: str, rows: int | None) -> Dataset:
    return load(name, source=source, rows=rows)


def _replay(number: int, run: Run, data: Prepared) -> Replay:
    """Train once more, and compare."""
    from recipe.steps.training import train

    what = f"Entry {number} ({run.spec.describe()}, {data.problem.name})"
    for shuffle in (True, False):  # a run does not say which
        stop = threading.Event()
        timer = threading.Timer(MOST_SECONDS, stop.set)
        timer.start()
        try:
            problem = dataclasses.replace(data.problem, measure=run.measure)  # a learner may have chosen another one
            again = train(
                run.spec, dataclasses.replace(data, problem=problem), stop=stop, shuffle=shuffle, journal=None
            )
        except Exception as error:
            return Replay(number=number, agrees=None, text=f"{what} cannot be run again: {type(error).__name__}.")
        finally:
            timer.cancel()
        if stop.is_set():
            return Replay(number=number, agrees=None, text=f"{what} takes more than {MOST_SECONDS} s.")
        apart = measure_gap(run, again)
        if apart <= TOLERANCE:
            return Replay(number=number, agrees=True, text=f"{what} agrees: {_say(run, again)}.")
    others = {name: version for name, version in run.versions.items() if again.versions.get(name) != version}
    versions = f" It was made by other versions: {_clean(str(others))}." if others else ""
    if apart <= NEAR:
        near = "another kind of processor, or nearly the same settings"
        return Replay(number=number, agrees=None, text=f"{what} comes near, by {near}: {_say(run, again)}.{versions}")
    return Replay(number=number, agrees=False, text=f"{what} differs: {_say(run, again)}.{versions}")


def measure_gap(run: Run, again: Run) -> float:
    """Return how far two trainings lie apart, as a part of what they are: in their validation losses, or their scores.

    It is the larger one of two numbers, the mean distance of the losses over their mean, and the distance of the scores
    over the larger one; infinite where one went on for longer, or a number is missing.
    """
    losses, others = (np.array(one.history["val_data_loss"]) for one in (run, again))
    if len(losses) != len(others) or not np.isfinite([*losses, *others]).all():
        return math.inf
    gap = float(np.abs(losses - others).mean() / max(np.abs(others).mean(), 1e-12))
    scores = abs(run.score - again.score) / max(abs(run.score), abs(again.score), 1e-12)
    return max(gap, scores) if math.isfinite(scores) else math.inf


def _say(run: Run, again: Run) -> str:
    return f"score {run.score:.4g}, and {again.score:.4g} here, {measure_gap(run, again):.1%} apart"


# Hashes.


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)  # ASCII: the same bytes everywhere
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _expect(value: object, kind: type) -> object:
    if type(value) is not kind:
        raise TypeError(kind.__name__)
    return value


def _write(time: datetime) -> str:
    return time.isoformat(" ", "minutes")


def _clean(text: str) -> str:
    """Return a stranger's text in so far as it can be shown on one line of a terminal."""
    return "".join(one if one.isprintable() else "?" for one in text[:80])
