"""Asks, then installs torch and what else the prediction needs, when it is first needed; never at start-up."""

from __future__ import annotations

import re
import subprocess
from importlib import metadata
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.errors import PCNSLSurvivalError

REQUIREMENTS = Path(__file__).resolve().parents[1] / "Resources" / "requirements.txt"
_SLICERS_OWN = ("numpy", "scipy", "SimpleITK", "pydicom", "requests", "pillow")


class MissingPackagesError(PCNSLSurvivalError):
    """Python packages are missing and were not installed."""


def requirements() -> list[str]:
    """Requirement lines of ``Resources/requirements.txt``."""
    if not REQUIREMENTS.is_file():  # installed: the resources lie beside the module
        return []
    lines = [line.strip() for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def missing() -> list[str]:
    """Requirements without an installed package; looks at package metadata and imports nothing."""
    absent = []
    for line in requirements():
        try:
            metadata.version(re.split(r"[<>=!~;\[ ]", line)[0])
        except metadata.PackageNotFoundError:
            absent.append(line)
    return absent


def ensureInstalled() -> None:
    """Ask once and install what is missing.

    Raises:
        MissingPackagesError: Something is missing, and was not or could not be installed.
    """
    absent = missing()
    if not absent:
        return
    if slicer.app.testingEnabled():  # a question would wait for ever
        raise MissingPackagesError(_absentSentence(absent))
    answer = _ask(absent)
    if answer is None:
        raise MissingPackagesError(_absentSentence(absent))
    try:
        _install(absent, answer)
    except subprocess.CalledProcessError as problem:
        raise MissingPackagesError(
            _(
                "The packages could not be installed. Check the network connection, or give a folder of wheels; "
                "what pip said is in the Python console. Then press the button again."
            )
        ) from problem
    if missing():
        raise MissingPackagesError(_absentSentence(missing()))


def _absentSentence(absent: list[str]) -> str:
    sentence = _(
        "The prediction needs Python packages that are not installed yet: {names}. Press the button again to "
        "install them."
    )
    return sentence.format(names=", ".join(absent))


def _ask(absent: list[str]) -> str | None:
    """Empty text for the internet, a folder of wheels, or None."""
    box = qt.QMessageBox(slicer.util.mainWindow())
    box.setWindowTitle(_("PCNSL Survival"))
    box.setText(_("The prediction needs these Python packages in Slicer: {names}.").format(names=", ".join(absent)))
    box.setInformativeText(
        _(
            "PyTorch is large: several hundred megabytes, with support for NVIDIA cards some gigabytes. Slicer's own "
            "packages are not changed. Without internet, choose a folder that holds the wheels."
        )
    )
    online = box.addButton(_("Install"), qt.QMessageBox.AcceptRole)
    offline = box.addButton(_("Install from a folder…"), qt.QMessageBox.ActionRole)
    box.addButton(_("Not now"), qt.QMessageBox.RejectRole)
    box.exec_()
    if box.clickedButton() == online:
        return ""
    if box.clickedButton() == offline:
        return qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder of wheels")) or None
    return None


def _install(absent: list[str], wheels: str) -> None:
    constraints = Path(slicer.util.tempDirectory()) / "constraints.txt"
    try:
        constraints.write_text("".join(f"{line}\n" for line in _installedVersions()), encoding="utf-8")
        source = ["--no-index", "--find-links", wheels] if wheels else []
        rest = list(absent)
        torch = next((line for line in rest if line.startswith("torch")), None)
        if torch is not None and not wheels and _installTorchThroughExtension(torch.removeprefix("torch")):
            rest.remove(torch)
        if rest:
            slicer.util.pip_install(["--constraint", str(constraints), *source, *rest])
    finally:
        constraints.unlink(missing_ok=True)
        constraints.parent.rmdir()


def _installTorchThroughExtension(version: str) -> bool:
    """The PyTorch extension finds the build that fits the graphics card; False when it is not installed."""
    try:
        import PyTorchUtils
    except ModuleNotFoundError:
        return False
    logic = PyTorchUtils.PyTorchUtilsLogic()
    return logic.installTorch(askConfirmation=False, torchVersionRequirement=version) is not None


def _installedVersions() -> list[str]:
    """Slicer's own packages at their present versions, so that nothing is downgraded."""
    pins = []
    for name in _SLICERS_OWN:
        try:
            pins.append(f"{name}=={metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return pins
