"""What is installed is pinned with checksums, and the archives of a release work where the repository is not."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
LISTS = {"demo": {"phantoms"}, "test": {"dev"}, "prediction-onnx": {"onnx"}}


def _pins(text):
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", text, flags=re.MULTILINE))


def _list(name):
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LISTS)
def test_every_pin_of_a_list_is_that_of_the_constraints_and_has_checksums(name):
    constraints = _pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    entries = re.split(r"\n(?=[\w.-]+==)", _list(name))
    assert len(entries) > 10
    for entry in entries:
        ((package, version),) = _pins(entry).items()
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), package
        assert constraints.get(package, version) == version, (
            package
        )  # setuptools and packages of Windows are not pinned


@pytest.mark.parametrize("name", LISTS)
def test_every_dependency_of_the_project_is_in_its_list(name):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted, waiting = [*project["dependencies"]], set(LISTS[name])
    while waiting:
        for line in project["optional-dependencies"][waiting.pop()]:
            requirement = Requirement(line)
            waiting |= requirement.extras if requirement.name == project["name"] else set()
            wanted += [] if requirement.name == project["name"] else [line]
    there = _pins(_list(name))
    for requirement in map(Requirement, wanted):
        if requirement.name != "torch":  # PyTorch's CPU builds lie on an index of their own
            assert requirement.specifier.contains(there[requirement.name.lower().replace("_", "-")]), requirement.name


@pytest.mark.slow
def test_wheel_and_source_archive_are_built_and_the_wheel_predicts_the_demonstration_patient():
    run = subprocess.run([sys.executable, ROOT / ".ci" / "release.py"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "can be released" in run.stdout
