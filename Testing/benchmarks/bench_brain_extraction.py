"""Our brain extraction beside SwissSkullStripper's algorithm (StripTsImageFilter), on heads with a second opinion.

Usage, after ``make real-data``: ``python Testing/benchmarks/bench_brain_extraction.py [--stripts PYTHON]``. PYTHON is
an interpreter that has itk-skullstripping 1.0.1 and SimpleITK; without it that column is left out with a word. Heads
that are not on this computer are left out too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from kept_tables import add_keep, report
from real_data import real_data_folder

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical, resample
from PCNSLSurvivalLib.imaging.io import read_scan
from PCNSLSurvivalLib.phantoms import reference_patient
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import extract_brain

SHARED = Path(__file__).resolve().parents[3] / "shared" / "real-patient"

# Runs in the interpreter that has the filter: patient, atlas head, atlas mask, output.
STRIPTS = """
import sys, time, json
import itk, numpy as np, SimpleITK as sitk
def volume(path, kind):
    image = sitk.ReadImage(path)
    while image.GetDimension() > 3:
        image = image[..., 0]
    out = itk.image_from_array(sitk.GetArrayFromImage(image).astype(kind))
    out.SetSpacing(image.GetSpacing()); out.SetOrigin(image.GetOrigin())
    out.SetDirection(itk.matrix_from_array(np.reshape(image.GetDirection(), (3, 3))))
    return image, out
patient_image, patient = volume(sys.argv[1], np.float32)
_, atlas = volume(sys.argv[2], np.float32)
_, mask = volume(sys.argv[3], np.uint8)
begin = time.perf_counter()
found = itk.strip_ts_image_filter(patient, atlas_image=atlas, atlas_brain_mask=mask)
seconds = time.perf_counter() - begin
out = sitk.GetImageFromArray(itk.array_from_image(found)); out.CopyInformation(patient_image)
sitk.WriteImage(out, sys.argv[4])
print(json.dumps(seconds))
"""


@dataclass(frozen=True)
class Head:
    """A head with a second opinion on its brain, a lesion, or both."""

    name: str
    scan: sitk.Image
    brain: sitk.Image | None
    lesion: sitk.Image | None


def heads() -> list[Head]:
    """Every head that is on this computer."""
    patient = reference_patient()
    found = [
        Head(
            "reference patient (truth)",
            _scan(patient.scans[MRSequence.T1GD]),
            patient.brain_masks[MRSequence.T1GD],
            patient.lesion_masks[MRSequence.T1GD],
        )
    ]
    if (t1gd := SHARED / "TCGA-FG-6692_T1Gd.nii.gz").is_file():
        reference = sitk.ReadImage(str(SHARED / "TCGA-FG-6692_T1Gd_brain_mask_hdbet.nii.gz"))
        found.append(Head("TCGA-FG-6692 T1Gd (HD-BET)", read_scan(t1gd, MRSequence.T1GD).image, reference, None))
    data = real_data_folder()
    if (head := data / "robex_t1.nii.gz").is_file():
        mask = read_scan(data / "robex_brain_mask.nii.gz", MRSequence.T1).image
        found.append(Head("ROBEX head (ROBEX)", read_scan(head, MRSequence.T1).image, mask, None))
    if (scan := data / "tcga_gbm_1_t1gd.nrrd").is_file():
        lesion = sitk.ReadImage(str(data / "tcga_gbm_1_lesion.nrrd"))
        found.append(Head("TCGA-GBM 1 T1Gd", read_scan(scan, MRSequence.T1GD).image, None, lesion))
    return found


def ours(head: Head) -> tuple[sitk.Image, float]:
    """Our mask and the seconds it took."""
    begin = time.perf_counter()
    mask = extract_brain(canonical(head.scan), RECIPE.brain_extraction)
    return mask, time.perf_counter() - begin


def stripts(head: Head, python: str) -> tuple[sitk.Image, float] | None:
    """The filter's mask with the ROBEX head as atlas; None for that head itself or where the filter is absent."""
    atlas, mask = real_data_folder() / "robex_t1.nii.gz", real_data_folder() / "robex_brain_mask.nii.gz"
    if head.name.startswith("ROBEX") or not atlas.is_file():
        return None
    with tempfile.TemporaryDirectory() as folder:
        patient, out = Path(folder) / "patient.nrrd", Path(folder) / "mask.nrrd"
        sitk.WriteImage(head.scan, str(patient))
        command = [python, "-c", STRIPTS, str(patient), str(atlas), str(mask), str(out)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            return None
        return sitk.ReadImage(str(out)), float(json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    """Print one row a head and method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stripts", default=sys.executable, help="interpreter that has itk-skullstripping")
    add_keep(parser)
    args = parser.parse_args()
    rows = []
    for head in heads():
        for method, result in (("ours (deepbet networks)", ours(head)), ("StripTs", stripts(head, args.stripts))):
            if result is None:
                print(f"{head.name}: {method} was not run", file=sys.stderr)
                continue
            mask, seconds = result
            found = sitk.GetArrayFromImage(resample(mask, Grid.of(head.scan), interpolation="nearest")) > 0
            ml = found.sum() * Grid.of(head.scan).voxel_volume_ml
            dice = "" if head.brain is None else f"{_dice(found, _on(head.brain, head)):.3f}"
            kept = "" if head.lesion is None else f"{_kept(found, _on(head.lesion, head)):.1%}"
            rows.append((head.name, method, f"{ml:.0f}", dice, kept, f"{seconds:.0f}"))
    columns = ("head (second opinion)", "method", "brain, mL", "Dice", "lesion kept", "seconds")
    report("bench-brain-extraction", columns, rows, settings="one run", keep=args.keep)
    return 0


def _scan(image: sitk.Image) -> sitk.Image:
    return sitk.Cast(image, sitk.sitkFloat32)


def _on(mask: sitk.Image, head: Head) -> np.ndarray:
    return sitk.GetArrayFromImage(resample(mask, Grid.of(head.scan), interpolation="nearest")) > 0


def _dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def _kept(brain: np.ndarray, lesion: np.ndarray) -> float:
    return float((brain & lesion).sum() / lesion.sum())


if __name__ == "__main__":
    sys.exit(main())
