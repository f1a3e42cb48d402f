"""Step 8: what Keras refuses to train, and what it trains though two shapes do not belong together."""

from __future__ import annotations

from recipe.debugging.bench import Bench
from recipe.debugging.checks import Check, NotApplicable, judge


def check_can_be_trained(bench: Bench) -> Check:
    """Keras makes a training step on the data as they are, and compares one number of a target with one output."""
    said = f"\nKeras says: {bench.refusal}" if bench.refusal else ""
    fact, way_out = _why_refused(bench) or ("", "")
    if bench.refusal and not fact:
        fact = "Keras stops with an error at the first step."
        way_out = "Its message, and the shapes after each layer, say where."
    samples, shape = len(bench.x_train), bench.x_train.shape[1:]
    return judge(
        not fact,
        found=fact or f"Keras makes a training step on {samples:,} inputs of shape {shape} and their targets.",
        expected="a step of training without an error, and a target for each output.",
        cause=f"{way_out}{said}",
    )


def _why_refused(bench: Bench) -> tuple[str, str] | None:
    """Return what does not belong together, in plain words, and the way out; None where nothing is seen."""
    model, x, y = bench.model, bench.x_train, bench.y_train
    if bench.loss is None or model.optimizer is None:
        return "The model is not compiled.", "Call model.compile(optimizer=..., loss=...) first."
    if bench.unpaired:
        return bench.unpaired, "Rows were dropped from one and not from the other, or an axis was swapped."
    if bench.wrong_word is not None:
        known = bench.embeddings[0].input_dim
        return (
            f"There is a word number {bench.wrong_word:g}, and the embedding knows those from 0 to {known - 1}.",
            f"Give the embedding input_dim={int(x.max()) + 1}, or cut rarer words off."
            if x.min() >= 0
            else "Number the words from 0 on; 0 is usually the padding.",
        )
    if bench.validated and x.shape[1:] != bench.x_val.shape[1:]:
        return (
            f"A training sample has the shape {x.shape[1:]}, one of validation {bench.x_val.shape[1:]}.",
            "Prepare both in the same way.",
        )
    inputs = (getattr(model, "inputs", None) if model.built else None) or ()
    if len(inputs) > 1 and bench.loan.structure is None:
        return f"The model has {len(inputs)} inputs, and one array was given.", "Give a list of arrays, one for each."
    reads = tuple(inputs[0].shape[1:]) if len(inputs) == 1 and bench.loan.structure is None else None
    sample = x.shape[1:]
    if reads and (len(reads) != len(sample) or [a or b for a, b in zip(reads, sample, strict=True)] != list(sample)):
        return (
            f"The model reads samples of shape {reads}, and these have the shape {sample}.",
            f"Begin the model with keras.Input({sample}), or bring the samples into that shape.",
        )
    if bench.validated and y.shape[1:] != bench.y_val.shape[1:]:
        return (
            f"The targets of training and validation have different forms: {y.shape} and {bench.y_val.shape}.",
            "Encode both in the same way.",
        )
    try:
        return _compare_targets(bench, bench.output_shape[1:])
    except NotApplicable:
        return None


def _compare_targets(bench: Bench, shape: tuple[int, ...]) -> tuple[str, str] | None:
    """Return why targets and outputs cannot be compared by the loss; shape: of a sample's output."""
    y, columns = bench.y_train, bench.target_columns
    if bench.has_own_loss and not bench.refusal:
        return None
    if len(shape) > max(1, y.ndim - 1 + ("sparse" in bench.loss_name and y.ndim > 1)):
        return (
            f"For a sample the model puts out numbers of shape {shape}, and its target is of shape "
            f"{y.shape[1:] or (1,)}: an axis too many.",
            "A Flatten layer (or a pooling, or return_sequences=False) before the last layers is missing.",
        )
    if "sparse" in bench.loss_name:
        if columns == 1:
            return None
        return (
            f"The labels are one-hot rows of {columns} numbers, and the loss wants whole numbers.",
            'Compile with loss="categorical_crossentropy", or take y.argmax(axis=1).',
        )
    if columns == bench.outputs:
        return None
    if columns == 1 and bench.type.is_classification:
        wants = "The labels are whole numbers, and the loss wants {} numbers, one-hot."
        return (
            wants.format(bench.outputs),
            'Compile with loss="sparse_categorical_crossentropy", or take keras.utils.to_categorical(y).',
        )
    return (
        f"A target has {columns} numbers, and the network puts out {bench.outputs}.",
        "Give the last layer as many units as a target has numbers.",
    )
