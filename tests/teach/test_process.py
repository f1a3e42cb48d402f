"""Proof of process: what a chain of hashes finds, what running again finds, and what neither can find."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from tuning_examples import make_run
from typer.testing import CliRunner

from recipe.app.cli import app
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.journal import Journal, default_journal
from recipe.lessons.s6_scale_up import questions
from recipe.steps.s3_protocol import hold_out, k_fold
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import cross_validate, train
from recipe.teach import process
from recipe.teach.process import export_process, find_shared, read_extract, verify_process

SPEC = ModelSpec(hidden_units=(4,), epochs=3, batch_size=32)
START = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path):
    """Six runs an hour apart; a look and an answer."""
    journal = Journal(tmp_path / "journal.log")
    for hour in range(6):
        time = (START + timedelta(hours=hour)).isoformat()
        journal.record(
            make_run(SPEC.replace(seed=hour), data="d", time=time, problem="mnist" if hour % 2 else "housing")
        )
    journal.note_look("ab")
    journal.note_answer({"question": "s6_scale_up.turn", "outcome": "correct"})
    return journal


@pytest.fixture
def path(journal, tmp_path):
    path = tmp_path / "ada.json"
    export_process(path, student="ada", assignment="06", journal=journal)
    return path


def _findings(path, **options):
    return list(verify_process(read_extract(path), **options).findings)


def _rewrite(path, change):
    """Do by hand what an editor does to a file."""
    values = json.loads(path.read_text(encoding="utf-8"))
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")


def _chain_anew(path, change, student="ada", **options):
    """Do what somebody does who has read the code: change entries, and make all hashes again."""
    entries = [link["entry"] for link in json.loads(path.read_text(encoding="utf-8"))["links"]]
    change(entries)
    forged = path.with_suffix(".log")
    forged.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    export_process(path, student=student, assignment="06", journal=forged, **options)


# What is exported.


def test_extract_holds_the_journal_in_its_order_and_is_sound(path, journal):
    extract = read_extract(path)
    assert [link.entry for link in extract.links] == journal.entries()
    report = verify_process(extract)
    assert report.is_sound
    assert report.sentences[:2] == (
        "Student ada, 06: 8 entries, 6 of them runs, of 8 in the journal.",
        "The chain is whole, and its times go forward.",
    )


def test_extract_leaves_out_what_was_not_asked_for(journal, tmp_path):
    path = tmp_path / "some.json"
    extract = export_process(path, student="ada", since=START + timedelta(hours=3), problem="mnist", journal=journal)
    assert [link.run and link.run.problem.name for link in extract.links] == ["mnist", "mnist", None, None]
    assert (extract.entries, extract.in_journal) == (4, 8)
    assert _findings(path) == []


def test_export_refuses_what_would_be_no_proof(tmp_path, monkeypatch):
    for options, words in (({"student": " "}, "student's id"), ({"student": "ada"}, "nothing to show")):
        with pytest.raises(ValueError, match=words):
            export_process(tmp_path / "x.json", **options)
    monkeypatch.setenv("RECIPE_JOURNAL", "off")
    with pytest.raises(ValueError, match="The journal is off"):
        export_process(tmp_path / "x.json", student="ada")


# What the chain finds.


def _edit(values):
    values["links"][2]["entry"]["run"]["history"]["val_mae"][-1] = 0.01


def _edit_and_hash(values):
    _edit(values)
    link = values["links"][2]
    link["hash"] = process.Link(**link).true_hash


def _swap(values):
    links = values["links"]
    links[2], links[3] = links[3], links[2]


def _rename(values):
    values["student"] = "bob"


SEAL = "The head of the file or its end was edited: its seal is of something else."
TAMPERED = {
    "edited": (_edit, ["Entry 3 was edited: its hash is of something else."]),
    "edited and hashed": (
        _edit_and_hash,
        ["Entry 4 does not follow from entry 3: one of them was replaced."],
    ),
    "one removed": (lambda values: values["links"].pop(2), ["Entry 3 is missing."]),
    "some removed": (lambda values: values["links"].__delitem__(slice(1, 4)), ["Entries 2 to 4 are missing."]),
    "first removed": (lambda values: values["links"].pop(0), ["Entry 1 is missing."]),
    "last removed": (
        lambda values: values["links"].pop(),
        [SEAL, "Entry 8 is missing."],
    ),
    "reordered": (
        _swap,
        [
            "Entry 3 stands behind entry 4: the order was changed.",
            "Entry 3 is older than an entry before it: 2026-09-01 02:00+00:00.",
        ],
    ),
    "repeated": (
        lambda values: values["links"].insert(3, copy.deepcopy(values["links"][2])),
        ["Entry 3 stands behind entry 3: the order was changed."],
    ),
    "another's": (
        _rename,
        [
            SEAL,
            "The chain does not begin with this student and assignment: it was made for somebody else.",
        ],
    ),
}


@pytest.mark.parametrize(("change", "found"), TAMPERED.values(), ids=TAMPERED)
def test_entry_that_was_tampered_with_is_named(path, change, found):
    _rewrite(path, change)
    assert _findings(path) == found


@pytest.mark.parametrize(
    ("hour", "time", "words"),
    [
        (2, START + timedelta(days=9_000), "Entry 3 is from the future"),
        (2, datetime.max.replace(tzinfo=UTC), "Entry 3 is from the future"),
        (2, START - timedelta(hours=1), "Entry 3 is older than an entry before it"),
        (2, datetime.min.replace(tzinfo=UTC), "Entry 3 is older than an entry before it"),
    ],
)
def test_times_that_cannot_be_are_named(path, hour, time, words):
    _chain_anew(path, lambda entries: entries[hour]["run"].update(time=time.isoformat()))
    (found,) = _findings(path)
    assert found.startswith(words)


def test_chain_that_was_made_anew_after_the_fact_is_whole(path):
    """What it says of itself: a chain proves nothing against who makes all of it anew."""
    _chain_anew(path, lambda entries: entries[2]["run"]["history"]["val_mae"].__setitem__(-1, 0.01))
    assert _findings(path) == []
    assert any("made the chain anew" in sentence for sentence in process.DOES_NOT_PROVE)


def test_earlier_extract_finds_what_was_changed_or_left_out_since(path, journal, tmp_path):
    earlier = read_extract(path)
    journal.record(make_run(SPEC, data="d"))
    export_process(path, student="ada", assignment="06", journal=journal)
    assert _findings(path, earlier=earlier) == []
    _chain_anew(path, lambda entries: entries.pop(1))
    (found,) = _findings(path, earlier=earlier)
    assert found.startswith("It does not contain the extract of")


def test_extract_of_another_student_is_named(path):
    assert _findings(path, student="bob") == ["It is of student ada, not of bob."]


def test_entries_that_two_students_share_are_counted(path, tmp_path):
    other = tmp_path / "bob.json"
    other.write_bytes(path.read_bytes())
    _chain_anew(other, lambda entries: entries.pop(0), student="bob")
    assert find_shared([read_extract(path)]) == []
    assert find_shared([read_extract(path), read_extract(other)]) == ["ada and bob share 6 entries."]


# What running again finds.


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A journal of runs that were trained: hold-out, another measure, without shuffling, two folds."""
    houses = load("housing", source="sample", rows=300)
    journal = Journal(tmp_path_factory.mktemp("trained") / "journal.log")
    prepared = prepare(hold_out(houses, seed=1), encoding="scale")
    train(SPEC, prepared, journal=journal)
    squared = dataclasses.replace(prepared, problem=dataclasses.replace(prepared.problem, measure="mse"))
    train(SPEC.replace(seed=1), squared, journal=journal)
    train(SPEC.replace(seed=2), prepared, shuffle=False, journal=journal)
    cross_validate(SPEC, k_fold(houses, folds=2), journal=journal)
    return journal


