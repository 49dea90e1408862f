"""Our engine against Slicer's own modules on the shared real patient, and what exchanging them does to the network.

Usage: ``python Testing/benchmarks/measure_against_slicer.py``; needs ../shared/real-patient beside the checkout.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from real_heads import shared_scan
from slicer_reference import SLICER_N4, SWISS_MASK, compare

from PCNSLSurvivalLib.cli.__main__ import main as pcnsl_survival
from PCNSLSurvivalLib.core.terms import MRSequence


def predicted(out: Path, t1gd: Path, *words: str) -> tuple[float, float]:
    """Probability and log-odds of OS > 1 year by the default model."""
    arguments = ["predict", "--t1gd", str(t1gd), *words, "--out", str(out), "--progress", "none"]
    if pcnsl_survival(arguments) != 0:
        raise SystemExit("the prediction did not finish")
    result = json.loads((out / "prediction.json").read_text(encoding="utf-8"))
    return result["probability_over_one_year"], result["log_odds"]


def main() -> int:
    """Print one line a figure."""
    if not SWISS_MASK.is_file():
        print("../shared/real-patient/slicer-reference is not on this computer")
        return 1
    for name, value in asdict(compare()).items():
        print(f"{name}: {value}", flush=True)
    t1gd = shared_scan(MRSequence.T1GD)
    with tempfile.TemporaryDirectory() as folder:
        ours = Path(folder) / "ours"
        rows = {"our mask, our N4": predicted(ours, t1gd)}
        rows["SwissSkullStripper's mask"] = predicted(Path(folder) / "swiss", t1gd, "--brain-mask", str(SWISS_MASK))
        mask = ("--brain-mask", str(ours / "brain_mask.nii.gz"), "--already-corrected")
        rows["Slicer's N4"] = predicted(Path(folder) / "n4", SLICER_N4, *mask)
    print("| engine | probability of OS > 1 year | log-odds |\n|---|---|---|")
    for name, (probability, log_odds) in rows.items():
        print(f"| {name} | {probability:.4f} | {log_odds:+.4f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
