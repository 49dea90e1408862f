"""The check of an installation: versions, devices, brain extraction, models and disk, as text for a bug report.

It names no file, folder, user, computer or patient. The names of installed models are shown.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from PCNSLSurvivalLib.core import version
from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.optional_packages import absent_extras
from PCNSLSurvivalLib.core.storage.installed_files import data_home
from PCNSLSurvivalLib.inference.runtimes import stored_answer
from PCNSLSurvivalLib.inference.runtimes.names import Device
from PCNSLSurvivalLib.models.installed_models import model_paths
from PCNSLSurvivalLib.models.model_folder import ModelFolder, read_model_folder
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import DEFAULT_METHOD, brain_extractor

PACKAGES = (
    "numpy", "SimpleITK", "scipy", "jinja2", "tqdm", "torch", "onnxruntime", "onnx", "monai", "scikit-learn",
    "matplotlib", "nilearn", "highdicom", "pydicom", "pillow", "distributed",
)  # fmt: skip
"""What this software can use; only the first five and a runtime are needed for prediction."""

LEAST_FREE_GB = 2.0
"""One case with its intermediate volumes needs less than half of it."""

Verdict = Literal["ok", "note", "fault"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    verdict: Verdict
    message: Message


@dataclass(frozen=True)
class SelfCheck:
    """What this installation is, and whether it works."""

    system: tuple[tuple[str, str], ...]
    """Name and value, such as ("Python", "3.12.3")."""
    checks: tuple[Check, ...]

    @property
    def faults(self) -> int:
        """Number of checks that failed."""
        return sum(check.verdict == "fault" for check in self.checks)

    def text(self) -> str:
        """Plain English lines to copy into a bug report."""
        lines = [f"{name}: {value}" for name, value in self.system]
        lines += [f"{check.verdict:>5}  {check.message}" for check in self.checks]
        return "\n".join([*lines, str(_sum(self.faults))])


def self_check() -> SelfCheck:
    """Look at everything; nothing is installed, downloaded or changed."""
    models, of_models = _models()
    brain = _brain({DEFAULT_METHOD, *(model.recipe.brain_extraction.method for model in models)})
    return SelfCheck(system=tuple(_system()), checks=(*_runtimes(), *brain, *of_models, _disk(), *_extras()))


def _sum(faults: int) -> Message:
    return Message("check.faults", count=faults) if faults else Message("check.all_ok")


def _system() -> Iterator[tuple[str, str]]:
    yield "pcnsl-survival", version.__version__
    yield "Python", platform.python_version()
    yield "System", f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} CPU cores"
    yield "Packages", ", ".join(f"{name} {_installed(name)}" for name in PACKAGES)


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def _runtimes() -> Iterator[Check]:
    """The stored answer on the CPU by each runtime, and on each GPU by torch."""
    torch, onnx = find_spec("torch") is not None, find_spec("onnxruntime") is not None and find_spec("onnx") is not None
    if torch:
        from PCNSLSurvivalLib.inference.runtimes.automatic_device import torch_difference
        from PCNSLSurvivalLib.models.networks.devices import devices_present

        for device in devices_present():
            yield _judged("torch", device, torch_difference(device))
    if onnx:
        yield _judged("ONNX Runtime", "cpu", _onnx_difference())
    if not torch and not onnx:
        yield Check("fault", Message("runtime.none_installed"))


def _onnx_difference() -> float:
    from PCNSLSurvivalLib.inference.runtimes.onnx_runtime import OnnxRuntime

    return stored_answer.difference_from_stored(
        lambda tensors: OnnxRuntime(stored_answer.ARCHITECTURE, [tensors], stored_answer.SIZE)
    )


def _judged(runtime: str, device: Device, difference: float) -> Check:
    if difference <= stored_answer.TOLERANCE:
        return Check(
            "ok", Message("check.device_agrees", runtime=runtime, device=device.upper(), difference=difference)
        )
    # "auto" passes a GPU over that computes otherwise; a CPU that does has nothing behind it.
    return Check(
        "fault" if device == "cpu" else "note",
        Message("check.device_disagrees", runtime=runtime, device=device.upper(), difference=difference),
    )


def _brain(methods: set[str]) -> Iterator[Check]:
    """The brain extractors that the default recipe and the installed models name."""
    for method in sorted(methods):
        try:
            brain_extractor(method).check()
        except PCNSLSurvivalError as problem:
            if problem.message is None:
                raise
            yield Check("fault", problem.message)
        else:
            yield Check("ok", Message("check.brain_ready", method=method))


def _models() -> tuple[list[ModelFolder], list[Check]]:
    models, checks = [], []
    for path in model_paths():
        try:
            model = read_model_folder(path)
            model.load_members()
        except PCNSLSurvivalError as problem:
            reason = problem.message or str(problem)
            checks.append(Check("fault", Message("check.model_refused", name=path.name, reason=reason)))
        else:
            models.append(model)
            checks.append(Check("ok", Message("check.model_ready", name=model.name, version=model.version)))
    return models, checks


def _extras() -> Iterator[Check]:
    if absent := absent_extras():
        yield Check("note", Message("check.extras_absent", extras=tuple(absent)))


def _disk() -> Check:
    kept, temporary = _free_gb(data_home()), _free_gb(Path(tempfile.gettempdir()))
    if min(kept, temporary) < LEAST_FREE_GB:
        return Check("fault", Message("check.disk_short", kept=kept, temporary=temporary, least=LEAST_FREE_GB))
    return Check("ok", Message("check.disk", kept=kept, temporary=temporary))


def _free_gb(folder: Path) -> float:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free / 1e9
