"""What a step takes: where something else is handed to it, one sentence says what it is and where to get it."""

from __future__ import annotations

# Where each of the nouns comes from, by the name of its class.
SOURCES = {
    "Problem": "the problem of a dataset, dataset.problem",
    "Dataset": "what load returns",
    "Split": "what hold_out(dataset) returns",
    "Prepared": "what prepare(split) returns",
    "ModelSpec": "a ModelSpec",
    "Run": "what train returns",
    "FinalModel": "what train_final returns",
}


def expect(value: object, wanted: type, fact: str) -> None:
    """Refuse what is not the noun that a step takes.

    Parameters
    ----------
    wanted : the class of the noun, such as `Split`
    fact : what the step does with it, a sentence

    Raises
    ------
    TypeError
        With the sentence, what was received, and where to get what is wanted.

    Examples
    --------
    >>> from recipe.core.dataset import Split
    >>> expect("mnist", Split, "What is prepared is a split.")
    Traceback (most recent call last):
    TypeError: What is prepared is a split. Received: a str. Give what hold_out(dataset) returns.
    """
    if isinstance(value, wanted):
        return
    received, way = f"a {type(value).__name__}", f"Give {SOURCES[wanted.__name__]}."
    if isinstance(value, list | tuple) and value:
        received = f"a {type(value).__name__} of {len(value)}, the first a {type(value[0]).__name__}"
        if wanted.__name__ == "Split":
            way = "k_fold returns several splits: prepare each one, or pass them to cross_validate."
    raise TypeError(f"{fact} Received: {received}. {way}")