def test_runs_that_are_as_they_were_agree(trained, tmp_path):
    export_process(tmp_path / "ada.json", student="ada", journal=trained)
    report = verify_process(read_extract(tmp_path / "ada.json"), replay=5)
    assert [one.agrees for one in report.replays] == [True] * 5
    assert sorted(one.number for one in report.replays) == [1, 2, 3, 4, 5]
    assert report.sentences[-1] == "Run again: 5, of which 5 agree."


def _other_seed(entry):
    entry["run"]["spec"]["seed"] = 7


def _better_score(entry, factor=0.9):
    entry["run"]["history"]["val_mae"] = [value * factor for value in entry["run"]["history"]["val_mae"]]


def _longer(entry):
    entry["run"]["spec"]["epochs"] = 4


@pytest.mark.parametrize("change", [_other_seed, _better_score, _longer])
def test_run_that_was_edited_differs_though_the_chain_is_whole(trained, tmp_path, change):
    path = tmp_path / "ada.json"
    export_process(path, student="ada", assignment="06", journal=trained)
    _chain_anew(path, lambda entries: (change(entries[0]), entries.__delitem__(slice(1, None))))
    report = verify_process(read_extract(path), replay=1)
    assert (report.findings, report.is_sound) == ((), False)
    assert "Entry 1 (dense 4" in report.replays[0].text
    assert "differs" in report.replays[0].text


