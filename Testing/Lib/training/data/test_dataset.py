"""What the network is shown is made once from the prepared scans, keeps millimeters, and follows every change."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from made_trainings import SETTINGS, cohort_of_twelve
from refusals import refused

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedExam
from PCNSLSurvivalLib.core.errors import CohortError, PreparationError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid
from PCNSLSurvivalLib.imaging.io import read_volume, write_volume
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.steps.resampling import isotropic_grid, network_grid, to_network
from PCNSLSurvivalLib.training.data.dataset import NetworkInputs

T1GD = (MRSequence.T1GD,)


def test_defect_7_a_scan_is_read_and_resampled_once(tmp_path, monkeypatch):
    cohort = cohort_of_twelve(tmp_path / "cohort")
    reads = []
    scan = PreparedExam.scan
    monkeypatch.setattr(PreparedExam, "scan", lambda self, sequence: reads.append(self.name) or scan(self, sequence))
    first = NetworkInputs(cohort, T1GD, SETTINGS.grid)
    assert sorted(reads) == sorted(exam.name for exam in cohort.exams)
    for _ in range(3):
        again = NetworkInputs(cohort, T1GD, SETTINGS.grid)
        batch = again.batch(["P000", "P001"])
    assert len(reads) == len(cohort.exams)
    assert np.array_equal(batch[0], first.case("P000"))
    assert np.array_equal(batch[1], cohort.exam("P001").network_input(T1GD, SETTINGS.grid))
    assert not list(cohort.folder.rglob("*.partial"))


def test_a_changed_scan_is_made_again_and_an_array_cut_short_too(tmp_path):
    cohort = cohort_of_twelve(tmp_path / "cohort")
    before = NetworkInputs(cohort, T1GD, SETTINGS.grid, names=["P000"]).case("P000")
    (array,) = (cohort.folder / "network_inputs" / "P000").glob("*.npy")
    array.write_bytes(array.read_bytes()[:1000])
    assert np.array_equal(NetworkInputs(cohort, T1GD, SETTINGS.grid, names=["P000"]).case("P000"), before)
    path = cohort.exam("P000").folder / "t1gd_preprocessed.nii.gz"
    write_volume(read_volume(path) * 2.0, path)
    assert np.allclose(NetworkInputs(cohort, T1GD, SETTINGS.grid, names=["P000"]).case("P000"), 2 * before)


def test_a_damaged_scan_is_named(tmp_path):
    cohort = cohort_of_twelve(tmp_path / "cohort")
    (cohort.exam("P003").folder / "t1gd_preprocessed.nii.gz").write_bytes(b"no volume")
    with refused(CohortError, "prepared_cohort.volume_damaged", case="P003", file="t1gd_preprocessed.nii.gz"):
        NetworkInputs(cohort, T1GD, SETTINGS.grid)


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (0.75, 0.75, 2.5)], ids=["isotropic", "thick slices"])
@pytest.mark.parametrize("brain_mm", [(60.0, 80.0, 60.0), (80.0, 60.0, 70.0)], ids=["long head", "wide head"])
def test_defect_10_a_sphere_stays_a_sphere_of_its_size_in_every_head(brain_mm, spacing_mm):
    grid = Grid.axis_aligned(
        center_lps_mm=np.array([3.0, -8.0, 5.0]),
        size=tuple(int(2.05 * 80 / mm) for mm in spacing_mm),
        spacing_mm=spacing_mm,
    )
    points = grid.index_to_lps(np.stack(np.meshgrid(*map(np.arange, grid.size), indexing="ij"), -1))
    center = np.array([3.0, -8.0, 5.0])

    def ellipsoid(radii, offset=(0.0, 0.0, 0.0)):
        inside = (((points - center - offset) / np.array(radii)) ** 2).sum(-1) < 1
        return image_on_grid(inside.transpose(2, 1, 0).astype(np.float32), grid)

    brain = sitk.Cast(ellipsoid(brain_mm), sitk.sitkUInt8)
    step = RECIPE.network_grid
    block = network_grid(brain, step)
    seen = to_network(ellipsoid((15.0, 15.0, 15.0), (10.0, 5.0, -10.0)), block)
    assert block.spacing_mm == step.spacing_mm
    assert seen.sum() * np.prod(step.spacing_mm) / 1000 == pytest.approx(14.14, rel=0.04)  # mL, 4/3 π r³
    spread = [np.sqrt(np.cov(np.argwhere(seen > 0.5)[:, axis])) * step.spacing_mm[axis] for axis in range(3)]
    assert spread == pytest.approx([15 / np.sqrt(5)] * 3, rel=0.06)


def test_defect_11_an_empty_brain_is_refused_and_not_blown_up():
    grid = Grid.axis_aligned(center_lps_mm=np.zeros(3), size=(8, 8, 8), spacing_mm=(1.0, 1.0, 1.0))
    empty = image_on_grid(np.zeros((8, 8, 8), np.uint8), grid)
    for make in (lambda: network_grid(empty, RECIPE.network_grid), lambda: isotropic_grid(empty, RECIPE.resampling)):
        with refused(PreparationError, "brain.mask_empty"):
            make()
