"""The set-up's files agree with each other and with what is installed, and the package keeps to its own rules."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
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
EXTRAS = ("lab", "test")  # what everyone installs; instructors add "teach"


def _pins() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def _direct(*extras: str) -> list[Requirement]:
    project = PYPROJECT["project"]
    wanted = [project["optional-dependencies"][extra] for extra in extras]
    return [Requirement(line) for line in sum(wanted, start=project["dependencies"])]


def _installed(*extras: str) -> dict[str, str]:
    """Return the version of every package that the kit with these extras brings here."""
    installed, waiting = {}, [(requirement, "") for requirement in _direct(*extras)]
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
    return installed


@functools.cache
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


@pytest.mark.parametrize("extras", [EXTRAS, ("teach",)])
def test_constraints_pin_every_dependency_within_its_range_as_it_is_installed(extras):
    if "teach" in extras and importlib.util.find_spec("nbgrader") is None:
        pytest.skip("the extra [teach] is not installed: make .venv/.ready-to-teach")
    pinned = {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin in _pins()
        if pin.marker is None or pin.marker.evaluate()
    }
    installed = _installed(*extras)
    assert {name: pinned.get(name) for name in installed} == installed, "constraints.txt is behind: run make lock"
    for dependency in _direct(*extras):
        assert dependency.specifier.contains(pinned[canonicalize_name(dependency.name)]), dependency


def test_environment_yml_and_makefile_take_the_same_pins_and_extras():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    python, pip, listed = environment["dependencies"]
    assert pip == "pip"
    asked = re.fullmatch(r"python=(3\.\d+)\.\*", python).group(1)
    assert SpecifierSet(PYPROJECT["project"]["requires-python"]).contains(asked)
    assert listed == {"pip": ["-c constraints.txt", f"-e .[{','.join(EXTRAS)}]"]}
    assert {*EXTRAS, "teach"} == set(PYPROJECT["project"]["optional-dependencies"])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for extras in (EXTRAS, (*EXTRAS, "teach")):
        assert f"--constraint constraints.txt --editable '.[{','.join(extras)}]'" in makefile


def test_students_install_no_tools_of_instructors():
    assert "nbgrader" not in _installed(*EXTRAS)


def test_distribution_has_a_name_of_its_own_and_its_command_starts():
    assert PYPROJECT["project"]["name"] == "deep-learning-recipe"  # `recipe` is somebody else's on the index
    module, name = PYPROJECT["project"]["scripts"]["recipe"].split(":")
    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("file", ["Makefile", "environment.yml", ".ci/run"])
def test_what_the_kit_starts_knows_the_backend_of_keras(file):
    assert re.search(r"^ *(export )?KERAS_BACKEND.*jax", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_the_kit_keeps_the_options_of_the_compiler_that_the_user_set(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", given := "--xla_backend_optimization_level=2 --xla_cpu_use_fusion_emitters=true")
    assert _xla_flags("recipe.load('mnist', source='sample')") == given


@pytest.mark.parametrize(("version", "is_known"), [("0.7.2", True), ("0.10.2", True), ("0.11.0", False)])
def test_loading_a_sample_tells_xla_only_what_its_version_knows(version, is_known, monkeypatch):
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    flags = _xla_flags(f"import jaxlib; jaxlib.__version__ = '{version}'; recipe.load('mnist', source='sample')")
    assert "--xla_backend_optimization_level=1" in flags
    assert ("--xla_cpu_use_fusion_emitters=false" in flags) is is_known


def _xla_flags(told: str) -> str:
    code = f"import os, recipe; {told}; print(os.environ['XLA_FLAGS'])"
    return subprocess.check_output([sys.executable, "-c", code], text=True).strip()


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


def test_package_exports_what_a_notebook_types():
    assert len(recipe.__all__) <= 48
    modules = [name for name in recipe.__all__ if isinstance(getattr(recipe, name), types.ModuleType)]
    assert modules == []
    assert set(dir(recipe)) == set(recipe.__all__)


def test_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(AttributeError, match=r"no attribute 'trian'. It has: .*train"):
        _ = recipe.trian