def test_run_that_comes_near_is_left_open(trained, tmp_path):
    path = tmp_path / "ada.json"
    export_process(path, student="ada", assignment="06", journal=trained)
    _chain_anew(path, lambda entries: (_better_score(entries[0], 0.99), entries.__delitem__(slice(1, None))))
    report = verify_process(read_extract(path), replay=1)
    assert (report.is_sound, report.replays[0].agrees) == (True, None)
    assert "comes near" in report.replays[0].text


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"data": "f" * 16, "train_samples": 400, "val_samples": 80}, "is none that is known here"),
        ({"source": "local"}, "is none that is known here"),
        ({"backend": "torch"}, "another backend, torch"),
        ({"spec": SPEC.replace(hidden_units=(100_000,))}, "larger than what is run again"),
        ({"spec": SPEC.replace(epochs=100_000)}, "larger than what is run again"),
        ({"final": True}, "has no score"),
        ({"stopped": "asked"}, "was stopped"),
    ],
)
def test_run_that_cannot_be_run_again_says_why_and_is_no_finding(tmp_path, changes, why):
    journal = Journal(tmp_path / "journal.log")
    journal.record(dataclasses.replace(make_run(SPEC, data="d", problem="housing"), **changes))
    export_process(tmp_path / "ada.json", student="ada", journal=journal)
    report = verify_process(read_extract(tmp_path / "ada.json"), replay=1)
    assert why in report.replays[0].text
    assert report.is_sound


def test_data_of_ones_own_is_run_again_where_the_grader_has_it(tmp_path):
    houses = load("housing", source="sample", rows=300)
    mine = dataclasses.replace(houses, y_train=houses.y_train + 1000)
    train(SPEC, prepare(hold_out(mine)), journal=tmp_path / "journal.log")
    export_process(tmp_path / "ada.json", student="ada", journal=tmp_path / "journal.log")
    extract = read_extract(tmp_path / "ada.json")
    assert verify_process(extract, replay=1).replays[0].agrees is None
    assert verify_process(extract, replay=1, datasets=lambda run: [mine]).replays[0].agrees


def test_run_that_takes_too_long_is_given_up(trained, tmp_path, monkeypatch):
    export_process(tmp_path / "ada.json", student="ada", journal=trained)
    at_once = SimpleNamespace(start=lambda: None, cancel=lambda: None)
    monkeypatch.setattr("recipe.teach.process.threading.Timer", lambda seconds, act: act() or at_once)
    (replay,) = verify_process(read_extract(tmp_path / "ada.json"), replay=1).replays
    assert (replay.agrees, "takes more than" in replay.text) == (None, True)


# What is handed in may be anything.


def _with(**changes):
    def write(values):
        values.update(changes)
        return json.dumps(values).encode()

    return write


def _with_link(**changes):
    def write(values):
        values["links"][0].update(changes)
        return json.dumps(values).encode()

    return write


