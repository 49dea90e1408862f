"""Asks, then installs torch and what else the prediction needs, when it is first needed; never at start-up."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError

try:
    from packaging.requirements import Requirement
except ModuleNotFoundError:  # older Slicer: the copy that pip carries
    from pip._vendor.packaging.requirements import Requirement

REQUIREMENTS = Path(__file__).resolve().parents[2] / "Resources" / "requirements.txt"
_SLICERS_OWN = {"numpy", "scipy", "simpleitk", "pydicom", "requests", "pillow", "packaging", "cryptography"}
"""Packages that Slicer's own modules load: not even a newer one may take their place while Slicer runs."""

_TORCH, _ONNX = {"torch"}, {"onnxruntime", "onnx"}
"""The runtimes: torch on any device, or ONNX Runtime for the prediction on the CPU."""

_GPUS = {"cuda", "mps"}


class MissingPackagesError(PCNSLSurvivalError):
    """Python packages are missing and were not installed."""


def requirements(device: str = "auto") -> list[str]:
    """Requirement lines of ``Resources/requirements.txt``, with one of the two runtimes.

    Args:
        device: Where to compute: a GPU needs torch. On the CPU torch counts where it is installed, and the much smaller
            ONNX Runtime where it is not.
    """
    lines = [line.split("#")[0].strip() for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines()]
    absent = _ONNX if device in _GPUS or _isInstalled("torch") else _TORCH
    return [line for line in lines if line and Requirement(line).name not in absent]


def _isInstalled(name: str) -> bool:
    return _version(name) is not None


def _version(name: str) -> str | None:
    """Version of an installed package; None when it is not installed.

    Read from the head of its metadata: ``importlib.metadata.version`` parses all of it, for 10 ms each.
    """
    try:
        package = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    head = (package.read_text("METADATA") or "").split("\n\n", 1)[0]
    versions = [line.removeprefix("Version:").strip() for line in head.splitlines() if line.startswith("Version:")]
    return versions[0] if versions else package.version


def missing(lines: list[str]) -> list[str]:
    """Requirements that no installed package fulfills; looks at package metadata and imports none of them."""
    absent = []
    for line in lines:
        requirement = Requirement(line)
        installed = _version(requirement.name)
        if installed is None or not requirement.specifier.contains(installed, prereleases=True):
            absent.append(line)
    return absent


_underWay: list[bool] = []
"""Not empty while packages are being installed."""


def ensureInstalled(lines: list[str], *, alone: bool = False) -> None:
    """Ask once and install what is missing.

    Args:
        lines: What is needed, as requirements.
        alone: Without the packages that these depend on, such as when only their data is wanted.

    Raises:
        MissingPackagesError: Something is missing, and was not or could not be installed.
    """
    if _underWay:  # pip lets the application go on, and so a second click
        raise MissingPackagesError(_("Python packages are being installed. Wait until that is done."))
    absent = missing(lines)
    if not absent:
        return
    answer = _ask(absent)
    if answer is None:
        raise MissingPackagesError(_absentSentence(absent))
    _underWay.append(True)
    try:
        _install(absent, answer, alone)
    except subprocess.CalledProcessError as problem:
        raise MissingPackagesError(
            _(
                "The packages could not be installed. Check the network connection, or give a folder of wheels; "
                "the Python console shows the output of pip. Then press the button again."
            )
        ) from problem
    finally:
        _underWay.clear()
    if missing(lines):
        raise MissingPackagesError(_absentSentence(missing(lines)))


def _absentSentence(absent: list[str]) -> str:
    sentence = _("Python packages are not installed yet: {names}. Press the button again to install them.")
    return sentence.format(names=", ".join(absent))


def _ask(absent: list[str]) -> str | None:
    return askForSource(
        _("These Python packages are needed in Slicer: {names}.").format(names=", ".join(absent)), _questionText(absent)
    )


