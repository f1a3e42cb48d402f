"""What is compiled takes little memory, once it is compiled."""

from __future__ import annotations

import subprocess
import sys

# Plain JAX, in a kernel that knows the kit: 60 programs, and how many MB they leave behind.
PROGRAMS = """
import jax, numpy as np, psutil, recipe
resident = lambda: psutil.Process().memory_info().rss / 1e6
add = jax.jit(lambda x: x + 1)
for rows in range(1, 101):
    add(np.zeros(rows, np.float32))
    if rows == 40:  # by now the compiler itself is there
        before = resident()
print(resident() - before)
"""


def test_programs_leave_no_compiler_behind():
    done = subprocess.run([sys.executable, "-c", PROGRAMS], capture_output=True, text=True, timeout=120, check=True)
    assert float(done.stdout) < 40  # with all that they were compiled from, 80


# As in a process that takes much memory: 90 programs, and how many of them are left.
FULL = """
import recipe, recipe.engine.compile_cache
recipe.engine.compile_cache.FULL = 0
import jax, numpy as np
recipe.engine.compile_cache.forget_sources()
add = jax.jit(lambda x: x + 1)
for rows in range(90):
    assert add(np.zeros(rows, np.float32)).shape == (rows,)
print(len(jax.devices()[0].client.live_executables()))
"""


def test_large_process_keeps_few_programs():
    done = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, timeout=120, check=True)
    assert int(done.stdout) <= 32
