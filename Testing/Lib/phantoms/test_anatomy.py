"""People differ, and each of them stays a possible person."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from PCNSLSurvivalLib.phantoms.anatomy.head import build_head
from PCNSLSurvivalLib.phantoms.anatomy.individual import PatientAnatomy, draw_anatomy, warp_to_template
from PCNSLSurvivalLib.phantoms.anatomy.template import brain_template
from PCNSLSurvivalLib.phantoms.anatomy.tissues import Tissue
from PCNSLSurvivalLib.phantoms.disease.lesions import Lesion, LesionPlan

HEALTHY = LesionPlan(seed=0, lesions=())


@pytest.mark.parametrize("seed", range(4))
def test_warp_folds_no_tissue(seed):
    lesion = Lesion(center_lps_mm=(22.0, -24.0, 18.0), volume_ml=40.0, mass_effect=0.45)
    warp = warp_to_template(draw_anatomy(seed), brain_template(), (lesion,))
    jacobian = sitk.GetArrayFromImage(sitk.DisplacementFieldJacobianDeterminant(warp.GetDisplacementField()))
    assert jacobian.min() > 0.0


def test_atrophy_and_wide_ventricles_cost_tissue_and_make_room_for_fluid():
    young, old = (
        build_head(PatientAnatomy(seed=3, ventricle_shift_mm=shift, atrophy=atrophy), HEALTHY, brain_only=True)
        for shift, atrophy in ((-0.5, -0.5), (2.5, 0.9))
    )
    assert old.volume_ml(Tissue.CSF) > 1.3 * young.volume_ml(Tissue.CSF)
    assert old.volume_ml(Tissue.GRAY_MATTER) < young.volume_ml(Tissue.GRAY_MATTER)
    middle = tuple(slice(int(c) - 12, int(c) + 12) for c in young.grid.lps_to_index(np.array([0.0, 5.0, 12.0]))[::-1])
    ventricles = [head.fractions[Tissue.CSF][middle].sum() for head in (young, old)]
    assert ventricles[1] > 1.2 * ventricles[0]


def test_older_people_are_drawn_with_wider_ventricles_and_sulci():
    people = {age: [draw_anatomy(seed, age_years=age) for seed in range(60)] for age in (40.0, 80.0)}
    for name in ("ventricle_shift_mm", "atrophy"):
        young, old = (np.mean([getattr(person, name) for person in people[age]]) for age in (40.0, 80.0))
        assert old > young + 0.5


def test_a_blurred_boundary_is_wider_than_a_sharp_one():
    widths = {}
    for boundary_mm in (1.0, 8.0):
        lesion = Lesion(center_lps_mm=(25.0, -20.0, 26.0), volume_ml=12.0, boundary_mm=boundary_mm, edema_mm=0.0)
        plan = LesionPlan(seed=1, lesions=(lesion,))
        head = build_head(PatientAnatomy(seed=2), plan, brain_only=True)
        tumor = head.fractions[Tissue.ENHANCING_TUMOR]
        widths[boundary_mm] = ((tumor > 25) & (tumor < 230)).sum() / (tumor >= 128).sum()
    assert widths[8.0] > 2.0 * widths[1.0]


def test_glioblastoma_has_a_necrotic_core_inside_its_ring():
    lesion = Lesion(center_lps_mm=(25.0, -20.0, 26.0), volume_ml=30.0, enhancement="ring", rim_mm=5.0)
    head = build_head(PatientAnatomy(seed=2), LesionPlan(seed=1, lesions=(lesion,)), brain_only=True)
    assert head.volume_ml(Tissue.NECROSIS) == pytest.approx(12.2, rel=0.3)  # a ball 5 mm smaller all around
    inside = head.fractions[Tissue.NECROSIS] > 128
    around = head.lesion > 128
    assert np.all(around[inside])
    whole = head.volume_ml(Tissue.NECROSIS) + head.volume_ml(Tissue.ENHANCING_TUMOR)
    assert whole == pytest.approx(30.0, rel=0.03)
