"""Where the bundled model looks on real brain tumors whose masks are known: is its map on the enhancing tumor?

Usage: ``make bench-real-tumours``, or ``python Testing/benchmarks/bench_real_tumours.py [--model DIR] [--cache DIR]``.
Stripped scans are those of ``$PCNSL_SURVIVAL_REAL_TUMOURS``, or of ``../shared/real-tumours`` beside the repository:
one folder per case with ``t1gd.nii.gz`` and ``seg.nii.gz``. Whole heads are those of ``make real-data``: two with a
mask of their tumor, two healthy ones without contrast agent. Where there are none, a sentence says so.

A point hits when it lies within half a cell of the enhancing tumor: the map cannot tell less apart. Chance is the share
of the brain that lies so near. The strongest point is that of the map as it is drawn, inside the brain.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from kept_tables import add_keep, report
from real_data import real_data_folder

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.explain.evidence_map import evidence_on_grid
from PCNSLSurvivalLib.imaging.geometry import Grid, in_voxel_order_of
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.inference.predict import CaseOptions, CaseResult, predict_case
from PCNSLSurvivalLib.models.installed_models import find_model
from PCNSLSurvivalLib.models.model_folder import bundled_model_path, read_model_folder

ROOT = Path(__file__).resolve().parents[2]
FOLDER_VARIABLE = "PCNSL_SURVIVAL_REAL_TUMOURS"
ENHANCING = {"b18": 4, "b23": 3}
"""Label of enhancing tumor by year of the BraTS challenge, with which the name of a case begins."""

Volume = NDArray[np.float32]
Region = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One scan, and where its enhancing tumor is known to be."""

    name: str
    t1gd: Path
    mask: Path | None
    """None where there is no tumor."""
    label: int = 1
    """Of enhancing tumor in ``mask``."""
    stripped: bool = False


@dataclass(frozen=True, kw_only=True)
class Pointing:
    """Where one map points."""

    hit: bool
    distance_mm: float
    """From the strongest point to the nearest voxel of enhancing tumor."""
    share_within: float
    """Of the map's sum over the brain, what lies in enhancing tumor."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What was seen of one case; ``None`` where no tumor enhances, or the map is empty."""

    name: str
    enhancing_ml: float
    probability: float
    grad_cam: Pointing | None
    evidence: Pointing | None
    chance: float
    even: float
    """Share of the brain that enhances: what an even map has within."""
    outside_share: float
    outlined_ml: float
    """Of the lesion reader's proposal."""
    dice: float | None
    """Of the proposal with the enhancing tumor."""
    seconds: float