def askForSource(what: str, how: str) -> str | None:
    """Ask once whether something may be installed, and from where.

    Args:
        what: What is needed.
        how: How big it is, and what the folder must hold.

    Returns:
        Empty text for the internet, a folder of wheels, or None for not now.
    """
    if slicer.app.testingEnabled():  # a question would never be answered
        return None
    box = qt.QMessageBox(slicer.util.mainWindow())
    box.setWindowTitle(_("PCNSL Survival"))
    box.setText(what)
    box.setInformativeText(how)
    online = box.addButton(_("Install"), qt.QMessageBox.AcceptRole)
    offline = box.addButton(_("Install from a folder…"), qt.QMessageBox.ActionRole)
    box.addButton(_("Not now"), qt.QMessageBox.RejectRole)
    box.exec_()
    if box.clickedButton() == online:
        return ""
    if box.clickedButton() == offline:
        return qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder of wheels")) or None
    return None


def _questionText(absent: list[str]) -> str:
    """How big it is, how much room there is, what stays as it is, and the way without internet."""
    names = {Requirement(line).name for line in absent}
    size = _("They are small: a few megabytes.")
    if names & _TORCH:
        size = _("PyTorch is large: several hundred megabytes, or a few gigabytes with NVIDIA GPU support.")
    elif names & _ONNX:
        size = _(
            "ONNX Runtime, some 100 megabytes, predicts on the CPU. To use a GPU, choose 'Not now' and install PyTorch "
            "first, for example with the PyTorch extension."
        )
    free = shutil.disk_usage(sys.prefix).free / 1e9
    return _(
        "{size} {free:.0f} GB are free on the disk. Slicer's own packages are not changed. Without internet, choose "
        "a folder that holds the wheels of these packages and of those they need."
    ).format(size=size, free=free)


def _install(absent: list[str], wheels: str, alone: bool) -> None:
    rest = list(absent)
    torch = next((line for line in rest if line.startswith("torch")), None)
    if torch is not None and not wheels and _installTorchThroughExtension(torch.removeprefix("torch")):
        rest.remove(torch)
    if not rest:
        return
    source = ["--no-index", "--find-links", wheels] if wheels else []
    with _constraintsFile() as constraints:
        words = [*source, *(["--no-deps"] if alone else []), *rest]
        try:
            from slicer.packaging import pip_install  # Slicer 5.12 and later; shows its own progress
        except ImportError:
            with _busyDialog():
                slicer.util.pip_install(["--constraint", str(constraints), *words])
        else:
            pip_install(words, constraints=str(constraints), requester=_("PCNSL Survival"))


@contextmanager
def _busyDialog() -> Iterator[None]:
    """``slicer.util.pip_install`` handles events after every line of pip: a moving bar shows that it works."""
    dialog = slicer.util.createProgressDialog(
        labelText=_("Installing Python packages. The Python console shows the progress."),
        windowTitle=_("PCNSL Survival"),
        maximum=0,
    )
    dialog.setCancelButton(None)
    try:
        yield
    finally:
        dialog.close()


def _installTorchThroughExtension(version: str) -> bool:
    """The PyTorch extension finds the build that fits the graphics card; False when it is not installed."""
    try:
        import PyTorchUtils
    except ModuleNotFoundError:
        return False
    logic = PyTorchUtils.PyTorchUtilsLogic()
    return logic.installTorch(askConfirmation=False, torchVersionRequirement=version) is not None


@contextmanager
def _constraintsFile() -> Iterator[Path]:
    """Present versions as pip constraints: Slicer's own packages stay, every other one may only become newer."""
    folder = Path(slicer.util.tempDirectory())
    try:
        lines = set()
        for package in metadata.distributions():
            name, version = package.metadata["Name"], package.version
            if name and version:
                stays = name.lower() in _SLICERS_OWN
                lines.add(f"{name}=={version}" if stays else f"{name}>={version.split('+')[0]}")
        path = folder / "constraints.txt"
        path.write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")
        yield path
    finally:
        shutil.rmtree(folder, ignore_errors=True)
