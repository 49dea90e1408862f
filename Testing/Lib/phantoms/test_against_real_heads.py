"""Virtual scans beside real ones: the numbers that describe a head must be those of heads."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from head_statistics import head_statistics

from PCNSLSurvivalLib.phantoms import scan_patient
from PCNSLSurvivalLib.phantoms.cohort import CohortPlan, draw_patient
from PCNSLSurvivalLib.terms import Sequence

SEQUENCES = (Sequence.T1, Sequence.T1GD, Sequence.T2)

# Class means of the SRI24 atlas (Rohlfing et al. 2010), a second witness where only one real exam is at hand.
SRI24 = {
    (Sequence.T1, "csf/white"): 366 / 883,
    (Sequence.T1, "gray/white"): 614 / 883,
    (Sequence.T2, "csf/white"): 697 / 359,
    (Sequence.T2, "gray/white"): 500 / 359,
}

# How far a mean over virtual patients may lie outside what the real heads span. One exam and one atlas span little:
# sites differ by more than this in scalp brightness, noise and shading.
ROOM = {"csf/white": 1.25, "gray/white": 1.15, "scalp/white": 1.5, "noise/white": 2.0, "log bias sd": 2.5}


@pytest.mark.real
@pytest.mark.slow
def test_virtual_scans_have_the_statistics_of_real_heads(real_patient):
    real = _real_statistics(real_patient)
    virtual = {sequence: [] for sequence in SEQUENCES}
    for number in range(1, 7):
        member = draw_patient(CohortPlan(patients=6, seed=56), number)
        patient = scan_patient(member.anatomy, member.plan, member.protocol, sequences=SEQUENCES)
        for sequence in SEQUENCES:
            scan = patient.acquisitions[sequence]
            virtual[sequence].append(head_statistics(scan.image, scan.brain_mask, sequence))
    print(f"\n{'':<6}{'':<14}{'real':>8}{'SRI24':>8}{'virtual mean':>14}{'range':>20}")
    wrong = []
    for sequence in SEQUENCES:
        for name, measured in real[sequence].items():
            drawn = [one[name] for one in virtual[sequence]]
            atlas = SRI24.get((sequence, name))
            witnesses = [measured] if atlas is None else [measured, atlas]
            told = "" if atlas is None else f"{atlas:.3f}"
            span = f"{min(drawn):.3f} … {max(drawn):.3f}"
            print(f"{sequence.label:<6}{name:<14}{measured:>8.3f}{told:>8}{np.mean(drawn):>14.3f}{span:>20}")
            room = ROOM.get(name)
            if room and not min(witnesses) / room <= np.mean(drawn) <= max(witnesses) * room:
                wrong.append(f"{sequence.label} {name}")
    assert not wrong
    volumes = [one["brain_ml"] for one in virtual[Sequence.T1GD]]
    assert all(1150 < volume < 1800 for volume in volumes)  # adults; this exam 1598 mL
    assert max(one["skull/white"] for one in virtual[Sequence.T1]) < 0.15  # the skull is dark


def _real_statistics(paths) -> dict[Sequence, dict[str, float]]:
    mask = sitk.Cast(sitk.ReadImage(str(paths["mask"])) > 0, sitk.sitkUInt8)
    statistics = {}
    for sequence in SEQUENCES:
        image = sitk.ReadImage(str(paths[sequence]), sitk.sitkFloat32)
        on_scan = mask
        if sequence is not Sequence.T1GD:
            name = f"TCGA-FG-6692_{sequence.label}_to_T1Gd_BRAINSFit.tfm"
            transform = paths["mask"].parent / "slicer-reference" / name
            if not transform.is_file():
                pytest.skip("the registrations made by Slicer do not lie beside the real patient")
            to_t1gd = sitk.ReadTransform(str(transform)).GetInverse()
            on_scan = sitk.Resample(mask, image, to_t1gd, sitk.sitkNearestNeighbor)
        statistics[sequence] = head_statistics(image, on_scan, sequence)
    return statistics
