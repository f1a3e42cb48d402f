"""Step 8: the model and the data that are looked at, and copies of the model: it is read, and never touched."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from recipe.core.problem import Problem, ProblemType
from recipe.debugging.basics import NotApplicable, count_bad, guess_kind, name_of, quiet

if TYPE_CHECKING:
    import keras

    from recipe.debugging.programs import Program, Weights

T = TypeVar("T")

ROWS, VAL_ROWS = 2_000, 500  # that are trained and judged on at most
SCALING_LAYERS = ("Rescaling", "Normalization", "Reshape", "Flatten")


class Subject:
    """A compiled model and its data; what is made of them is made when it is first asked for, and then kept.

    Parameters
    ----------
    model : compiled, with one input and one output; it is only read
    x_train, y_train, x_val, y_val : as they go to `fit`; without validation a fifth of the training part is taken
    kind : what is predicted; None finds it out from the targets
    seed : of the rows that are drawn, the weights and the order
    """

    def __init__(
        self,
        model: keras.Model,
        x_train: np.ndarray,
        y_train: np.ndarray,
        x_val: np.ndarray | None = None,
        y_val: np.ndarray | None = None,
        *,
        kind: Problem | ProblemType | None = None,
        seed: int = 0,
    ) -> None:
        self.model, self.seed, self.validated = model, seed, x_val is not None
        self.x_train, self.y_train, self.x_val, self.y_val = x_train, y_train, x_val, y_val
        self._given, self._kind = kind, getattr(kind, "type", kind)

    # The data.

    @cached_property
    def rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """At most 2,000 training and 500 validation rows, drawn at random: x, y, x_val, y_val."""
        if len(self.x_train) != len(self.y_train):
            raise NotApplicable("the training part has not one target for each input")
        if self.validated and len(self.x_val) != len(self.y_val):
            raise NotApplicable("the validation part has not one target for each input")
        rng = np.random.default_rng(self.seed)
        order = rng.permutation(len(self.x_train))
        if self.validated:
            order_val = rng.permutation(len(self.x_val))[:VAL_ROWS]
            x_val, y_val = self.x_val[order_val], self.y_val[order_val]
        else:
            cut = len(order) // 5
            x_val, y_val, order = self.x_train[order[:cut]], self.y_train[order[:cut]], order[cut:]
        order = order[:ROWS]
        return self.x_train[order], self.y_train[order], x_val[:VAL_ROWS], y_val[:VAL_ROWS]

    @cached_property
    def finite(self) -> bool:
        """Whether every number is finite."""
        parts = (self.x_train, self.y_train, self.x_val, self.y_val)
        return all(count_bad(part) == 0 for part in parts if part is not None)

    @cached_property
    def kind(self) -> ProblemType:
        """The type of problem: as it was given, else as the targets look."""
        return self._kind or guess_kind(self.y_train, self.outputs, str(self.loss_name))

    @cached_property
    def problem(self) -> Problem:
        """The problem as the table of step 1 knows it."""
        if isinstance(self._given, Problem):
            return self._given
        return Problem(
            name="yours",
            base="",
            question="",
            type=self.kind,
            outputs=self._wanted_outputs,
            output_names=(),
            input_shape=self.input_shape,
            measure="",
        )

    @property
    def _wanted_outputs(self) -> int:
        """How many outputs the targets ask for; integer classes ask for as many as the network has."""
        if self.y_train.ndim > 1 and self.y_train.shape[-1] > 1:
            return int(self.y_train.shape[-1])
        return self.outputs if self.kind is ProblemType.MULTICLASS else 1

    @property
    def outputs(self) -> int:
        """How many numbers the network puts out for a sample."""
        return int(self.twin.output_shape[-1])

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of a sample."""
        return tuple(self.x_train.shape[1:])

    @property
    def loss_name(self) -> str:
        """The name of the loss, as Keras writes it out in full."""
        return name_of(self.model.loss)

    @property
    def from_logits(self) -> bool:
        """Whether the loss takes the outputs before their activation."""
        config = self.model.loss.get_config() if hasattr(self.model.loss, "get_config") else {}
        return bool(config.get("from_logits", False))

    # Copies of the model.

    @cached_property
    def twin(self) -> keras.Model:
        """A copy of the model with the weights that it has now (fresh ones where it is not built yet)."""
        from recipe.debugging.programs import clone

        twin = self.guard(lambda: clone(self.model, self.input_shape, self.seed), "the model cannot be copied")
        if self.model.built:
            twin.set_weights(self.model.get_weights())
        return twin

    @cached_property
    def twin_compiled(self) -> keras.Model:
        """The model if it is built, else its copy, compiled alike."""
        if self.model.built:
            return self.model
        self.twin.compile(loss=self.model.loss)
        return self.twin

    def reach_first_weights(self) -> np.ndarray:
        """Return what the first layer with trained weights reads, behind layers that scale, on at most 2,000 rows."""
        import keras

        x = self.rows[0]
        layers = [layer for layer in self.twin.layers if type(layer).__name__ != "InputLayer"]
        if layers and isinstance(layers[0], keras.layers.Embedding):
            raise NotApplicable("the inputs are numbers of words, which an embedding looks up")
        if layers and type(layers[0]).__name__ == "BatchNormalization":
            raise NotApplicable("the first layer normalises each batch")
        for layer in layers:
            if type(layer).__name__ not in SCALING_LAYERS:
                return np.asarray(x)
            x = keras.ops.convert_to_numpy(layer(x.astype(np.float32)))
        return x

    @cached_property
    def refusal(self) -> str:
        """Why the model cannot read the inputs; empty where it can."""
        try:
            self.guard(
                lambda: self.twin(self.x_train[:2].astype(self._input_dtype)), "the model cannot read the inputs"
            )
        except NotApplicable as why:
            return str(why)
        return ""

    @cached_property
    def fresh(self) -> Weights:
        """Weights as they are before training, drawn from the seed; those of frozen layers are the model's own."""
        from recipe.debugging.programs import clone, weights_of

        copy = self.guard(lambda: clone(self.model, self.input_shape, self.seed), "the model cannot be copied")
        if not copy.trainable_variables:
            raise NotApplicable("no weight can be trained")
        return weights_of(copy)

    def check_runnable(self) -> None:
        """Raise NotApplicable where nothing can be computed."""
        if len(self.rows[0]) < 2:
            raise NotApplicable("there are too few samples")
        if not self.finite:
            raise NotApplicable("some numbers are not finite, and every loss would be the same: not a number")

    @cached_property
    def program(self) -> Program:
        """The computation."""
        from recipe.debugging.programs import program_for

        self.check_runnable()
        program = self.guard(lambda: program_for(self.model, self.input_shape), "the model cannot be copied")
        self.guard(lambda: self._try(program), "the model cannot be run on these data")
        return program

    def _try(self, program: Program) -> None:
        x, y, *_ = self.arrays
        losses = program.losses(program.start(self.fresh, 0.001), x[:2], y[:2])
        if losses.shape != (min(2, len(x)),):
            raise ValueError("the loss is not one number a sample")

    def guard(self, make: Callable[[], T], fact: str) -> T:
        """Return what `make` returns; what Keras refuses is a reason why a check cannot be made."""
        try:
            with quiet():
                return make()
        except NotApplicable:
            raise
        except Exception as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise NotApplicable(f"{fact}: {first[:200]}") from error

    @cached_property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The rows in the dtypes that the program reads; targets with the rank of the outputs."""
        x, y, x_val, y_val = self.rows
        kind = self._input_dtype
        shape = lambda y: (y if y.ndim > 1 else y[:, None]).astype(np.float32)  # noqa: E731
        return x.astype(kind), shape(y), x_val.astype(kind), shape(y_val)

    @property
    def _input_dtype(self) -> type:
        return np.int32 if "int" in str(self.twin.inputs[0].dtype) else np.float32
