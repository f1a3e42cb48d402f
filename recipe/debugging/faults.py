"""Step 8: the ways in which a pipeline is broken for practice: what each is, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from recipe.core.dataset import Dataset
from recipe.core.problem import Problem
from recipe.debugging import fault_ways
from recipe.debugging.pipelines import BASES, Draft, Network, Pipeline, finish_draft, load_for, start_draft


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to break a pipeline.

    Attributes
    ----------
    name : short, the key of `FAULTS`
    title : what is wrong, in a few words
    text : what it is and how it happens
    mend : how to mend it
    check : the name of the check that tells it, in `recipe.debugging.CHECKS`; others may find it, too
    problems : the base of each problem that it can break
    """

    name: str
    title: str
    text: str
    mend: str
    check: str
    problems: tuple[str, ...] = BASES
    _check_of: Mapping[str, str] = field(default_factory=dict, repr=False)
    _network: Callable[[Network, str], Network] | None = field(default=None, repr=False)
    _arrays: Callable[[Draft], None] | None = field(default=None, repr=False)

    def check_for(self, base: str) -> str:
        """Return the name of the check that tells it on the problem of this base."""
        return self._check_of.get(base, self.check)


def make_pipeline(problem: str | Dataset, fault: str | None = None, seed: int = 0, *, source: str = "auto") -> Pipeline:
    """Return a pipeline that is sound, or broken in one way.

    Parameters
    ----------
    problem : ``"mnist"``, ``"imdb"`` or ``"housing"``, or one of their datasets as `load` returns it
    fault : a name of `FAULTS`; None for a sound pipeline
    seed : of the split, of the first weights and of what the fault draws
    source : of the data, where a name is given (see `recipe.load`)

    Raises
    ------
    ValueError
        If there is no such problem or fault, or the fault cannot break this problem.

    Examples
    --------
    >>> pipeline = make_pipeline("housing", "labels_out_of_step", source="sample")
    >>> pipeline.x_train.shape[1:], pipeline.model.loss
    ((8,), 'mse')
    """
    dataset = load_for(problem, source)
    broken = _find(fault, dataset.problem)
    draft, network = start_draft(dataset, seed)
    if broken is not None and broken._network is not None:
        network = broken._network(network, dataset.problem.base)
    if broken is not None and broken._arrays is not None:
        broken._arrays(draft)
    return finish_draft(draft, network, seed, fault or "")


def _find(fault: str | None, problem: Problem) -> Fault | None:
    if fault is None:
        return None
    if fault not in FAULTS:
        raise ValueError(f"There is no such fault. Received: fault={fault!r}. Choose from {', '.join(FAULTS)}.")
    if problem.base not in FAULTS[fault].problems:
        raise ValueError(
            f"This fault breaks only {', '.join(FAULTS[fault].problems)}. Received: fault={fault!r} for "
            f"{problem.name}. Choose from {', '.join(faults_of(problem.base))}."
        )
    return FAULTS[fault]


def faults_of(base: str) -> tuple[str, ...]:
    """Return the names of the faults that can break a problem."""
    return tuple(name for name, fault in FAULTS.items() if base in fault.problems)


_WRONG_ACTIVATION = MappingProxyType({"mnist": None, "imdb": "relu", "housing": "sigmoid"})
_WRONG_LOSS = MappingProxyType({"mnist": "mse", "imdb": "categorical_crossentropy", "housing": "binary_crossentropy"})


