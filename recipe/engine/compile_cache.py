"""What XLA compiled once is kept on disk; in memory JAX keeps it for a while only.

Cold, a network spends a second or two in the compiler; from the cache it is a few tenths, with the same numbers.
Writers do not disturb each other. The folder is one a machine: compiled code belongs to the processor it was made for.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import itertools
import os
import platform
import sys
from functools import cache
from pathlib import Path

MOST_COMPILED = 24  # programs between two times that all are forgotten; those in use come back from the disk


def use_compile_cache() -> None:
    """Turn JAX's compile cache on, below ``$RECIPE_HOME`` or the user's own cache folder.

    A cache that the user has set up already (``JAX_COMPILATION_CACHE_DIR``) is left as it is, and so are other
    backends. A folder that cannot be written costs time, not the training.
    """
    import jax
    import keras
    from platformdirs import user_cache_path

    if keras.config.backend() != "jax":
        return
    forget_programs()
    if jax.config.jax_compilation_cache_dir:
        return
    home = os.environ.get("RECIPE_HOME")
    base = Path(home).expanduser() / "cache" if home else user_cache_path("recipe", appauthor=False)
    machine = f"{platform.node()} {platform.machine()} {platform.processor()}"
    folder = base / "xla" / hashlib.sha256(machine.encode()).hexdigest()[:12]
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if os.access(folder, os.W_OK):
        jax.config.update("jax_compilation_cache_dir", str(folder))
        # The default thresholds keep nothing as small as a teaching model.
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


@cache
def forget_programs() -> None:
    """Let JAX forget what it compiled, now and again, from now on: a program that is asked for anew is compiled anew.

    JAX keeps every program with what it came from, 1.3 MB even of ``x + x``. A lesson compiles hundreds, uses most of
    them once, and needs half of the memory without them.
    """
    import jax

    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    give_back = getattr(libc, "malloc_trim", lambda keep: None)  # glibc keeps what a compiler's threads have freed
    compiled = itertools.count(1)

    def listen(event: str, seconds: float, **more: object) -> None:
        if event.endswith("backend_compile_duration") and next(compiled) % MOST_COMPILED == 0:
            jax.clear_caches()
            give_back(0)

    jax.monitoring.register_event_duration_secs_listener(listen)
