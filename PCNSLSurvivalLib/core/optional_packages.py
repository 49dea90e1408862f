"""Packages that only some commands need: the extra of ``pyproject.toml`` that brings each, and what to say of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from PCNSLSurvivalLib.core.errors import MissingFilesError
from PCNSLSurvivalLib.core.messages import Message

EXTRAS = {
    "phantoms": {"nilearn": "nilearn"},
    "onnx": {"onnxruntime": "onnxruntime", "onnx": "onnx"},
    "training": {
        "filelock": "filelock",
        "monai": "monai",
        "yaml": "PyYAML",
        "sklearn": "scikit-learn",
        "tensorboardX": "tensorboardX",
    },
    "cluster": {"distributed": "distributed"},
    "export": {"highdicom": "highdicom", "PIL": "pillow", "pydicom": "pydicom"},
    "research": {"sklearn": "scikit-learn", "matplotlib": "matplotlib", "numpyradiomics": "numpyradiomics"},
}
"""For each extra its packages, by the name under which they are imported."""

_TOGETHER = "training,research"
"""Who needs one of the two soon needs the other."""


def absent_extras() -> list[str]:
    """The extras of which a package is not installed."""
    return [extra for extra, packages in EXTRAS.items() if any(find_spec(module) is None for module in packages)]


def missing_package(problem: BaseException, command: str) -> MissingFilesError | None:
    """What to install where an optional package is not there; None where the problem is another one.

    Args:
        problem: What was raised.
        command: Who needs the package: the name of a command or function.
    """
    if not isinstance(problem, ModuleNotFoundError) or problem.name is None:
        return None
    module = problem.name.partition(".")[0]
    if module != problem.name and find_spec(module) is not None:
        return None  # The package is there, and something of ours asks for a part that it does not have.
    # torch is no extra, and an installation that predicts with ONNX Runtime has none.
    found = "torch" if module == "torch" else next((ours[module] for ours in EXTRAS.values() if module in ours), None)
    if found is None:
        return None
    extra = next((name for name, packages in EXTRAS.items() if module in packages), "training")
    extras = _TOGETHER if extra in _TOGETHER.split(",") else extra
    return MissingFilesError(Message("installation.package_missing", command=command, package=found, extras=extras))


@contextmanager
def package_advice(command: str) -> Iterator[None]:
    """Say which optional package is missing in a sentence.

    Raises:
        MissingFilesError: One was needed and is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as problem:
        if (told := missing_package(problem, command)) is None:
            raise
        raise told from problem
