"""Everything that must hold before a change lands: formatting, lint, types, import contracts, documentation, tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

# Side by side, the tests of one file in one process: they share what is slow to make. The panel's tests run apart,
# since reloading the module gives every class of the library a twin.
PYTEST = [sys.executable, "-m", "pytest", "-m", "not slow", "-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"]
# The files in the order of Testing/conftest.py, the longest first.
PYTEST += ["--no-loadscope-reorder"]

# Each of these keeps one processor busy: side by side they take as long as the longest, the types.
STATIC_CHECKS = {
    "formatting": [BIN / "ruff", "format", "--check", "."],
    "lint": [BIN / "ruff", "check", "."],
    "types": [BIN / "mypy"],
    "import contracts": [BIN / "lint-imports"],
    "documentation": [sys.executable, "-m", "sphinx", "-q", "-E", "-W", "--keep-going", "docs", "build/docs"],
}
TESTS = {
    "tests of the library": [*PYTEST, "Testing/Lib"],
    "tests of the panel": [*PYTEST, "Testing/Slicer"],
}


def main() -> int:
    """Run all checks, also after one has failed, and say the outcome in one last line."""
    # One thread for each process that runs tests: with more, they wait for one another's threads.
    threads = {"OMP_NUM_THREADS": "1", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"}
    environment = {**os.environ, **threads, "QT_QPA_PLATFORM": "offscreen"}
    # Every process that runs tests, and every one that a test starts, would compile them and the library anew.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    begin = time.monotonic()

    def run(command: list, **how) -> subprocess.CompletedProcess:
        return subprocess.run([str(word) for word in command], cwd=ROOT, env=environment, **how)

    def run_quietly(command: list) -> subprocess.CompletedProcess:
        return run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    failed = []
    with ThreadPoolExecutor() as side_by_side:
        for name, done in zip(STATIC_CHECKS, side_by_side.map(run_quietly, STATIC_CHECKS.values()), strict=True):
            print(f"--- {name}\n{done.stdout}", end="", flush=True)
            if done.returncode != 0:
                failed.append(name)
    for name, command in TESTS.items():
        print(f"--- {name}", flush=True)
        if run(command).returncode != 0:
            failed.append(name)
    minutes = (time.monotonic() - begin) / 60
    if failed:
        print(f"FAILED in {minutes:.1f} min: {', '.join(failed)}")
        return 1
    print(f"All checks passed in {minutes:.1f} min: {', '.join([*STATIC_CHECKS, *TESTS])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
