"""The preparation against the truths of hard virtual exams: three people, 1 mm and thick slices."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from truth_measures import brain_points, dice, registration_error_mm, share_kept, variation_of_shading
from virtual_exams import SEEDS, SEQUENCES, canonical_float, deep_white_matter, draw_heads, examine

from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import MRSequence, Verdict
from PCNSLSurvivalLib.preprocessing.pipeline import prepare_case
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("variant", "error_mm"), [("isotropic", 0.5), ("thick slices", 1.0)])
def test_far_poses_cortical_lesions_and_shading(seed, variant, error_mm):
    patient = examine(draw_heads(seed), variant)
    prepared = prepare_case(patient.scans, recipe=RECIPE, clock=StepClock())
    assert all(finding.verdict is Verdict.GOOD for finding in prepared.findings)
    found = sitk.GetArrayFromImage(prepared.brain_mask) > 0
    truth, lesion = (
        sitk.GetArrayFromImage(canonical_float(masks[MRSequence.T1GD])) > 0
        for masks in (patient.brain_masks, patient.lesion_masks)
    )
    assert dice(found, truth) >= 0.95
    assert share_kept(found, lesion) >= 0.99
    points = brain_points(canonical_float(patient.brain_masks[MRSequence.T1GD]))
    for sequence in SEQUENCES:
        pose = patient.true_transform(MRSequence.T1GD, sequence)
        assert registration_error_mm(prepared.transforms[sequence], pose, points) <= error_mm
        native, corrected = (sitk.GetArrayFromImage(s[sequence]) for s in (prepared.native, prepared.corrected))
        brain = sitk.GetArrayFromImage(canonical_float(patient.brain_masks[sequence])) > 0
        seen = brain & (native > 0) & (corrected > 0)
        field = sitk.GetArrayFromImage(canonical_float(patient.bias_fields[sequence]))[seen]
        assert np.corrcoef(np.log(native[seen] / corrected[seen]), np.log(field))[0, 1] >= 0.95
        white, edges = deep_white_matter(patient, sequence) & seen, prepared.native[sequence].GetSpacing()[::-1]
        before, after = (variation_of_shading(image, white, edges) for image in (native, corrected))
        assert after <= 0.5 * before
