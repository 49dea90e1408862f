"""Everything that must hold before a change lands: formatting, lint, types, import contracts, documentation, tests.

``check.py quick`` runs what is done in seconds, as the hook before a commit does; ``check.py static`` runs all but the
tests, as the hook before a push does (``.pre-commit-config.yaml``).
"""

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
QUICK_CHECKS = {
    "formatting": [BIN / "ruff", "format", "--check", "."],
    "lint": [BIN / "ruff", "check", "."],
    "types": [BIN / "mypy"],
    "import contracts": [BIN / "lint-imports"],
    "file lists of the Slicer build": [sys.executable, "Testing/package_lists.py"],
}
STATIC_CHECKS = QUICK_CHECKS | {
    "commit subjects": [sys.executable, ".ci/commit_subject.py"],
    "documentation": [sys.executable, "-m", "sphinx", "-q", "-E", "-W", "--keep-going", "docs", "build/docs"],
}
TESTS = {
    "tests of the library": [*PYTEST, "Testing/Lib"],
    "tests of the panel": [*PYTEST, "Testing/Slicer"],
}


STAGES = {"quick": (QUICK_CHECKS, {}), "static": (STATIC_CHECKS, {}), "all": (STATIC_CHECKS, TESTS)}


def main(stage: str) -> int:
    """Run the checks of a stage, also after one has failed, and say the outcome in one last line."""
    if stage not in STAGES:
        print(f"There is no stage {stage!r}, only {', '.join(STAGES)}.", file=sys.stderr)
        return 2
    static, tests = STAGES[stage]
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
        for name, done in zip(static, side_by_side.map(run_quietly, static.values()), strict=True):
            print(f"--- {name}\n{done.stdout}", end="", flush=True)
            if done.returncode != 0:
                failed.append(name)
    for name, command in tests.items():
        print(f"--- {name}", flush=True)
        if run(command).returncode != 0:
            failed.append(name)
    minutes = (time.monotonic() - begin) / 60
    if failed:
        print(f"FAILED in {minutes:.1f} min: {', '.join(failed)}")
        return 1
    print(f"All checks passed in {minutes:.1f} min: {', '.join([*static, *tests])}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:] or ["all"]))