def main() -> int:
    """Judge every case, print one line each, and a table of what they have in common."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="model folder or name; the bundled one if left out")
    parser.add_argument("--cache", type=Path, help="folder that keeps the long steps of the preparation")
    add_keep(parser)
    args = parser.parse_args()
    model = read_model_folder(bundled_model_path()) if args.model is None else find_model(args.model)
    network = SurvivalNetwork(model, "cpu")
    kept: list[tuple[str, ...]] = []
    advice = f"Set {FOLDER_VARIABLE} to a folder that has some."
    for kind, cases, otherwise in (
        ("stripped scans", real_tumors(), advice),
        ("whole heads", whole_heads(), "`make real-data` fetches them."),
    ):
        if not cases:
            print(f"Skipped: there are no {kind} with known masks here. {otherwise}")
            continue
        rows = []
        print(f"{model.name} on {len(cases)} real {kind}\n{HEAD}")
        for case in cases:
            begin = time.perf_counter()
            options = CaseOptions(
                already_stripped=case.stripped, cache_dir=args.cache, segment=True, override_quality=case.mask is None
            )
            result = predict_case({MRSequence.T1GD: case.t1gd}, model, options, network=network)
            rows.append(judged(case, result, time.perf_counter() - begin))
            print(line(rows[-1]), flush=True)
        kept += [(kind, *row) for row in summary(rows)]
    if kept:
        settings = f"{model.name} {model.version}"
        report("bench-real-tumours", ("scans", "measure", "value"), kept, settings=settings, keep=args.keep)
    return 0


def real_tumors() -> list[Case]:
    """The stripped scans that lie on this computer."""
    folder = Path(os.environ.get(FOLDER_VARIABLE) or ROOT.parent / "shared" / "real-tumours")
    return [
        Case(
            name=mask.parent.name,
            t1gd=mask.parent / "t1gd.nii.gz",
            mask=mask,
            label=ENHANCING[mask.parent.name[:3]],
            stripped=True,
        )
        for mask in sorted(folder.glob("*/seg.nii.gz"))
    ]


def whole_heads() -> list[Case]:
    """The whole heads that lie on this computer; healthy ones have no contrast agent, which is overridden."""
    folder = real_data_folder()
    sick = [
        Case(name=f"TCGA-GBM {n}", t1gd=folder / f"tcga_gbm_{n}_t1gd.nrrd", mask=folder / f"tcga_gbm_{n}_lesion.nrrd")
        for n in (1, 2)
    ]
    healthy = [Case(name=name, t1gd=folder / f"{name}_t1.nii.gz", mask=None) for name in ("robex", "colin27")]
    return [case for case in (*sick, *healthy) if case.t1gd.is_file()]


def judged(case: Case, result: CaseResult, seconds: float) -> Row:
    """Compare the maps of one result with the mask of its case."""
    grid = Grid.of(result.activation_map)
    enhancing = np.zeros(grid.size[::-1], bool)
    if case.mask is not None:
        enhancing = sitk.GetArrayFromImage(sitk.ReadImage(str(case.mask))) == case.label
    brain = sitk.GetArrayFromImage(result.brain_mask) > 0
    spacing_kji = grid.spacing_mm[::-1]
    half_a_cell = max(result.cell_size_mm) / 2
    away = distance_transform_edt(~enhancing, spacing_kji) if enhancing.any() else None
    evidence = evidence_on_grid(
        result.network.evidence,
        result.prepared.network_grid,
        Grid.of(result.prepared.brain_mask),
        result.prepared.brain_mask,
        stride_voxels=result.network.evidence_stride_voxels,
    )
    assert result.proposal is not None
    outlined = sitk.GetArrayFromImage(in_voxel_order_of(result.proposal.mask, grid)) > 0
    both = int((outlined & enhancing).sum())
    evidence_kji = np.abs(sitk.GetArrayFromImage(in_voxel_order_of(evidence, grid)))
    return Row(
        name=case.name,
        enhancing_ml=float(enhancing.sum()) * grid.voxel_volume_ml,
        probability=result.network.probability_over_one_year,
        grad_cam=pointing(sitk.GetArrayFromImage(result.activation_map), enhancing, away, brain, half_a_cell),
        evidence=pointing(evidence_kji, enhancing, away, brain, half_a_cell),
        chance=0.0 if away is None else float((away[brain] <= half_a_cell).mean()),
        even=float(enhancing[brain].mean()),
        outside_share=result.attribution.outside_share,
        outlined_ml=result.proposal.volume_ml,
        dice=2 * both / int(outlined.sum() + enhancing.sum()) if enhancing.any() else None,
        seconds=seconds,
    )


def pointing(
    drawn: Volume, enhancing: Region, away: NDArray[np.float64] | None, brain: Region, half_a_cell: float
) -> Pointing | None:
    """Where a drawn map points; None for an empty map, or where no tumor enhances."""
    inside = np.where(brain, drawn, 0.0)
    if away is None or inside.max() <= 0:
        return None
    distance = float(away.ravel()[int(inside.argmax())])
    within = float(inside[enhancing].sum() / inside.sum())
    return Pointing(hit=distance <= half_a_cell, distance_mm=distance, share_within=within)


HEAD = (
    f"{'case':18} {'enh. mL':>8} {'P(>1 y)':>8} {'Grad-CAM':>17} {'within':>7} {'evidence':>17} {'within':>7} "
    f"{'even':>6} {'chance':>7} {'outside':>8} {'outline mL':>10} {'Dice':>5} {'s':>6}"
)


def line(row: Row) -> str:
    """One case as a line of the table."""
    return (
        f"{row.name:18} {row.enhancing_ml:8.1f} {row.probability:8.2f} {_words(row.grad_cam)} {_words(row.evidence)} "
        f"{row.even:6.0%} {row.chance:7.0%} {row.outside_share:8.1%} "
        f"{row.outlined_ml:10.1f} {'-' if row.dice is None else format(row.dice, '.2f'):>5} {row.seconds:6.1f}"
    )


def _words(found: Pointing | None) -> str:
    if found is None:
        return f"{'-':>17} {'-':>7}"
    return f"{'hit' if found.hit else 'miss':>5} {found.distance_mm:8.1f} mm {found.share_within:7.0%}"


def summary(rows: list[Row]) -> list[tuple[str, str]]:
    """All cases of one kind together: what was measured, and the value."""
    with_tumor = [row for row in rows if row.enhancing_ml > 0]
    without = [row for row in rows if row.enhancing_ml == 0]
    told = []
    for name, found in (
        ("Grad-CAM of the predicted class", [row.grad_cam for row in with_tumor]),
        ("strongest evidence", [row.evidence for row in with_tumor]),
    ):
        drawn = [one for one in found if one is not None]
        told.append((f"{name}: hits", f"{sum(one.hit for one in drawn)} of {len(with_tumor)}"))
        if drawn:
            distance = f"{np.median([one.distance_mm for one in drawn]):.1f} mm"
            told.append((f"{name}: median distance to enhancing tumor", distance))
            share = f"{np.mean([one.share_within for one in drawn]):.0%}"
            told.append((f"{name}: mean share within enhancing tumor", share))
    told.append(("hits by chance", f"{sum(row.chance for row in with_tumor):.1f} of {len(with_tumor)}"))
    told.append(("an even map: mean share within enhancing tumor", f"{np.mean([row.even for row in with_tumor]):.0%}"))
    told.append(("largest share of evidence outside the brain", f"{max(row.outside_share for row in rows):.1%}"))
    dices = [row.dice for row in with_tumor if row.dice is not None]
    told.append(("proposed outline: median Dice", f"{np.median(dices):.2f}"))
    if without:
        volume = f"{max(row.outlined_ml for row in without):.1f} mL in {len(without)}"
        told.append(("proposed outline: largest where nothing enhances", volume))
    told.append(("median seconds per case with preparation", f"{np.median([row.seconds for row in rows]):.1f}"))
    return told


if __name__ == "__main__":
    sys.exit(main())
