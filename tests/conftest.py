"""What every test stands on: no setting of the user's reaches it, and nothing is written outside its folder."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
from forks import FORKS, OPTIMIZATION, ForkServer, for_long_trainings
from http_server import Server, serving, small_housing, small_mnist, write_npz

from recipe.data.files import FILES

# One compile cache for all tests, in every worker and every notebook's kernel: the second run of the tests is faster.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parent.parent / ".pytest_cache" / "xla"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
# On the samples a network trains in milliseconds and compiles in seconds. With these options of XLA it compiles in a
# third of the processor's time (on the full data it would train at half the speed). One part a program, for the tests
# keep both cores busy without XLA's threads. XLA ends a process whose options it does not know.
FAST_COMPILER = (
    f"--xla_cpu_use_fusion_emitters=false {OPTIMIZATION}0 --xla_cpu_parallel_codegen_split_count=1 "
    "--xla_backend_extra_options=xla_cpu_disable_loop_unrolling=true,xla_cpu_disable_slp_vectorizer=true"
)
if version("jaxlib").startswith(("0.7.", "0.10.")) and "RECIPE_DATASETS" not in os.environ:
    os.environ.setdefault("XLA_FLAGS", FAST_COMPILER)
# Keras and JAX make so many small objects that Python spends a twentieth of its time on garbage.
gc.set_threshold(50_000, 20, 20)
# A process computes with one thread: two of them keep two cores busy, and more threads wait for each other. On a small
# network that costs a fifth even where nothing else runs. XLA takes its number from NPROC.
for _threads in ("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    if "RECIPE_DATASETS" not in os.environ:
        os.environ.setdefault(_threads, "1")
# One list of fonts, too: every kernel with a home of its own would make it again, and say so.
os.environ.setdefault("MPLCONFIGDIR", str(Path(__file__).parent.parent / ".pytest_cache" / "matplotlib"))

# The notebooks' kernels, and what runs before a test is shielded, keep their runs here, never in the user's journal.
_JOURNAL = tempfile.TemporaryDirectory(prefix="recipe-tests-", ignore_cleanup_errors=True)
os.environ["RECIPE_JOURNAL"] = str(Path(_JOURNAL.name) / "journal.log")

# A shell that runs the tests in the background has Ctrl-C ignored, and what the tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

BROWSER = "tests/browser/"
REAL_DATASETS = os.environ.get("RECIPE_DATASETS")  # before the tests are shielded from it


def pytest_configure(config: pytest.Config) -> None:
    """Let the kernels and commands of all workers be forks of one process that has imported Keras.

    Not on the real data: there the lessons' kernels start as a person's do.
    """
    if find_spec("nbgrader") is None:  # the extra [teach] is not installed
        config.option.ignore_glob = [*(config.option.ignore_glob or []), "*/teach/course.py", "*/teach/grading.py"]
    if FORKS and REAL_DATASETS is None and not hasattr(config, "workerinput"):
        server = ForkServer(XLA_FLAGS=for_long_trainings())  # of the kernels: of the lessons, and of the assignments
        config.add_cleanup(server.close)
        server.offer()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the cells of the lessons, so that they can be asked for by name; put the files that take longest first.

    At the end one would keep one of two processes waiting: the runs on the real data, the browser, the lessons, their
    claims, the assignments. The order of the paths does not tell: pytest drops one that lies within another.
    """
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker(pytest.mark.lesson)
    long = ("test_real_runs.py", BROWSER, ".ipynb", "test_claims.py", "test_assignments.py", "test_pipelines.py")
    long += ("test_every_name.py", "test_programs.py")
    items.sort(key=lambda item: [name in item.path.as_posix() for name in long], reverse=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Let one process make all tests in the browser where there are others: the servers start once, the rest goes on.

    Two browsers with their servers and kernels on two cores would wait for each other.
    """
    from xdist.scheduler import LoadFileScheduling

    class OneBrowser(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return BROWSER if nodeid.startswith(BROWSER) else super()._split_scope(nodeid)

    is_shared = config.getvalue("dist") == "loadfile" and BROWSER.rstrip("/") not in config.args
    return OneBrowser(config, log) if is_shared else None


@pytest.fixture(autouse=True)
def _isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the user's RECIPE_* variables and data folders; what is stored goes to a folder of the test's own."""
    for name in [name for name in os.environ if name.startswith("RECIPE_")]:
        monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("RECIPE_HOME", str(home))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "user"))
    monkeypatch.setattr("recipe.data.files.CHECKOUT", home / "no_checkout")


@pytest.fixture(scope="module")
def no_journal() -> Iterator[None]:
    """Nothing is recorded, and no earlier look at a test set counts: for fixtures that whole modules share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECIPE_JOURNAL", "off")
        yield


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Panels number their pictures instead of rendering them, which takes a third of a second each."""
    numbers = itertools.count()
    monkeypatch.setattr("recipe.ui.panel.to_png", lambda figure, **options: b"\x89PNG %d" % next(numbers))


@pytest.fixture
def real_data(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test the real data, or skip it; such tests carry the mark `real_data` too."""
    folder = Path(REAL_DATASETS or "")
    missing = [name for names in FILES.values() for name in names if not (folder / name).is_file()]
    if REAL_DATASETS is None or missing:
        pytest.skip(f"RECIPE_DATASETS names no folder with the real data (missing: {', '.join(missing)})")
    monkeypatch.setenv("RECIPE_DATASETS", str(folder))
    return folder


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that RECIPE_DATASETS names."""
    folder = tmp_path / "shared"
    folder.mkdir()
    monkeypatch.setenv("RECIPE_DATASETS", str(folder))
    return folder


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two attempts pooch waits a second; the tests don't."""
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, no_pause: None) -> None:
    """A mirror's address where nobody listens: a port that was free a moment ago."""
    with serving() as server:
        url = server.url
    monkeypatch.setenv("RECIPE_MIRROR", url)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_pause: None) -> Iterator[Server]:
    """A mirror with small files: mnist.npz and california_housing.npz."""
    write_npz(tmp_path / "origin", "mnist.npz", small_mnist())
    write_npz(tmp_path / "origin", "california_housing.npz", small_housing())
    with serving() as running:
        running.publish(tmp_path / "origin", ["mnist.npz", "california_housing.npz"])
        monkeypatch.setenv("RECIPE_MIRROR", running.url)
        yield running
