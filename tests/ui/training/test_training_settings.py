"""The training panel's controls: any spec goes in and comes out, and what makes no sense is refused."""

from __future__ import annotations

import pytest
from training_examples import read_status

from recipe.core.spec import ModelSpec
from recipe.data.problems import PROBLEMS
from recipe.ui.training import TrainingPanel
from recipe.ui.training.controls import STEPS
from recipe.ui.training.settings import QUESTIONS, TrainingSettings, suitable

SPECS = [
    ModelSpec(),
    ModelSpec(architecture="linear"),
    ModelSpec(hidden_units=(48, 3, 1000, 7), activation="tanh", dropout=0.123, l1=2e-7, l2=0.5, patience=7),
    ModelSpec(architecture="convnet", hidden_units=(16, 32), optimizer="sgd", learning_rate=0.0123),
    ModelSpec(hidden_units=(16, 16), batch_size=17, epochs=37, seed=42),
]


@pytest.mark.parametrize("spec", SPECS)
def test_settings_hold_any_spec(spec):
    settings = TrainingSettings().with_spec(spec)
    assert settings.spec == spec
    assert TrainingSettings.from_text(settings.to_text()) == settings


@pytest.mark.parametrize("spec", SPECS)
def test_controls_show_any_spec_and_give_it_back(panel, spec):
    panel.spec = spec
    assert panel.spec == spec
    assert panel.controls["epochs"].label == str(spec.epochs)


def test_settings_switch_layers_and_penalties_off():
    settings = TrainingSettings(layer_1=False, layer_3=True, units_3=5, dropout=0.3, l2_on=True, l2=0.01)
    assert settings.spec == ModelSpec(hidden_units=(5,), l2=0.01)
    assert TrainingSettings(layer_1=False).spec.architecture == "linear"
    assert TrainingSettings(seed=4, seeds=3).all_seeds == (4, 5, 6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"problem": "imdb", "architecture": "convnet"}, r"A convnet needs images, and a sample of imdb has the shape"),
        ({"architecture": "embedding"}, r"An embedding network needs words, and mnist has none."),
        ({"architecture": "convnet", "layer_1": False}, r"architecture 'convnet' needs at least one layer."),
        ({"dropout": 1.5}, r"dropout is out of range. Received: dropout=1.5."),
    ],
)
def test_settings_refuse_what_does_not_go_together(changes, message):
    with pytest.raises(ValueError, match=message):
        TrainingSettings(**changes)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            ModelSpec(hidden_units=(1, 2, 3, 4, 5)),
            r"The panel has 4 hidden layers to switch on. Received: hidden_units=",
        ),
        (ModelSpec(loss="mse"), r"that suit the problem. Received: last_activation='auto', loss='mse'."),
    ],
)
def test_with_spec_refuses_what_the_panel_has_no_control_for(spec, message):
    with pytest.raises(ValueError, match=message):
        TrainingSettings().with_spec(spec)


def test_replace_takes_dense_layers_where_the_network_does_not_suit_the_new_problem():
    settings = TrainingSettings(architecture="convnet", units_1=16).replace(problem="housing")
    assert settings.spec == ModelSpec(hidden_units=(16,))
    assert (
        TrainingSettings(problem="imdb", architecture="embedding").replace(problem="imdb").architecture == "embedding"
    )


@pytest.mark.parametrize("problem", QUESTIONS.values())
def test_only_networks_that_suit_the_problem_are_offered(problem):
    panel = TrainingPanel()
    panel.controls["problem"].value = problem
    offered = [value for _, value in panel.controls["architecture"].options]
    assert tuple(offered) == suitable(PROBLEMS[problem])
    assert panel.settings.problem == problem


def test_switches_let_only_what_is_on_be_moved(panel):
    controls = panel.controls
    assert (controls["units_1"].disabled, controls["units_2"].disabled, controls["dropout"].disabled) == (
        False,
        True,
        True,
    )
    controls["layer_2"].value = controls["dropout_on"].value = True
    assert (controls["units_2"].disabled, controls["dropout"].disabled) == (False, False)
    controls["architecture"].value = "linear"
    assert controls["layer_1"].disabled
    assert controls["units_1"].disabled


def test_controls_that_make_no_sense_together_are_told_at_once(panel):
    panel.controls["architecture"].value = "convnet"
    panel.controls["layer_1"].value = False
    assert "role='alert'" in panel.status.value
    assert "needs at least one layer. Received: hidden_units=()" in read_status(panel)
    panel.controls["layer_1"].value = True
    assert read_status(panel) == "Ready: press Train."


def test_every_control_has_a_label_of_its_own(panel):
    labels = [control.description for control in panel.controls.values()]
    assert all(labels)
    assert len(set(labels)) == len(labels)
    assert set(STEPS) <= set(panel.controls)


def test_panel_of_a_dataset_offers_its_problem_alone(panel, digits):
    assert panel.controls["problem"].options == (("digits (MNIST)", "mnist"),)
    assert panel.controls["rows"].disabled
    with pytest.raises(ValueError, match=r"The dataset is of the problem mnist. Received: problem='imdb'."):
        TrainingPanel(digits, problem="imdb")
