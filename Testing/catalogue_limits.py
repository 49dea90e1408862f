"""Every refused row of the catalogue within limits: no row runs longer than 20 s or takes 2 GB, none leaves anything.

Usage: ``python Testing/catalogue_limits.py [--only TEXT]``. Prints seconds and peak memory of each row, the slowest
last, and ends with 1 where a row was stopped by a limit, ended with another code, or left something behind.

Every row runs in a fork of this process, which has loaded the libraries: the timer and the limit on memory end it.
"""

# ruff: noqa: E402 — the path comes before the modules

from __future__ import annotations

import argparse
import io
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE / "Lib")]

from catalogue.refused import REFUSED
from catalogue.rows import Row

from PCNSLSurvivalLib.cli.__main__ import main as command_line

LONGEST_S, LARGEST_BYTES = 20.0, 2_000_000_000


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One row as it ran.

    Attributes:
        name: Of the row.
        seconds: By the clock, so that the load of the machine is in it.
        grown_mb: Peak memory beyond what the process had when it was forked.
        fault: What went wrong; empty where nothing did.
    """

    name: str
    seconds: float
    grown_mb: float
    fault: str


def measure(row: Row, run: Callable[[list[str]], int] = command_line, *, longest_s: float = LONGEST_S) -> Measured:
    """Run a row in a process of its own, within the limits."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "in").mkdir()
        given = row.build(folder / "in")
        before = _everything(folder)
        begin = time.monotonic()
        own_bytes = _pages(1)
        if not (process := os.fork()):
            _child(row, given, folder, run, longest_s)
        _, status, used = os.wait4(process, 0)
        seconds = time.monotonic() - begin
        code = os.waitstatus_to_exitcode(status)
        fault = {row.code: "", -signal.SIGALRM: f"stopped after {longest_s:g} s"}.get(code, f"ended with {code}")
        if not fault and _everything(folder) != before:
            fault = "left something behind"
        grown_mb = max(0.0, used.ru_maxrss * 1024 - own_bytes) / 1e6
        return Measured(name=row.name, seconds=seconds, grown_mb=grown_mb, fault=fault)


def _child(row: Row, given: Path, folder: Path, run: Callable[[list[str]], int], longest_s: float) -> None:
    """Run the command and end this process; never returns."""
    code = 70
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, longest_s)
        limit = _pages(0) + LARGEST_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        with redirect_stderr(io.StringIO()) as said, redirect_stdout(io.StringIO()):
            code = run(row.command(given, folder / "in", folder / "new" / "out"))
        if "Traceback" in said.getvalue() or row.says not in said.getvalue():
            code = 71
    finally:
        os._exit(code)


def _pages(field: int) -> int:
    """Bytes of address space (0) or memory in use (1) of this process."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[field]) * resource.getpagesize()


def _everything(folder: Path) -> list[bytes]:
    return sorted(
        os.fsencode(os.path.join(where, name)) for where, folders, files in os.walk(folder) for name in folders + files
    )


def main() -> int:
    """Measure all rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="rows whose names hold this text")
    args = parser.parse_args()
    found = sorted((measure(row) for row in REFUSED if args.only in row.name), key=lambda one: one.seconds)
    for one in found:
        print(f"{one.seconds:6.2f} s {one.grown_mb:6.0f} MB  {one.name}  {one.fault}")
    faults = [one for one in found if one.fault]
    most = max((one.grown_mb for one in found), default=0.0)
    longest = max((one.seconds for one in found), default=0.0)
    print(f"{len(found)} rows: {len(faults)} with a fault; at most {longest:.1f} s and {most:.0f} MB.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
