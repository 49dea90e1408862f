"""The preparation against the truths of virtual exams: bias field, registration, brain mask, intensities.

Usage: ``make measure-preparation``, or ``python Testing/benchmarks/measure_preparation.py [--seeds 11 23 37]
[--keep DIR]``. Three people, each scanned in 1 mm voxels and in thick slices, T1 10 degrees and 13 mm and T2
15 degrees and 20 mm away from T1Gd, the lesions absent from T2. DIR keeps finished steps for the next call.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from truth_measures import (
    brain_points,
    dice,
    registration_error_mm,
    relative_change,
    share_kept,
    variation,
    variation_of_shading,
)
from virtual_exams import SEEDS, SEQUENCES, VARIANTS, Variant, canonical_float, deep_white_matter, draw_heads, examine

from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.phantoms import VirtualPatient
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase, prepare_case
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.step_cache import StepStore


def prepare(patient: VirtualPatient, store: StepStore | None = None) -> PreparedCase:
    """The itk engine with the default recipe on all three scans."""
    return prepare_case(patient.scans, recipe=RECIPE, clock=StepClock(), override_quality=True, store=store)


def brain_row(patient: VirtualPatient, prepared: PreparedCase) -> str:
    """Dice with the truth, and the share of the lesions inside."""
    found = sitk.GetArrayFromImage(prepared.brain_mask) > 0
    truth, lesion = (
        sitk.GetArrayFromImage(canonical_float(masks[MRSequence.T1GD])) > 0
        for masks in (patient.brain_masks, patient.lesion_masks)
    )
    return f"{dice(found, truth):.4f} | {share_kept(found, lesion):.2%}"


def field_row(patient: VirtualPatient, prepared: PreparedCase, sequence: MRSequence) -> str:
    """White matter before and after, and the correlation of the found with the true field in the brain."""
    native, corrected = (sitk.GetArrayFromImage(s[sequence]) for s in (prepared.native, prepared.corrected))
    brain = sitk.GetArrayFromImage(canonical_float(patient.brain_masks[sequence])) > 0
    field = sitk.GetArrayFromImage(canonical_float(patient.bias_fields[sequence]))
    seen = brain & (native > 0) & (corrected > 0)
    agreement = np.corrcoef(np.log(native[seen] / corrected[seen]), np.log(field[seen]))[0, 1]
    white = deep_white_matter(patient, sequence) & seen
    edges = prepared.native[sequence].GetSpacing()[::-1]
    voxels = [variation(image[white]) for image in (native, corrected)]
    shading = [variation_of_shading(image, white, edges) for image in (native, corrected)]
    noise = patient.acquisitions[sequence].noise_sigma / native[white].mean()
    return (
        f"{shading[0]:.1%} | {shading[1]:.1%} | {shading[1] / shading[0]:.2f} | {voxels[0]:.1%} | {voxels[1]:.1%} | "
        f"{noise:.1%} | {agreement:.4f}"
    )


def pose_row(patient: VirtualPatient, prepared: PreparedCase, sequence: MRSequence) -> str:
    """How far the head was away, and how far it still is."""
    points = brain_points(canonical_float(patient.brain_masks[MRSequence.T1GD]))
    truth = patient.true_transform(MRSequence.T1GD, sequence)
    away = registration_error_mm(sitk.Transform(3, sitk.sitkIdentity), truth, points)
    return f"{away:.1f} | {registration_error_mm(prepared.transforms[sequence], truth, points):.3f}"


def gain_row(patient: VirtualPatient, prepared: PreparedCase, store: StepStore | None) -> str:
    """How much the network's input changes when the scan is multiplied by 3 and 100 is added."""
    scan = {MRSequence.T1GD: canonical_float(patient.scans[MRSequence.T1GD]) * 3.0 + 100.0}
    changed = prepare_case(scan, recipe=RECIPE, clock=StepClock(), override_quality=True, store=store)
    channel = (MRSequence.T1GD,)
    return f"{relative_change(changed.network_input(channel), prepared.network_input(channel)):.4%}"


def measure(patient: VirtualPatient, name: str, store: StepStore | None, tables: dict[str, list[str]]) -> None:
    """Add one exam to the tables."""
    prepared = prepare(patient, store)
    tables["brain"].append(f"| {name} | {brain_row(patient, prepared)} |")
    tables["gain"].append(f"| {name} | {gain_row(patient, prepared, store)} |")
    for sequence in SEQUENCES:
        tables["field"].append(f"| {name} | {sequence.label} | {field_row(patient, prepared, sequence)} |")
        if sequence is not MRSequence.T1GD:
            tables["pose"].append(f"| {name} | {sequence.label} | {pose_row(patient, prepared, sequence)} |")


HEADINGS = {
    "brain": "| exam | Dice with the true brain | lesion kept |\n|---|---|---|",
    "field": (
        "| exam | scan | white matter, cells: before | after | ratio | voxels: before | after | noise alone | "
        "correlation with the true log field |\n|---|---|---|---|---|---|---|---|---|"
    ),
    "pose": "| exam | scan | away at the start, mm | registration error, mm |\n|---|---|---|---|",
    "gain": "| exam | change of the network's input by gain 3 and offset 100 |\n|---|---|",
}


def main() -> int:
    """Print one table a subject."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--keep", type=Path, default=None, help="folder that keeps finished steps")
    args = parser.parse_args()
    store = StepStore(args.keep) if args.keep else None
    tables: dict[str, list[str]] = {name: [] for name in HEADINGS}
    for seed in args.seeds:
        heads = draw_heads(seed)
        for variant in args.variants:
            kind: Variant = variant
            measure(examine(heads, kind), f"{seed}, {variant}", store, tables)
            print(f"seed {seed}, {variant}: measured", file=sys.stderr, flush=True)
    for name, heading in HEADINGS.items():
        print(f"\n{heading}", *tables[name], sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
