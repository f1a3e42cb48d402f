"""What XLA compiled once is kept on disk, so that the next kernel starts training at once, with the same numbers.

Cold, a network spends a second or two in the compiler; from the cache it is a few tenths. Writers do not disturb each
other. The folder is one a machine: compiled code belongs to the processor it was made for.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
from pathlib import Path


def use_compile_cache() -> None:
    """Turn JAX's compile cache on, below ``$RECIPE_HOME`` or the user's own cache folder.

    A cache that the user has set up already (``JAX_COMPILATION_CACHE_DIR``) is left as it is, and so are other
    backends. A folder that cannot be written costs time, not the training.
    """
    import jax
    import keras
    from platformdirs import user_cache_path

    if keras.config.backend() != "jax" or jax.config.jax_compilation_cache_dir:
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
