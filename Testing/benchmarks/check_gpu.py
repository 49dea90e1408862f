"""Check and measure this software on one CUDA device, within the time given.

Usage: ``make check-gpu``, or ``python Testing/benchmarks/check_gpu.py [--seconds 200] [--out FILE]``. The patients are
virtual and made first. Each section has its own bound of time; one that fails says why, and the others follow. The
figures are written as JSON after each section. ``--small`` does the same on the CPU with tiny networks and patients,
to see that this program still works: its figures say nothing about a GPU.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "Testing" / "Lib"), str(Path(__file__).parent)]

from gpu_checks.section import Bench, Report  # noqa: E402 — found by the path above

# Name, place, and most seconds: what matters most comes first, because the time may run out.
SECTIONS = {
    "correctness": ("gpu_checks.correctness", 45.0),
    "resume": ("gpu_checks.resume", 50.0),
    "data": ("gpu_checks.data_path", 25.0),
    "precision": ("gpu_checks.precision", 25.0),
    "fold": ("gpu_checks.paper_fold", 25.0),
    "network": ("gpu_checks.network_speed", 40.0),
}
_SECONDS_FOR_PATIENTS = 70.0


def main(words: list[str] | None = None) -> int:
    """Run all sections, or some of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="tiny networks and patients on the CPU")
    parser.add_argument("--seconds", type=float, default=200.0, help="for everything together")
    parser.add_argument("--only", nargs="+", choices=tuple(SECTIONS), default=tuple(SECTIONS))
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "check-gpu.json", help="JSON file of the figures")
    parser.add_argument("--make-patients", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--train", type=Path, nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args(words)
    if args.make_patients:
        from gpu_checks.patients import make_patients

        make_patients(args.make_patients, small=args.small)
        return 0
    if args.train:
        from gpu_checks.resume import train_here

        train_here(*args.train, small=args.small)
        return 0
    # A try on a busy CPU needs other times than a GPU.
    patience, begin = 10.0 if args.small else 1.0, time.monotonic()
    report = Report(args.out, small=args.small)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(work=Path(folder), small=args.small)
        _prepare(bench, report)
        for name in args.only:
            place, most = SECTIONS[name]
            left = patience * args.seconds - (time.monotonic() - begin)
            with report.section(name, seconds=min(patience * most, left)) as section:
                import_module(place).run(bench, section)
    return report.finish()


def _prepare(bench: Bench, report: Report) -> None:
    """Make the patients in a process of their own, while this one loads torch and starts the device."""
    words = [sys.executable, __file__, "--make-patients", str(bench.patients)]
    made = subprocess.Popen([*words, "--small"] if bench.small else words, stdout=subprocess.DEVNULL)
    with report.section("machine", seconds=_SECONDS_FOR_PATIENTS) as section:
        import_module("gpu_checks.machine").run(bench, section)
    with report.section("patients", seconds=_SECONDS_FOR_PATIENTS) as section:
        try:
            if made.wait():
                raise RuntimeError("The virtual patients could not be made; the reason stands above.")
        finally:
            made.kill()
        section.figures.update(json.loads((bench.patients / "made.json").read_text(encoding="utf-8")))


if __name__ == "__main__":
    sys.exit(main())
