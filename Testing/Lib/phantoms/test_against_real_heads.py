"""Virtual scans beside real ones: the numbers that describe a head must be those of heads."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from head_statistics import head_statistics

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import canonical
from PCNSLSurvivalLib.phantoms import scan_patient
from PCNSLSurvivalLib.phantoms.cohort import CohortPlan, draw_patient
from PCNSLSurvivalLib.preprocessing.recipe import BrainExtractionStep
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import extract_brain

SEQUENCES = (MRSequence.T1, MRSequence.T1GD, MRSequence.T2)

# Class means of the SRI24 atlas (Rohlfing et al. 2010): a witness for T1 and T2 beside the real scans.
SRI24 = {
    MRSequence.T1: {"csf/white": 366 / 883, "gray/white": 614 / 883},
    MRSequence.T2: {"csf/white": 697 / 359, "gray/white": 500 / 359},
}

# How far the mean over virtual patients may lie outside the span of so few real heads.
ROOM = {"csf/white": 1.15, "gray/white": 1.15, "scalp/white": 1.15, "noise/white": 1.5, "log bias sd": 2.1}


@pytest.mark.real
@pytest.mark.slow
def test_virtual_scans_have_the_statistics_of_real_heads(real_patient, real_data):
    real = _real_statistics(real_patient, real_data)
    virtual = {sequence: [] for sequence in SEQUENCES}
    for number in range(1, 7):
        member = draw_patient(CohortPlan(patients=6, seed=56), number)
        patient = scan_patient(member.anatomy, member.plan, member.protocol, sequences=SEQUENCES)
        for sequence in SEQUENCES:
            scan = patient.acquisitions[sequence]
            virtual[sequence].append(head_statistics(scan.image, scan.brain_mask, sequence))
    print(f"\n{'':<6}{'':<13}{'real heads':>28}{'virtual mean':>14}{'virtual range':>23}")
    wrong = []
    for sequence in SEQUENCES:
        for name in real[sequence][0]:
            drawn = [one[name] for one in virtual[sequence]]
            witnesses = [one[name] for one in (*real[sequence], SRI24.get(sequence, {})) if name in one]
            seen = "  ".join(f"{value:.3f}" for value in witnesses)
            span = f"{min(drawn):.3f} … {max(drawn):.3f}"
            print(f"{sequence.label:<6}{name:<13}{seen:>28}{np.mean(drawn):>14.3f}{span:>23}")
            room = ROOM.get(name)
            if room and not min(witnesses) / room <= np.mean(drawn) <= max(witnesses) * room:
                wrong.append(f"{sequence.label} {name}")
    assert not wrong
    volumes = [one["brain_ml"] for one in virtual[MRSequence.T1GD]]
    assert all(1200 < volume < 1750 for volume in volumes)  # the real heads: 1225 to 1723 mL
    assert max(one["skull/white"] for one in virtual[MRSequence.T1]) < 0.05  # the skull is dark


def _real_statistics(patient, folder) -> dict[MRSequence, list[dict[str, float]]]:
    """The glioma exam beside the checkout in all sequences, the ROBEX head in T1, two TCGA scans in T1Gd."""
    mask = sitk.Cast(sitk.ReadImage(str(patient["mask"])) > 0, sitk.sitkUInt8)
    statistics: dict[MRSequence, list[dict[str, float]]] = {}
    for sequence in SEQUENCES:
        image = sitk.ReadImage(str(patient[sequence]), sitk.sitkFloat32)
        on_scan = mask
        if sequence is not MRSequence.T1GD:
            name = f"TCGA-FG-6692_{sequence.label}_to_T1Gd_BRAINSFit.tfm"
            transform = patient["mask"].parent / "slicer-reference" / name
            if not transform.is_file():
                pytest.skip("the registrations made by Slicer do not lie beside the real patient")
            to_t1gd = sitk.ReadTransform(str(transform)).GetInverse()
            on_scan = sitk.Resample(mask, image, to_t1gd, sitk.sitkNearestNeighbor)
        statistics[sequence] = [head_statistics(image, on_scan, sequence)]
    head, brain = (sitk.ReadImage(str(folder / f"robex_{name}.nii.gz")) for name in ("t1", "brain_mask"))
    head, brain = (image[:, :, :, 0] if image.GetDimension() == 4 else image for image in (head, brain))
    brain = sitk.Cast(brain > 0, sitk.sitkUInt8)
    brain.CopyInformation(head)
    statistics[MRSequence.T1].append(head_statistics(head, brain, MRSequence.T1))
    for number in (1, 2):
        scan = canonical(sitk.ReadImage(str(folder / f"tcga_gbm_{number}_t1gd.nrrd"), sitk.sitkFloat32))
        outline = extract_brain(scan, BrainExtractionStep())
        statistics[MRSequence.T1GD].append(head_statistics(scan, outline, MRSequence.T1GD))
    return statistics
