"""Hidden checks of assignment 3: what is true of the student's world, and recordings that no student has seen."""

from __future__ import annotations

from types import SimpleNamespace

from recipe.teach.exercises import Verdict, object_to
from recipe.teach.reading import as_number, as_numbers, is_near
from recipe.teach.s3_protocol import (
    ASSIGNMENT,
    Hospital,
    judge_copies,
    judge_cut,
    judge_forward,
    read_protocol,
)


def protocols(answer: SimpleNamespace, world: Hospital, draw: dict) -> Verdict | None:
    """A protocol and its cost for each situation; one wrong pair costs half of the points."""
    said = {name: read_protocol(pair) for name, pair in answer.protocols.items()}
    trainings = dict.fromkeys(("K-fold", "groups", "time order"), world.folds)
    trainings |= {"hold-out": 1, "iterated K-fold": world.folds * world.repeats}
    wrong = [name for name, (kind, _) in said.items() if not _suits(kind, world.right[name])]
    if wrong:
        share = 0.5 if len(wrong) == 1 else 0.0
        for name in wrong:
            if misconception := _misconceive(said[name][0], world.right[name]):
                return ASSIGNMENT.wrong(misconception, f"Situation {name}:", share)
        return object_to(f"Situation {wrong[0]}: another protocol suits it better.", share)
    if miscounted := [name for name, (kind, number) in said.items() if number != trainings[kind]]:
        told = f"The protocols are right. The number of trainings is not, for {', '.join(miscounted)}."
        return object_to(told, share=0.5 if len(miscounted) == 1 else 0.2)
    return None


def _suits(kind: str, right: str) -> bool:
    """Iterating does no harm where folds are wanted."""
    return kind == right or (kind, right) == ("iterated K-fold", "K-fold")


def _misconceive(kind: str, right: str) -> str:
    if right == "groups":
        return "groups_split"
    if right == "time order":
        return "future_in_training"
    if right == "hold-out":
        return "folds_for_millions"
    return "one_cut_for_few" if kind == "hold-out" else ""


def cut(answer: SimpleNamespace, world: Hospital, draw: dict) -> Verdict | None:
    return judge_cut(answer, world, draw)


def forward(answer: SimpleNamespace, world: Hospital, draw: dict) -> Verdict | None:
    return judge_forward(answer, world, draw)


def copies(answer: SimpleNamespace, world: Hospital, draw: dict) -> Verdict | None:
    return judge_copies(answer, world, draw)


def rows(answer: SimpleNamespace, world: Hospital, draw: dict) -> Verdict | None:
    """Both numbers within 3 %, for rounding."""
    given = SimpleNamespace(**world.given)
    error = given.points / 100
    accuracy_rows = given.accuracy * (1 - given.accuracy) / error**2
    ill = given.recall * (1 - given.recall) / error**2
    got = as_number(answer.accuracy_rows), as_number(answer.recall_rows)
    if is_near(got[0], accuracy_rows / 100**2, 0.05 * accuracy_rows / 100**2):
        return ASSIGNMENT.wrong("points_as_fractions")
    if is_near(got[0], accuracy_rows * error, 0.05 * accuracy_rows * error + 1):
        return ASSIGNMENT.wrong("root_forgotten")
    if not is_near(got[0], accuracy_rows, 0.03 * accuracy_rows):
        return object_to("accuracy_rows gives another standard error.")
    if is_near(got[1], ill, 0.03 * ill):
        return ASSIGNMENT.wrong("all_rows_for_the_rare", "accuracy_rows is right.", share=0.5)
    if not is_near(got[1], ill / given.rate, 0.03 * ill / given.rate):
        return object_to("accuracy_rows is right, recall_rows gives another standard error.", share=0.4)
    return None


def reports(answer: SimpleNamespace, world: Hospital, draw: dict) -> Verdict | None:
    """Root mean squares of the misses, and the protocol that comes closest."""
    table, got = world.given["reports"], as_numbers(answer.misses, ("p", "q", "r"))
    off = table[["p", "q", "r"]].sub(table["truth"], axis=0)
    right = (off**2).mean() ** 0.5
    role = world.roles[answer.protocol]
    if any(not is_near(got[name], right[name], 0.002) for name in right.index):
        if all(is_near(abs(got[name]), abs(off[name].mean()), 0.002) for name in right.index):
            return ASSIGNMENT.wrong("luck_cancels_out", "These are the means of the differences.", share=0.1)
        return object_to("By the root of the mean squared difference from the truth, misses holds other numbers.")
    if role == "leaky":
        return ASSIGNMENT.wrong("steady_is_true", "The numbers are right.", share=0.4)
    if role == "noisy":
        return ASSIGNMENT.wrong("luck_cancels_out", "The numbers are right.", share=0.4)
    return None


def inside(answer: SimpleNamespace, world: Hospital, draw: dict) -> Verdict | None:
    """Nothing can be learned: folds are right on a half, or on 0.84 (deviation 0.03) with columns picked before."""
    # Folds learn from each other's rows, so between worlds they differ more, by 0.06, than 160 tosses of a coin do.
    honest = as_number(answer.honest)
    if honest > 0.72:
        return ASSIGNMENT.wrong("columns_picked_before_the_cut", f"{honest:.0%} right:", share=0.2)
    if honest < 0.2:
        return object_to("So few are right by no honest protocol.", share=0.2)
    return None


def models(answer: SimpleNamespace, world: Hospital, draw: dict) -> Verdict | None:
    """The best one on the dev set, and its accuracy on the test set."""
    table, reported = world.given["models"], as_number(answer.reported)
    winner = table["dev"].idxmax()
    if answer.chosen == table["test"].idxmax():
        return ASSIGNMENT.wrong("test_set_for_choosing")
    if answer.chosen != winner:
        return object_to("Another model is better on the part that is there for choosing.")
    if is_near(reported, table.loc[winner, "test"], 0.0006):
        return None
    if is_near(reported, table.loc[winner, "dev"], 0.0006):
        return ASSIGNMENT.wrong("dev_score_reported", "The model is right.", share=0.4)
    return object_to("The model is right, the number that is reported is not.", share=0.2)
