"""What XLA compiled once is kept on disk, and what it was compiled from is not kept in memory.

Cold, a network spends a second or two in the compiler; from the cache it is a few tenths, with the same numbers.
Writers do not disturb each other. The folder is one a machine: compiled code belongs to the processor it was made for.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib
import itertools
import os
import platform
import sys
from functools import cache
from pathlib import Path

# Where JAX keeps what it handed to the compiler, an MLIR context a program; another version may keep it elsewhere.
SOURCES = (("jax._src.pjit", "_pjit_lower"), ("jax._src.interpreters.pxla", "_cached_lowering_to_hlo"))
MOST_SOURCES = 16  # the latest may be asked for once more, by a call with arrays of another kind
MOST_PROGRAMS = 96  # what is asked for once more comes from the disk: every 24 doubled the time of a pipeline's checks
FULL, PROGRAMS_WHEN_FULL = 530e6, 32  # bytes that the process takes, and the most programs from then on
LONG_SECONDS = 0.1  # a compiler that ran for so long leaves tens of MB to give back, which takes 5 ms


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
    forget_sources()
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
def forget_sources() -> None:
    """Let JAX forget, from now on, what its programs were compiled from, and now and again the programs, too.

    A context takes 1.3 MB even of ``x + x``, and the program itself half a megabyte. A lesson compiles hundreds: 350
    small ones take 430 MB of memory with all that they came from. A process that is large already forgets sooner.
    """
    import jax
    import psutil

    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    give_back = getattr(libc, "malloc_trim", lambda keep: None)  # glibc keeps what a compiler's threads have freed
    kept = []
    for module, name in SOURCES:
        with contextlib.suppress(ImportError, AttributeError):
            kept.append(getattr(importlib.import_module(module), name).cache_clear)
    compiled, forgotten = itertools.count(1), 0

    def listen(event: str, seconds: float, **more: object) -> None:
        nonlocal forgotten
        if not event.endswith("backend_compile_duration"):
            return
        number = next(compiled)
        if number % MOST_SOURCES == 0:
            most = PROGRAMS_WHEN_FULL if psutil.Process().memory_info().rss > FULL else MOST_PROGRAMS
            if number - forgotten >= most:
                forgotten = number
                jax.clear_caches()
            else:
                for clear in kept:
                    clear()
        if number % MOST_SOURCES == 0 or seconds > LONG_SECONDS:
            give_back(0)

    jax.monitoring.register_event_duration_secs_listener(listen)
