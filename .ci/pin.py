"""Write ``constraints.txt`` from what is installed in ``.venv``, and ``requirements/`` with the checksum of every file.

Users install the tested versions. The lists serve Python 3.11 to 3.13 on every system; pip compares each download with
them. PyTorch is left out of the lists: its CPU builds lie on an index of their own.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "pcnsl-survival"
NOT_PINNED = {"pip", "setuptools", "uv", PROJECT}

HEADER = """\
# Every package that `make demo` and `make test` install, in the versions that passed the tests.
# Written by .ci/pin.py from .venv; serves Python 3.11 to 3.13.
"""

LISTS = {"demo": ("phantoms",), "test": ("dev",), "prediction-onnx": ("onnx",)}
"""List in ``requirements/``, and the extras that it installs beside the dependencies of the project."""

TOOLS = {"uv": ("uv",), "release": ("build", "twine", "setuptools", "wheel")}
"""List in ``requirements/``, and the programs that it installs into an environment of their own."""

TORCH_NEEDS = ("filelock", "fsspec", "networkx", "sympy", "typing_extensions", "setuptools")
"""What the CPU builds of PyTorch depend on."""


def main() -> None:
    """Pin every installed package to its public version, and list the checksums."""
    pins = {}
    for distribution in metadata.distributions():
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        if name not in NOT_PINNED:
            # PyTorch's CPU build is 2.13.0+cpu here and 2.13.0 elsewhere.
            pins[name] = distribution.version.split("+")[0]
    lines = [f"{name}=={version}\n" for name, version in sorted(pins.items())]
    (ROOT / "constraints.txt").write_text(HEADER + "".join(lines))
    write_lists()


def write_lists() -> None:
    """Resolve each list within the constraints; ``uv`` asks the package index for the checksums."""
    subprocess.run([sys.executable, "-m", "pip", "install", "-qq", "uv"], check=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, extras in LISTS.items():
        wanted = [line for line in project["dependencies"] if Requirement(line).name != "torch"]
        wanted += [line for extra in extras for line in without_own_extras(project["optional-dependencies"], extra)]
        write_list(name, [*wanted, *(() if name == "prediction-onnx" else TORCH_NEEDS)])
    for name, programs in TOOLS.items():
        write_list(name, programs)


def write_list(name: str, wanted: Sequence[str]) -> None:
    """Resolve one list for every system, with the checksum of every file."""
    with tempfile.TemporaryDirectory() as folder:
        asked, no_torch = Path(folder) / "asked.in", Path(folder) / "no_torch.txt"
        asked.write_text("\n".join(wanted))
        no_torch.write_text("torch ; sys_platform == 'never'")
        command = [sys.executable, "-m", "uv", "pip", "compile", "-q", "--universal", "--python-version", "3.11.0"]
        command += ["--generate-hashes", "--no-annotate", "--no-header", "--override", no_torch]
        command += ["-c", ROOT / "constraints.txt", asked, "-o", ROOT / "requirements" / f"{name}.txt"]
        subprocess.run([str(word) for word in command], check=True)


def without_own_extras(optional: dict[str, list[str]], extra: str) -> list[str]:
    """The packages of an extra; an extra of this project in it is replaced by its packages."""
    found = []
    for line in optional[extra]:
        requirement = Requirement(line)
        if requirement.name == PROJECT:
            found += [own for name in sorted(requirement.extras) for own in without_own_extras(optional, name)]
        else:
            found.append(line)
    return found


if __name__ == "__main__":
    main()
