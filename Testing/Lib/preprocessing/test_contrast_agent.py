"""A T1 without contrast agent that is given as T1Gd alone is told, on any scale of intensities."""

from __future__ import annotations

from dataclasses import replace

import pytest
import SimpleITK as sitk
from made_heads import made_head

from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import MRSequence, Verdict
from PCNSLSurvivalLib.preprocessing.pipeline import prepare_case
from PCNSLSurvivalLib.preprocessing.qc.contrast_agent import enhancement_above_white_matter, judge_contrast_agent
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.scan_state import ScanState

COARSE = replace(RECIPE, resampling=replace(RECIPE.resampling, spacing_mm=(4.0, 4.0, 4.0)))
T1GD, T1 = MRSequence.T1GD, MRSequence.T1


@pytest.fixture(scope="module")
def head():
    """T1Gd, T1 at the same place, and the brain mask of one made head."""
    scans, brain, _ = made_head(1, shift_mm=0.0)
    return scans[T1GD], scans[T1], brain


def test_enhancement_is_seen_and_its_absence_is_told(head):
    t1gd, t1, brain = head
    assert judge_contrast_agent(t1gd, brain).verdict is Verdict.GOOD
    plain = judge_contrast_agent(t1, brain)
    assert (plain.verdict, plain.message.code) == (Verdict.CHECK, "contrast.not_seen")


@pytest.mark.parametrize(("gain", "offset"), [(0.01, 0.0), (40.0, 0.0), (1.0, -400.0), (0.02, -7.0)])
def test_gain_and_offset_of_the_intensities_change_nothing(head, gain, offset):
    """As in images that were scaled to a mean of 0 and a standard deviation of 1."""
    for scan in head[:2]:
        changed = sitk.Cast(scan * gain + offset, sitk.sitkFloat32)
        value, expected = (enhancement_above_white_matter(image, head[2]) for image in (changed, scan))
        assert value == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("last", [False, True])
def test_one_plane_of_brain_at_the_border_of_the_scan_is_measured_as_inside_of_it(head, axis, last):
    """Smoothing needs four voxels along every axis, and a scan that ends at the plane has three around it."""
    t1gd, _, brain = head
    first, size = [0, 0, 0], list(t1gd.GetSize())
    middle, size[axis] = size[axis] // 2, 5
    first[axis] = middle - 4 if last else middle
    scan, plane = (sitk.RegionOfInterest(image, size, first) for image in (t1gd, brain))
    others = [slice(None)] * 3
    others[axis] = slice(0, 4) if last else slice(1, 5)
    plane[tuple(others)] = 0
    away = [4 if number == axis else 0 for number in range(3)]
    wider, wider_plane = (sitk.ConstantPad(image, away, away) for image in (scan, plane))
    at_border, inside = enhancement_above_white_matter(scan, plane), enhancement_above_white_matter(wider, wider_plane)
    assert at_border == pytest.approx(inside, rel=0.01)
    assert inside > 0


@pytest.mark.parametrize(
    ("agent", "code"),
    [(None, "not_seen"), ("", "not_seen_nor_named"), ("Dotarem", "not_seen_but_named")],
    ids=["no DICOM header", "header names none", "header names one"],
)
@pytest.mark.parametrize("stripped", [False, True], ids=["head", "stripped"])
def test_the_case_goes_on_with_a_warning_that_says_what_the_dicom_header_names(head, stripped, agent, code):
    t1, brain = head[1:]
    given = sitk.Mask(t1, brain) if stripped else t1
    case = prepare_case(
        {T1GD: given},
        recipe=COARSE,
        clock=StepClock(),
        brain_mask=brain,
        known=ScanState(already_corrected=True, already_stripped=stripped),
        agent=agent,
    )
    (finding,) = [finding for finding in case.findings if finding.measure == "contrast_agent"]
    assert (finding.verdict, finding.message.code) == (Verdict.CHECK, f"contrast.{code}")
    assert not finding.message.values, "the text of the header may hold anything"


def test_beside_t1_the_comparison_of_the_two_decides(head):
    t1gd, t1, brain = head
    known = ScanState(already_corrected=True, already_registered=True)
    case = prepare_case({T1GD: t1gd, T1: t1}, recipe=COARSE, clock=StepClock(), brain_mask=brain, known=known)
    assert [one.measure for one in case.findings if one.measure in ("enhancement", "contrast_agent")] == ["enhancement"]
