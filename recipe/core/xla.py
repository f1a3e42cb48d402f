"""What XLA is told about compiling for a CPU.

It reads this when it compiles for the first time, and never again. What the user set stays; an accelerator, which JAX
finds as a plugin, keeps the options that it has.
"""

from __future__ import annotations

import importlib.util
import os

LEVEL = "--xla_backend_optimization_level"
# XLA ends a process that names an option which it does not know: these versions were tried.
KNOW_EMITTERS = ("0.7.", "0.8.", "0.9.", "0.10.")


def compile_in_less_time() -> None:
    """Take one level below XLA's own: programs are as fast, and compiled in a tenth less time."""
    _set_option(LEVEL, "1")


def compile_for_few_samples() -> None:
    """Let XLA write code in the older of its two ways.

    To compile a network then takes a tenth less time and 50 to 100 MB less memory, and to train it on tens of thousands
    of samples up to a third more time: where there are few, training is milliseconds and compiling is seconds.
    """
    import jaxlib  # its version alone: JAX itself is not loaded

    if jaxlib.__version__.startswith(KNOW_EMITTERS):
        _set_option("--xla_cpu_use_fusion_emitters", "false")


def _set_option(name: str, value: str) -> None:
    given = os.environ.get("XLA_FLAGS", "")
    if name not in given and not any(map(importlib.util.find_spec, ("jax_plugins", "libtpu"))):
        os.environ["XLA_FLAGS"] = f"{given} {name}={value}".strip()