def _all_faults() -> Mapping[str, Fault]:
    faults = (
        Fault(
            name="labels_off_by_one",
            check="labels",
            title="labels off by one",
            text="The classes are numbered from 1, as people count, where the network counts from 0.",
            mend="Subtract the lowest label, so that the first class is 0.",
            problems=("mnist", "imdb"),
            _arrays=fault_ways.raise_labels,
        ),
        Fault(
            name="unscaled_input",
            check="input scale",
            title="inputs not scaled",
            text="Pixels from 0 to 255, columns in their own units, or the numbers of words taken for quantities.",
            mend="Divide pixels by 255, normalise columns, encode words as multi-hot.",
            _arrays=fault_ways.leave_unscaled,
        ),
        Fault(
            name="wrong_axis",
            check="shuffled labels",
            _check_of={"housing": "axis of scaling"},
            title="wrong axis",
            text="A transposition or a reshape mixed the samples, or columns were normalised along the rows.",
            mend="Keep samples on axis 0; take mean and spread of a table along axis=0. Look at a few samples.",
            _arrays=fault_ways.mix_axes,
        ),
        Fault(
            name="labels_out_of_step",
            check="zero input",
            title="targets out of step",
            text="Samples or targets were shuffled, sorted or filtered alone: each sample has another one's target.",
            mend="Shuffle both by one permutation: order = rng.permutation(n); x[order], y[order].",
            _arrays=fault_ways.shuffle_targets,
        ),
        Fault(
            name="frozen_layers",
            check="frozen layers",
            title="frozen layers",
            text="The hidden layers were set to trainable=False, and stay at the random weights they were born with.",
            mend="Set layer.trainable = True and compile anew.",
            _network=lambda network, base: replace(network, trainable=False),
        ),
        Fault(
            name="rate_too_high",
            check="learning rate",
            title="learning rate too high",
            text="The steps are so long that they jump over every valley.",
            mend="Go down by factors of 10 until the loss falls steadily.",
            _network=lambda network, base: replace(network, learning_rate=3.0),
        ),
        Fault(
            name="rate_too_low",
            check="learning rate",
            title="learning rate too low",
            text="The steps are so short that training would take days.",
            mend="Go up by factors of 10 until the loss explodes, then back by 10.",
            _network=lambda network, base: replace(network, learning_rate=1e-6),
        ),
        Fault(
            name="wrong_last_activation",
            check="last activation",
            title="wrong last activation",
            text="The last layer cannot put out what the problem wants: no softmax for classes, relu for yes or no, "
            "sigmoid for dollars.",
            mend="Softmax for classes, sigmoid for yes or no, none for quantities.",
            _network=lambda network, base: replace(network, last_activation=_WRONG_ACTIVATION[base]),
        ),
        Fault(
            name="wrong_loss",
            check="loss",
            title="wrong loss",
            text="The loss compares something else than the problem asks: mse on class numbers, a loss for several "
            "classes on one output, cross-entropy on dollars.",
            mend="Take the loss of the table in lesson 1 for this type of problem.",
            _network=lambda network, base: replace(network, loss=_WRONG_LOSS[base]),
            _arrays=fault_ways.as_column,
        ),
        Fault(
            name="leak",
            check="twins",
            title="samples in both parts",
            text="Half of the validation samples stand in the training part, too: data were copied before the split.",
            mend="Drop duplicates, then split, and copy (augment, oversample) the training part alone.",
            _arrays=fault_ways.leak,
        ),
        Fault(
            name="validation_prepared_otherwise",
            check="validation inputs",
            title="validation prepared otherwise",
            text="Scaling was forgotten on the validation part, or its words are numbered otherwise.",
            mend="Fit the preparation on the training part, and apply that same one to every other part.",
            _arrays=fault_ways.prepare_otherwise,
        ),
        Fault(
            name="dead_units",
            check="dead units",
            title="dead units",
            text="The biases begin far below 0, so that every relu is 0 for every sample and has no gradient.",
            mend="Take Keras's default initializers: biases of 0.",
            _network=lambda network, base: replace(network, bias=-30.0),
        ),
        Fault(
            name="dropout_too_strong",
            check="dropout",
            title="dropout of 0.95",
            text="The share that is kept was given where the share that is dropped is meant.",
            mend="Take 0.2 to 0.5, and no dropout before the model overfits.",
            _network=lambda network, base: replace(network, dropout=0.95),
        ),
        Fault(
            name="nan_in_input",
            check="finite numbers",
            title="NaN among the inputs",
            text="Five numbers of the training part are missing.",
            mend="Fill or drop missing values in step 4.",
            _arrays=fault_ways.lose_values,
        ),
        Fault(
            name="sorted_data",
            check="validation targets",
            title="sorted before the split",
            text="The samples were sorted by their target and cut in order: validation has what training never showed.",
            mend="Shuffle before splitting, both parts by one permutation.",
            _arrays=fault_ways.sort,
        ),
        Fault(
            name="missing_activation",
            check="hidden activations",
            title="no hidden activation",
            text="Without one, all layers together are no more than a single linear one.",
            mend='Give the hidden layers activation="relu".',
            _network=lambda network, base: replace(network, activation=None),
        ),
        Fault(
            name="unscaled_target",
            check="labels",
            title="targets not scaled",
            text="Prices in dollars: the network begins near 0 and has a way of 200,000 to go.",
            mend="Divide the targets by 100,000 and say the error in hundred thousand dollars.",
            problems=("housing",),
            _arrays=fault_ways.count_in_dollars,
        ),
    )
    return MappingProxyType({fault.name: fault for fault in faults})


FAULTS = _all_faults()
