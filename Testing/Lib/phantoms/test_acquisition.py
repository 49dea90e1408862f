"""The physics of one scan, on blocks of tissue simple enough for pencil and paper."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.phantoms.anatomy.head import Head
from PCNSLSurvivalLib.phantoms.anatomy.tissues import RELAXATION, Tissue
from PCNSLSurvivalLib.phantoms.random_fields import refine, smooth_noise, stream
from PCNSLSurvivalLib.phantoms.scanner.acquisition import acquire
from PCNSLSurvivalLib.phantoms.scanner.protocol import SequenceProtocol, draw_clinical_protocol
from PCNSLSurvivalLib.phantoms.scanner.signal import signal_of

T2 = SequenceProtocol(
    contrast="spin_echo", tr_ms=4500, te_ms=98, matrix=(24, 24, 8), voxel_mm=(2.0, 2.0, 6.0), slice_mm=4.0
)


def block(top_mm: float) -> Head:
    """White matter below ``top_mm`` and nothing above, in a cube of 60 mm."""
    grid = Grid((60, 60, 60), (1.0, 1.0, 1.0), (-29.5, -29.5, -29.5), tuple(np.eye(3).ravel()))
    filled = np.zeros((60, 60, 60), np.uint8)
    filled[: round(top_mm + 30)] = 255
    return Head(
        grid, {Tissue.WHITE_MATTER: filled, Tissue.ENHANCING_TUMOR: filled * 0, Tissue.NECROSIS: filled * 0}, filled
    )


def test_a_slice_integrates_the_tissue_over_its_thickness():
    # Slices of 4 mm centered at z = -21, -15, …: the one at z = 3 reaches from 1 to 5 mm, tissue ends at 2 mm.
    quiet = replace(T2, snr=1e6, bias_amplitude=0.0, gain=10000.0)
    grid = Grid((12, 12, 8), (2.0, 2.0, 6.0), (-11.0, -11.0, -21.0), tuple(np.eye(3).ravel()))
    scan = acquire(block(2.0), MRSequence.T2, quiet, seed=1, on=grid)
    profile = sitk.GetArrayFromImage(scan.image).mean(axis=(1, 2)) / (10000 * signal_of(Tissue.WHITE_MATTER, quiet))
    assert profile[:4] == pytest.approx(np.ones(4), abs=0.02)
    assert profile[4] == pytest.approx(0.25, abs=0.02)
    assert profile[5:] == pytest.approx(np.zeros(3), abs=0.01)
    assert sitk.GetArrayFromImage(scan.brain_mask).mean(axis=(1, 2)).tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


def test_signal_and_noise_follow_the_stated_ratio():
    still = replace(T2, snr=20.0, bias_amplitude=0.0)
    grid = Grid((24, 24, 6), (2.0, 2.0, 6.0), (-23.0, -23.0, -26.0), tuple(np.eye(3).ravel()))
    inside = sitk.GetArrayFromImage(acquire(block(20.0), MRSequence.T2, still, seed=1, on=grid).image)[1:5].astype(
        float
    )
    # The tissue texture of 1.5 %, weakened by averaging over the voxel, adds a little to the noise of 5 %.
    assert inside.mean() / inside.std() == pytest.approx(20.0, rel=0.08)


def test_motion_ghosts_move_signal_along_phase_encoding_only():
    quiet = replace(T2, snr=1e6, bias_amplitude=0.0, matrix=(60, 60, 4))
    grid = Grid((60, 60, 4), (2.0, 2.0, 6.0), (-59.0, -59.0, -15.0), tuple(np.eye(3).ravel()))
    clean = sitk.GetArrayFromImage(acquire(block(30.0), MRSequence.T2, quiet, seed=1, on=grid).image).astype(float)
    ghosted = replace(quiet, ghosting=0.03)
    moved = sitk.GetArrayFromImage(acquire(block(30.0), MRSequence.T2, ghosted, seed=1, on=grid).image).astype(float)
    assert moved[:, :, 0].max() == pytest.approx(0, abs=2)  # nothing beside the head along i
    assert moved[1, 14, 30] > 0.02 * clean[1, 30, 30]  # faint head in front of it
    assert moved.sum() == pytest.approx(clean.sum() * 1.03, rel=0.005)


def test_spin_echo_signal_is_the_textbook_equation():
    values = RELAXATION[Tissue.WHITE_MATTER]
    expected = values.proton_density * (1 - math.exp(-4500 / values.t1_ms)) * math.exp(-98 / values.t2_ms)
    assert signal_of(Tissue.WHITE_MATTER, T2) == pytest.approx(expected, rel=1e-12)


def test_contrast_lies_near_the_sri24_atlas():
    # Means by tissue in the SRI24 atlas: T2 CSF 697, gray 500, white 359; T1 CSF 366, gray 614, white 883. The
    # atlas' CSF is mixed with cortex; pure fluid is further from white matter.
    protocol = draw_clinical_protocol(0).sequences

    def ratio(tissue: Tissue, sequence: MRSequence) -> float:
        return signal_of(tissue, protocol[sequence]) / signal_of(Tissue.WHITE_MATTER, protocol[sequence])

    assert ratio(Tissue.GRAY_MATTER, MRSequence.T2) == pytest.approx(500 / 359, rel=0.10)
    assert ratio(Tissue.GRAY_MATTER, MRSequence.T1) == pytest.approx(614 / 883, rel=0.22)
    assert 697 / 359 < ratio(Tissue.CSF, MRSequence.T2) < 1.6 * 697 / 359
    assert 0.6 * 366 / 883 < ratio(Tissue.CSF, MRSequence.T1) < 366 / 883


def test_gadolinium_brightens_tumor_and_dura_but_not_white_matter():
    t1gd = draw_clinical_protocol(0).sequences[MRSequence.T1GD]
    before = replace(t1gd, gadolinium=0.0)
    gains = {
        tissue: signal_of(tissue, t1gd) / signal_of(tissue, before) for tissue in Tissue if tissue is not Tissue.AIR
    }
    assert gains[Tissue.WHITE_MATTER] < 1.08
    assert min(gains[Tissue.ENHANCING_TUMOR], gains[Tissue.DURA], gains[Tissue.VENOUS_BLOOD]) > 1.5


def test_flair_nulls_fluid():
    flair = draw_clinical_protocol(0).sequences[MRSequence.FLAIR]
    assert signal_of(Tissue.CSF, flair) < 0.25 * signal_of(Tissue.WHITE_MATTER, flair)


@pytest.mark.parametrize("cubic", [False, True])
def test_refining_keeps_a_ramp_a_ramp(cubic):
    coarse = Grid((12, 10, 8), (4.0, 4.0, 4.0), (-8.0, -8.0, -8.0), tuple(np.eye(3).ravel()))
    fine = Grid((20, 16, 10), (1.0, 1.0, 1.0), (0.3, 0.1, 0.2), tuple(np.eye(3).ravel()))
    k, j, i = np.meshgrid(*[np.arange(n) for n in coarse.size[::-1]], indexing="ij")
    ramp = (coarse.index_to_lps(np.stack([i, j, k], -1)) @ (1.0, -2.0, 0.5)).astype(np.float32)
    k, j, i = np.meshgrid(*[np.arange(n) for n in fine.size[::-1]], indexing="ij")
    expected = fine.index_to_lps(np.stack([i, j, k], -1)) @ (1.0, -2.0, 0.5)
    assert np.allclose(refine(ramp, coarse, fine, cubic=cubic), expected, atol=1e-3)


@pytest.mark.parametrize("cubic", [False, True])
def test_smooth_noise_has_unit_variance_and_named_streams_differ(cubic):
    grid = Grid((90, 90, 90), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
    first, second = (smooth_noise(grid, stream(7, name), scale_mm=4.0, cubic=cubic) for name in ("a", "b"))
    assert first.std() == pytest.approx(1.0, abs=0.06)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.05
