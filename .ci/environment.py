"""Make ``.venv`` with what a make target needs; quick when nothing has changed.

Usage: ``python3 .ci/environment.py demo|test``. Runs on the system's Python with its standard library alone.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
OLDEST, NEWEST = (3, 11), (3, 13)
TORCH = "2.13.0"

INSTALL = ("install", "-qq", "-c", "constraints.txt")

# What Qt without a display and the MRML libraries of the tests load, and the Debian package that brings each.
TEST_LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libX11.so.6": "libx11-6",
}


def main() -> None:
    """Bring the environment for the target named on the command line up to date."""
    target = sys.argv[1]
    if target == "test":
        install_system_libraries()
    python = find_python()
    stamp = VENV / f".ready-{target}"
    wanted = fingerprint()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    if not (VENV / "bin" / "python").exists():
        say("making .venv with Python {}.{}".format(*python_version(python)))
        make_venv(python)
    say(f"installing the pinned packages for '{target}' (CPU only)")
    install_torch()
    # Every file is compared with the SHA-256 in the list; the checkout itself is not downloaded.
    pip("install", "-qq", "--require-hashes", "--no-deps", "-r", f"requirements/{target}.txt")
    pip("install", "-qq", "--no-deps", "--no-build-isolation", "-e", ".")
    run([VENV / "bin" / "pcnsl-survival", "install-brain-extractor"])
    stamp.write_text(wanted)


def find_python() -> str:
    """The Python to build on: ``$PYTHON``, else the first supported one on the path."""
    names = (
        [os.environ["PYTHON"]] if os.environ.get("PYTHON") else ["python3", "python3.13", "python3.12", "python3.11"]
    )
    paths = (path for name in names if (path := shutil.which(name)))
    found = next((path for path in paths if OLDEST <= python_version(path) <= NEWEST), None)
    if found:
        return found
    return stop(
        f"Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]} was not found. Install one (Debian and Ubuntu: "
        "apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3.12 test"
    )


def python_version(python: str) -> tuple[int, int]:
    """Major and minor version of an interpreter; (0, 0) of one that does not start."""
    code = "import sys; print(*sys.version_info[:2])"
    words = subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.split()
    return (int(words[0]), int(words[1])) if len(words) == 2 else (0, 0)


def make_venv(python: str) -> None:
    """Make ``.venv``; on a Debian without the venv package, install it as root or say its name."""
    if subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True).returncode != 0:
        install_debian_packages(["python3-venv"], "Python's venv module")
    run([python, "-m", "venv", VENV])


def install_torch(venv: Path = VENV) -> None:
    """PyTorch without CUDA; its own dependencies are in the lists with checksums.

    Only Linux on x86-64 has two builds under one version. There the CPU build is taken from the package index of
    this machine if it has one, otherwise uv is asked, which knows where PyTorch keeps its CPU builds. Failing both,
    the general build is installed: several GB larger, and it computes the same on the CPU.
    """
    have = subprocess.run(
        [venv / "bin" / "python", "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True
    )
    if have.stdout.split("+")[0].strip() == TORCH:
        return
    if platform.system() == "Linux" and platform.machine() == "x86_64":
        if try_run([venv / "bin" / "pip", *INSTALL, "--no-deps", f"torch=={TORCH}+cpu"]):
            return
        pip(*INSTALL, "--require-hashes", "-r", ROOT / "requirements" / "uv.txt", venv=venv)
        uv = [venv / "bin" / "uv", "pip", "install", "--quiet", "--python", venv / "bin" / "python"]
        if try_run([*uv, "--torch-backend", "cpu", "--no-deps", f"torch=={TORCH}"]):
            return
        say("PyTorch's CPU build cannot be reached from here; installing the larger general build")
    pip(*INSTALL, f"torch=={TORCH}", venv=venv)


def install_system_libraries() -> None:
    """Make sure that the shared libraries of the tests' windows are there (Linux)."""
    if platform.system() != "Linux":
        return
    missing = sorted({package for library, package in TEST_LIBRARIES.items() if not loads(library)})
    if missing:
        install_debian_packages(missing, "the tests' windows (Qt without a display)")


def loads(library: str) -> bool:
    """Whether the dynamic loader finds a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def install_debian_packages(packages: list[str], purpose: str) -> None:
    """Install with apt-get as root; otherwise say exactly what to install."""
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if shutil.which("apt-get") and os.geteuid() == 0:
        say(f"installing {' '.join(packages)} for {purpose}")
        run(["apt-get", "update", "--quiet=2"])
        run([*command, "--quiet=2"], env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        return
    stop(f"{purpose} needs system packages. Ask an administrator for: {' '.join(command)} (or their like), then retry")


def fingerprint() -> str:
    """Changes when this recipe, the project's dependencies or their pins change, or the checkout is moved."""
    digest = hashlib.sha256(str(ROOT).encode())
    for name in (
        "pyproject.toml",
        "constraints.txt",
        ".ci/environment.py",
        "requirements/demo.txt",
        "requirements/test.txt",
    ):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def pip(*words: str, venv: Path = VENV) -> None:
    """Run the environment's pip."""
    run([venv / "bin" / "python", "-m", "pip", *words])


def run(command: list, **options) -> None:
    """Run a command in the checkout and stop with its name if it fails."""
    if subprocess.run([str(word) for word in command], cwd=ROOT, **options).returncode != 0:
        stop("this command failed: " + " ".join(Path(str(word)).name for word in command))


def try_run(command: list) -> bool:
    """Run a command quietly and tell whether it worked."""
    return subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True).returncode == 0


def say(sentence: str) -> None:
    """One line on what is being done."""
    print(f"environment: {sentence}", flush=True)


def stop(sentence: str) -> NoReturn:
    """End with a sentence."""
    sys.exit(f"environment: {sentence}")


if __name__ == "__main__":
    main()
