"""The set-up's files agree with each other and with what is installed, and the package keeps to its own rules."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import recipe

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGE = ROOT / "recipe"
EXTRAS = ("lab", "test")

# The modules, in the order of the steps. A module imports only what stands before it here. The first three are packages
# that say what is in them, and no more.
ORDER = """
    data engine studies
    locks problems data.fingerprint targets data.reviews data.layouts data.convert data.folders data.transfer
    data.fetch
    data.wordlists data.sample_reviews samples data.sources datasets
    measures.scores measures.suggest measures measures.confusion measures.thresholds
    spec plan parameters space checks
    protocols protocols.duplicates protocols.split_checks protocols.advice
    preparation.features preparation.vectorize preparation.input_checks preparation prepare
    baselines.resampling baselines baselines.power baselines.power_curve problems.describe problems.framing
    problems.worlds
    engine.compile_cache engine.first_weights engine.convolutions engine.twins models export codegen
    engine.interruption engine.members runs journal.databases journal.file journal.entries journal.views journal
    engine.strengths engine.bags engine.batches engine.epoch engine.loop engine.fitting training
    studies.detector studies.preparations layers word_effects mistakes
    studies.judging studies.protocols studies.selection studies.contest
    diagnosis.curves diagnosis.histories diagnosis remedies advice experiment.outcome experiment experiment.guesses
    experiment.run_table
    checklist.last_layer studies.rate_sweep checklist studies.wrong_rows studies.capacity
    uncertainty finale saving
    tuning.sampler tuning.data tuning.worker tuning.study
    tuning.executors tuning.loop tuning.summary tuning studies.leak
    workflow.trials workflow.steps workflow.late_steps workflow workflow.facts
    debugging.basics debugging.programs debugging.subject debugging.bench
    debugging.data debugging.model debugging.training debugging
    debugging.pipelines debugging.fault_ways debugging.faults debugging.fault_game
    plots plots.baseline plots.capacity plots.curves plots.debugging plots.errors plots.measures plots.mistakes
    plots.panel plots.prepare plots.problems plots.protocols plots.training plots.tuning report
    panels
    cli.live cli.exits cli.tune cli
