"""How far real heads, real tumors and objects that are no head lie from the training scans of a model.

Usage: ``make measure-familiarity``, or ``python Testing/benchmarks/measure_familiarity.py [--model DIR] [--cache DIR]``
Real heads are those of ``make real-data`` and of ``../shared/real-patient``, real tumors those of
``bench_real_tumours.py``; each kind is left out where there are none. Quality stops are overridden, so that every
object reaches the network. Distances are in units of the limit: 1 is the out-of-distribution check's, 2 its warning's,
8 withholds the number.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.bench_real_tumours import real_tumors
from no_heads import NO_HEADS, no_head
from real_heads import real_heads

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import canonical
from PCNSLSurvivalLib.imaging.io import read_scan
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.models.installed_models import find_model
from PCNSLSurvivalLib.models.model_folder import bundled_model_path, read_model_folder
from PCNSLSurvivalLib.preprocessing.pipeline import prepare_case
from PCNSLSurvivalLib.preprocessing.scan_state import ScanState
from PCNSLSurvivalLib.preprocessing.step_cache import StepStore


def main() -> int:
    """Print one line per scan, and the range of each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="model folder or name; the bundled one if left out")
    parser.add_argument("--cache", type=Path, help="folder that keeps the long steps of the preparation")
    args = parser.parse_args()
    model = read_model_folder(bundled_model_path()) if args.model is None else find_model(args.model)
    network = SurvivalNetwork(model, "cpu")
    store = None if args.cache is None else StepStore(args.cache)
    distances: dict[str, list[float]] = {}
    for kind, name, scan, stripped in scans():
        try:
            prepared = prepare_case(
                {MRSequence.T1GD: canonical(scan)},
                recipe=model.recipe,
                clock=StepClock(lambda event: None),
                known=ScanState(already_stripped=stripped),
                override_quality=True,
                store=store,
            )
        except PCNSLSurvivalError as problem:
            print(f"{kind:12} {name:24} stopped before the network: {problem}", flush=True)
            continue
        found = network.predict(prepared.network_input(model.sequences)).familiarity
        distances.setdefault(kind, []).append(found.distance or 0.0)
        print(f"{kind:12} {name:24} {found.distance:10.2f}  {found.verdict.value:8}  {found.furthest}", flush=True)
    for kind, values in distances.items():
        low, middle, high = np.quantile(values, (0, 0.5, 1))
        print(f"{kind}: {len(values)} scans, {low:.2f} to {high:.2f}, median {middle:.2f}")
    return 0


def scans() -> Iterator[tuple[str, str, sitk.Image, bool]]:
    """Kind, name, scan, and whether it is stripped."""
    for name, of_head in real_heads():
        yield "real head", name, of_head[MRSequence.T1GD], False
    for case in real_tumors():
        yield "real tumor", case.name, read_scan(case.t1gd, MRSequence.T1GD).image, case.stripped
    for name in NO_HEADS:
        yield "no head", name, no_head(name), False


if __name__ == "__main__":
    sys.exit(main())
