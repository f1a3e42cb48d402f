"""How long `recipe.check_pipeline` takes on the book's models, on 2,000 rows: `python benchmarks/checks.py`.

Each model is checked in a process of its own, compiling included: first with an empty compile cache, then with what
that run left there. On a busy machine the processor's seconds are the steadier ones.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

WORK = {  # which data, how encoded, and which network
    "MNIST 512-10": ("mnist", "auto", {"hidden_units": (512,)}),
    "MNIST convnet 16-32": ("mnist", "auto", {"architecture": "convnet", "hidden_units": (16, 32)}),
    "IMDB 16-16-1 behind 10,000 words": ("imdb", "auto", {"hidden_units": (16, 16)}),
    "IMDB LSTM 32 behind 256 word vectors": ("imdb", "sequence", None),
    "housing 64-64-1": ("housing", "auto", {"hidden_units": (64, 64)}),
}


def main() -> None:
    """Print the table; with the name of a model, check that one."""
    if len(sys.argv) > 1:
        print(*check(sys.argv[1]), sep="\t")
        return
    print("| model | seconds, cold | of the processor | seconds, warm | of the processor | checks that failed |")
    print("| --- | --- | --- | --- | --- | --- |")
    for work in WORK:
        with tempfile.TemporaryDirectory() as folder:
            environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_COMPILATION_CACHE_DIR": folder}
            run = [sys.executable, __file__, work]
            cold, warm = (subprocess.check_output(run, env=environment, text=True).split() for _ in range(2))
        print("|", " | ".join([work, *cold[:2], *warm]), "|", flush=True)


def check(work: str) -> tuple[str, str, int]:
    """Check one model; return the seconds by the clock and of the processor, and how many checks failed."""
    import keras

    import recipe

    name, encoding, network = WORK[work]
    data = recipe.prepare(recipe.hold_out(recipe.load(name, rows=2_500)), encoding=encoding)
    if network is None:
        stack = [keras.layers.Embedding(10_000, 32), keras.layers.LSTM(32), keras.layers.Dense(1, activation="sigmoid")]
        model = keras.Sequential([keras.Input((256,), dtype="int32"), *stack])
        model.compile("rmsprop", "binary_crossentropy")
    else:
        model = recipe.build_model(recipe.ModelSpec(**network), data.problem)
    clock, processor = time.perf_counter(), time.process_time()
    report = recipe.check_pipeline(model, data.inputs("train"), data.y_train, data.inputs("val"), data.y_val)
    return f"{time.perf_counter() - clock:.1f}", f"{time.process_time() - processor:.1f}", len(report.failed)


if __name__ == "__main__":
    main()