"""
STEPS = ORDER.split()


def _pins() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def _direct() -> list[Requirement]:
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"].values()
    return [Requirement(line) for line in sum(extras, start=project["dependencies"])]


def _tracked_texts() -> dict[str, str]:
    if not (ROOT / ".git").exists():
        pytest.skip("this copy of the kit is no git checkout: which files are tracked is not known")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    texts = {}
    for name in filter(None, names.split("\0")):
        data = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" not in data:
            texts[name] = data.decode("utf-8")
    return texts


def _hits(pattern: str) -> list[str]:
    return [
        f"{name}: {match.group(0)}" for name, text in _tracked_texts().items() for match in re.finditer(pattern, text)
    ]


@pytest.mark.parametrize("dependency", _direct(), ids=str)
def test_constraints_pin_every_direct_dependency_within_its_range(dependency):
    versions = [
        next(iter(pin.specifier)).version
        for pin in _pins()
        if canonicalize_name(pin.name) == canonicalize_name(dependency.name)
    ]
    assert versions, f"constraints.txt has no pin for {dependency.name}: run make lock"
    assert all(dependency.specifier.contains(version) for version in versions)


def test_constraints_hold_one_exact_version_a_line_and_nothing_else():
    pins = _pins()
    assert all([spec.operator for spec in pin.specifier] == ["=="] for pin in pins)
    assert all(pin.url is None and not pin.extras for pin in pins)
    names = [pin.name for pin in pins if pin.marker is None]
    assert len(names) == len(set(names))


def test_constraints_pin_every_transitive_dependency_and_match_what_is_installed():
    pinned = {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin in _pins()
        if pin.marker is None or pin.marker.evaluate()
    }
    installed, waiting = {}, [(requirement, "") for requirement in _direct()]
    seen = set()
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        unwanted = requirement.marker and not requirement.marker.evaluate({"extra": extra})
        if unwanted or (str(requirement), extra) in seen:
            continue
        seen.add((str(requirement), extra))
        distribution = importlib.metadata.distribution(name)
        installed[name] = distribution.version
        needs = [Requirement(line) for line in distribution.requires or []]
        waiting += [(need, wanted) for need in needs for wanted in (requirement.extras or {""})]
    assert {name: pinned.get(name) for name in installed} == installed


def test_environment_yml_takes_python_in_range_and_the_same_pins_and_extras():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    python, pip, listed = environment["dependencies"]
    assert pip == "pip"
    asked = re.fullmatch(r"python=(3\.\d+)\.\*", python).group(1)
    assert SpecifierSet(PYPROJECT["project"]["requires-python"]).contains(asked)
    assert listed == {"pip": ["-c constraints.txt", f"-e .[{','.join(EXTRAS)}]"]}
    assert set(EXTRAS) == set(PYPROJECT["project"]["optional-dependencies"])


def test_makefile_installs_through_the_same_pins_and_extras():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"--constraint constraints.txt --editable '.[{','.join(EXTRAS)}]'" in makefile


@pytest.mark.parametrize("minor", range(9, 17))
def test_check_python_accepts_what_pyproject_accepts(minor, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    check = importlib.import_module("check_python")
    monkeypatch.setattr(check.sys, "version_info", (3, minor, 0, "final", 0))
    accepted = SpecifierSet(PYPROJECT["project"]["requires-python"]).contains(f"3.{minor}.0")
    assert check.main() == (0 if accepted else 1)
    assert ("make lab PYTHON=" in capsys.readouterr().out) is not accepted


def test_versions_in_package_and_pyproject_and_changelog_agree():
    assert recipe.__version__ == PYPROJECT["project"]["version"]
    assert f"## {recipe.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_tracked_files_name_no_package_registry():
    # Each pattern is put together here, so that this file does not hold what it forbids.
    hosts = (r"\bpyp" + r"i\.", "python" + "hosted", "npm" + r"js\.", r"\bana" + r"conda\.", r"\bdeb\." + "debian")
    assert _hits("(?i)" + "|".join(hosts)) == []
    assert _hits("--(extra-)?index" + "-url|--find" + "-links") == []


def test_tracked_files_hold_no_machine_path():
    folders = "|".join(("home", "root", "Users", "tmp", "work", "opt", "mnt"))
    assert _hits(rf"(?<![\w.~$-])/({folders})/[\w.-]+|\b[A-Z]:\\+Users") == []


@pytest.mark.parametrize("home", recipe._HOMES)
def test_export_table_names_what_its_module_defines(home):
    module = importlib.import_module(f"recipe.{home}")
    for name in recipe._HOMES[home]:
        assert getattr(recipe, name) is getattr(module, name)
        assert not isinstance(getattr(recipe, name), types.ModuleType)


def test_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(AttributeError, match=r"no attribute 'trian'. It has: .*train"):
        _ = recipe.trian


@pytest.mark.parametrize("module", ["recipe", "recipe.datasets", "recipe.prepare", "recipe.cli"])
def test_import_is_light(module):
    heavy = "keras", "jax", "sklearn", "matplotlib", "scipy", "pandas", "IPython"
    code = f"import sys, {module}; print(*({set(heavy)!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_module_is_short_enough_to_read(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imports(path: Path) -> set[str]:
    """Every dotted name that a file imports, anywhere in it; a public name counts as the module it comes from."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: a relative import; write it in full"
            names = {alias.name for alias in node.names}
            found |= {_home(name) if node.module == "recipe" else f"{node.module}.{name}" for name in names}
    return found


def _home(name: str) -> str:
    return f"recipe.{recipe._HOME_OF.get(name, name)}" if not name.startswith("__") else "recipe"


def _step(name: str) -> str | None:
    """The entry of STEPS that a dotted name belongs to: for "recipe.engine.loop.Loop" it is "engine.loop"."""
    parts = name.split(".")[1:]
    starts = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((start for start in starts if start in STEPS), None)


MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_module_imports_only_earlier_steps(path):
    step = _step(_name(path))
    assert step in (_name(path).removeprefix("recipe."), "panels"), "a new module: give it its place in STEPS"
    earlier = {step, *STEPS[: STEPS.index(step)]}
    assert {_step(name) for name in _imports(path) if name.startswith("recipe.")} - earlier == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_module_leaves_figures_and_widgets_to_their_own_place(path):
    tops = {name.split(".")[0] for name in _imports(path)}
    assert "matplotlib" not in tops or "plots" in path.relative_to(PACKAGE).parts
    assert not tops & {"ipywidgets", "IPython"} or "panels" in path.relative_to(PACKAGE).parts
