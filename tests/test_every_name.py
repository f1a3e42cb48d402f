"""Data of one's own walks through every public name: what works on the kit's problems works on it."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets as sk

import recipe
from recipe.data.examples import CHURN, SHAPES

EXEMPT = {
    "__version__": "a text",
    "fetch": "downloads the kit's own data",
    "load": "loads the kit's own data",
    "FAULTS": "the faults of the game, which is played on the kit's own problems",
    "make_pipeline": "makes the pipelines of that game",
    "from_table": "makes the data of this test",
    "from_arrays": "makes the data of this test",
    "from_folder": "makes the data of this test",
}
SENTENCES = [
    f"{'good' if row % 2 else 'bad'} film {row % 7}, {'très' if row % 3 else 'sehr'} lang" for row in range(120)
]
COLUMNS = ["age", "region", "contract", "months", "monthly_fee", "hotline_calls", "paperless"]
RNG = np.random.default_rng(0)
ODD = pd.DataFrame({"x": np.where(RNG.random(36) < 0.2, np.nan, RNG.normal(size=36))})
RARE = pd.DataFrame({"colour": RNG.choice(["red", "blue"], 120), "size": RNG.normal(size=120)})
DATA = {
    "one column, 36 rows": lambda: recipe.from_table(ODD.assign(t=RNG.random(36) < 0.5), "t"),
    "two rows of a class": lambda: recipe.from_table(RARE.assign(t=["a"] * 100 + ["b"] * 18 + ["c"] * 2), "t"),
    "churn": lambda: recipe.from_table(CHURN, "left", columns=COLUMNS),
    "shapes": lambda: recipe.from_folder(SHAPES),
    "texts": lambda: recipe.from_arrays(SENTENCES, ["yes" if row % 2 else "no" for row in range(120)]),
    "wine": lambda: recipe.from_table(sk.load_wine(as_frame=True).frame, "target"),
    "iris": lambda: recipe.from_arrays(*sk.load_iris(return_X_y=True)),
    "breast cancer": lambda: recipe.from_arrays(*sk.load_breast_cancer(return_X_y=True)),
    "diabetes": lambda: recipe.from_arrays(*sk.load_diabetes(return_X_y=True)),
    "digits": lambda: recipe.from_arrays(sk.load_digits().images, sk.load_digits().target),
    "colours": lambda: recipe.from_arrays(
        np.repeat(sk.load_digits().images[:300, ..., None], 3, axis=3), sk.load_digits().target[:300]
    ),
}
REFUSED = {  # in a sentence: so few rows cannot tell that
    "one column, 36 rows": {
        "same_distribution": "ValueError: Parts of at least 10 samples of one shape can be compared. Received: 22 of "
        "(1,) and 6 of (1,). Take larger parts, or the same columns of both."
    }
}
SETTINGS = {"units_1": 8, "batch_size": 32, "epochs": 2}  # those of the world's own network
# A check trains the model several times: on data of one's own tests/debugging/test_pipelines.py does that, too.
LONG = {"check_pipeline"}
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in DATA if name != "churn"]


class World:
    """One set of data on its way through the steps; what a later name needs is kept."""

    def __init__(self, data, folder):
        self.data, self.folder, self.problem = data, folder, data.problem
        self.spec = recipe.ModelSpec(hidden_units=(8,), epochs=4, batch_size=32)
        self.split = recipe.hold_out(data)
        self.prepared = recipe.prepare(self.split)
        self.run = recipe.train(self.spec, self.prepared)
        self.final = recipe.train_final(self.spec, data)
        self.path = recipe.save_model(self.final, folder / "mine.keras")


CALLS = {
    "Dataset": lambda world: isinstance(world.data, recipe.Dataset),
    "Journal": lambda world: recipe.Journal(world.folder / "journal.log").record(world.run).problem.name == "mine",
    "LAST_LAYERS": lambda world: recipe.LAST_LAYERS[world.problem.type],
    "MEASURES": lambda world: recipe.MEASURES[world.problem.measure].title,
    "ModelSpec": lambda world: world.spec.describe(),
    "Prepared": lambda world: isinstance(world.prepared, recipe.Prepared),
    "Problem": lambda world: recipe.Problem.from_dict(world.problem.to_dict()) == world.problem,
    "Range": lambda world: recipe.SearchSpace(base=world.spec, dropout=recipe.Range(0.0, 0.5)).dropout.low == 0,
    "Run": lambda world: np.isclose(recipe.Run.from_dict(world.run.to_dict()).score, world.run.score),
    "SearchSpace": lambda world: recipe.SearchSpace(base=world.spec),
    "TrainingPanel": lambda world: recipe.TrainingPanel(world.data, journal=None).run(**SETTINGS).score,
    "advise": lambda world: recipe.advise(world.run),
    "build_model": lambda world: recipe.build_model(world.spec, world.prepared.problem).count_params() > 0,
    "check_pipeline": lambda world: recipe.check_pipeline(
        recipe.build_model(world.spec, world.prepared.problem),
        world.prepared.inputs(), world.prepared.y_train, world.prepared.inputs("val"), world.prepared.y_val,
    ),
    "compute_baseline": lambda world: recipe.compute_baseline(world.prepared).rival.value,
    "cross_validate": lambda world: recipe.cross_validate(world.spec, recipe.k_fold(world.data, folds=3)),
    "describe_target": lambda world: recipe.describe_target(world.data.y_train),
    "diagnose_errors": lambda world: recipe.diagnose_errors(world.run).sentence,
    "diagnose_history": lambda world: recipe.diagnose_history(world.run).sentence,
    "evaluate_once": lambda world: recipe.evaluate_once(world.final, world.data).sentences,
    "find_duplicates": lambda world: recipe.find_duplicates(world.split.x_train, world.split.x_val),
    "find_mistakes": lambda world: recipe.find_mistakes(world.run.model, world.prepared, world.split).to_frame(),
    "hold_out": lambda world: len(world.split.y_val) > 0,
    "k_fold": lambda world: len(recipe.k_fold(world.data, folds=3)) == 3,
    "keras_code": lambda world: compile(recipe.keras_code(world.spec, world.problem), "program.py", "exec"),
    "load_model": lambda world: np.array_equal(
        recipe.load_model(world.path).predict(world.split.x_val), world.final.predict(world.split.x_val)
    ),
    "plot_runs": lambda world: recipe.plot_runs(world.run).alt,
    "prepare": lambda world: world.prepared.preparation,
    "run_recipe": lambda world: recipe.run_recipe(world.data, plan=quick_plan(world)).test.score,
    "same_distribution": lambda world: recipe.same_distribution(world.split.x_train, world.split.x_val),
    "save_model": lambda world: world.path.is_file(),
    "statistical_power": lambda world: recipe.statistical_power(
        world.prepared.problem, world.prepared.y_val,
        world.run.model.predict(world.prepared.inputs("val"), verbose=0), recipe.compute_baseline(world.prepared),
    ).sentence,
    "suggest_measure": lambda world: recipe.suggest_measure(world.problem, world.data.y_train).reason,
    "time_folds": lambda world: recipe.time_folds(world.data, np.arange(len(world.data.y_train)), folds=2),
    "train": lambda world: world.run.score,
    "train_final": lambda world: world.final.run.train_samples == len(world.data.y_train),
    "train_seeds": lambda world: recipe.train_seeds(world.spec, world.prepared, (0, 1)),
    "tune": lambda world: recipe.tune(world.split, recipe.SearchSpace(base=world.spec), 1, journal=None).best.score,
}  # fmt: skip


def quick_plan(world):
    from recipe.search.plan import Plan

    return Plan(small=world.spec, ladder=(world.spec.replace(epochs=6),), trials=1)


def test_every_public_name_is_called_or_exempt_with_a_reason():
    assert set(CALLS) | set(EXEMPT) == set(recipe.__all__)
    assert not set(CALLS) & set(EXEMPT)


@pytest.mark.parametrize("name", ["churn", *SLOW])
def test_every_public_name_works_on_data_of_ones_own(name, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "__array__ implementation")  # Keras's own, of NumPy's copy keyword
        world = World(DATA[name](), tmp_path)
    broken = {}
    for called in CALLS if name != "churn" else CALLS.keys() - LONG:
        try:
            found = CALLS[called](world)
        except Exception as error:
            broken[called] = f"{type(error).__name__}: {error}"
            continue
        if found is False or found is np.False_ or (isinstance(found, float) and not np.isfinite(found)):
            broken[called] = repr(found)
        text = str(found.to_csv() if isinstance(found, pd.DataFrame) else found)
        for word in ("latitude", "mnist", "imdb", "housing"):
            if word in text:
                broken[called] = f"speaks of {word}"
    assert broken == REFUSED.get(name, {})