DAMAGED = {
    "empty": lambda values: b"",
    "torn": lambda values: json.dumps(values).encode()[:-9],
    "pickle": lambda values: pickle.dumps(values),
    "deep": lambda values: b'{"format":' + b"[" * 100_000,
    "list": lambda values: b"[1]",
    "number": lambda values: b"1",
    "long number": lambda values: b"1" * 9_000,
    "nan": _with(entries=float("nan")),
    "infinite": lambda values: json.dumps(values).replace('"number": 1,', '"number": 1e999,', 1).encode(),
    "another format": _with(format="recipe-process/9"),
    "no links": _with(links={}),
    "link is a text": _with(links=["x"]),
    "student is a list": _with(student=["ada"]),
    "time is none": _with(exported="yesterday"),
    "entry is a list": _with_link(entry=[1]),
    "entry is too large a number": lambda v: json.dumps(v).replace('"seconds": 0.01', '"seconds": 1e999', 1).encode(),
    "time of an entry is none": _with_link(entry={"run": {"time": "noon"}}),
    "number is true": _with_link(number=True),
}


@pytest.mark.parametrize("write", DAMAGED.values(), ids=DAMAGED)
def test_file_that_is_damaged_is_refused_in_a_sentence(path, write):
    path.write_bytes(write(json.loads(path.read_text(encoding="utf-8"))))
    with pytest.raises(ValueError, match="damaged"):
        read_extract(path)


def test_file_that_is_too_large_is_not_read(path, monkeypatch):
    monkeypatch.setattr("recipe.teach.process.MOST_ENTRIES", 7)
    with pytest.raises(ValueError, match="more than 7 entries"):
        read_extract(path)
    monkeypatch.setattr("recipe.teach.process.MOST_BYTES", 100)
    with pytest.raises(ValueError, match="at most 100 bytes"):
        read_extract(path)
    with pytest.raises(ValueError, match="is no file"):
        read_extract(path.parent)


@pytest.mark.parametrize(
    "run",
    [
        {},
        {"run": []},
        {"run": {"spec": {"hidden_units": "x"}, "problem": {}, "history": {}, "baseline": None, "members": []}},
        {"answer": 3},
        {"look": {"deep": [[[]]]}},
    ],
)
def test_entries_of_any_form_are_no_crash(path, run):
    _chain_anew(path, lambda entries: entries.insert(0, run))
    assert verify_process(read_extract(path), replay=1).is_sound


def test_numbers_of_links_beyond_all_bounds_are_no_crash(path):
    _rewrite(path, lambda values: values["links"][0].update(number=10**12))
    assert any("was edited" in found for found in _findings(path))


def test_name_cannot_write_on_the_graders_terminal(path, journal):
    export_process(path, student="\x1b[2Jada\n", assignment="\x07", journal=journal)
    first = verify_process(read_extract(path)).sentences[0]
    assert first.startswith("Student ?[2Jada, ?:")


# The commands.


def _recipe(*arguments):
    return CliRunner().invoke(app, ["process", *map(str, arguments)])


def test_commands_export_and_verify(tmp_path):
    questions.turn.check("b")
    default_journal().record(make_run(SPEC, data="d"))
    path = tmp_path / "ada.json"
    done = _recipe("export", path, "--student", "ada", "--assignment", "06")
    assert (done.exit_code, "2 entries" in done.stdout) == (0, True)
    done = _recipe("verify", path)
    assert done.exit_code == 0
    for words in ("The chain is whole", "This proves:", *process.PROVES, "And not:", *process.DOES_NOT_PROVE):
        assert words in done.stdout
    assert _recipe("verify", path, "--student", "bob").exit_code == 1
    _rewrite(path, lambda values: values["links"].pop(0))
    done = _recipe("verify", path, "--json")
    report = json.loads(done.stdout)["reports"][str(path)]
    assert (done.exit_code, report["sound"], report["findings"]) == (1, False, ["Entry 1 is missing."])


def test_verify_goes_on_behind_a_file_that_is_damaged(path, tmp_path):
    (tmp_path / "bad.json").write_text("no")
    done = _recipe("verify", tmp_path / "bad.json", tmp_path / "missing.json", path, "--replay", 0)
    assert done.exit_code == 2
    assert "bad.json is damaged" in done.stdout
    assert "Student ada, 06: 8 entries" in done.stdout
