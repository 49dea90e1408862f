"""Virtual exams that are hard on purpose: far head poses, cortical lesions, a lesion in one sequence only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical, resample
from PCNSLSurvivalLib.phantoms import VirtualPatient
from PCNSLSurvivalLib.phantoms.anatomy.head import Head, build_head
from PCNSLSurvivalLib.phantoms.anatomy.individual import draw_anatomy
from PCNSLSurvivalLib.phantoms.anatomy.tissues import Tissue
from PCNSLSurvivalLib.phantoms.disease.lesions import Lesion, LesionPlan
from PCNSLSurvivalLib.phantoms.random_fields import stream
from PCNSLSurvivalLib.phantoms.scanner.acquisition import acquire
from PCNSLSurvivalLib.phantoms.scanner.protocol import (
    Protocol,
    SequenceProtocol,
    draw_clinical_protocol,
    draw_isotropic_protocol,
)

SEEDS = (11, 23, 37)
VARIANTS = ("isotropic", "thick slices")
SEQUENCES = (MRSequence.T1GD, MRSequence.T1, MRSequence.T2)
FARTHEST_DEG, FARTHEST_MM = 15.0, 20.0

Variant = Literal["isotropic", "thick slices"]

# On the convexity and at the temporal and occipital poles: a mask that cuts the cortex cuts these. LPS mm and mL.
_DEEP = ((22.0, -24.0, 18.0), 8.0)
_CORTICAL = (
    (((-40.0, -36.0, 26.0), 9.0), ((50.0, 20.0, -12.0), 6.0)),
    (((-38.0, 46.0, 40.0), 7.0), ((24.0, 80.0, 8.0), 8.0)),
    (((-52.0, 14.0, -8.0), 6.0), ((36.0, -40.0, 26.0), 10.0)),
)


@dataclass(frozen=True)
class Heads:
    """One person with one deep and two cortical lesions, and the same person without any."""

    seed: int
    plan: LesionPlan
    ill: Head
    healthy: Head


def draw_heads(seed: int) -> Heads:
    """Build both heads; the lesions displace nothing, so that only their signal differs."""
    anatomy = draw_anatomy(seed)
    cortical = _CORTICAL[SEEDS.index(seed) if seed in SEEDS else 0]
    lesions = (
        Lesion(center_lps_mm=_scaled(place, anatomy.size), volume_ml=volume, mass_effect=0.0)
        for place, volume in (_DEEP, *cortical)
    )
    plan = LesionPlan(seed=seed, lesions=tuple(lesions))
    return Heads(seed, plan, build_head(anatomy, plan), build_head(anatomy, LesionPlan(seed=seed, lesions=())))


def examine(heads: Heads, variant: Variant) -> VirtualPatient:
    """Scan T1Gd, T1 and T2; T1 lies two thirds as far from T1Gd as T2, which lies 15 degrees and 20 mm away.

    T2 shows no lesion: what enhances on T1Gd has no counterpart there.
    """
    seed = heads.seed
    drawn = draw_isotropic_protocol(seed) if variant == "isotropic" else draw_clinical_protocol(seed, thick_t1gd=True)
    far = {MRSequence.T1GD: 0.0, MRSequence.T1: 2 / 3, MRSequence.T2: 1.0}
    sequences = {name: _far(drawn.sequences[name], seed, name, share) for name, share in far.items()}
    protocol = Protocol(seed=seed, sequences=sequences)
    scans = {
        name: acquire(heads.healthy if name is MRSequence.T2 else heads.ill, name, sequences[name], seed=seed)
        for name in SEQUENCES
    }
    return VirtualPatient(draw_anatomy(seed), heads.plan, protocol, heads.ill, scans)


def canonical_float(image: sitk.Image) -> sitk.Image:
    """A scan as the preparation takes it."""
    return canonical(sitk.Cast(image, sitk.sitkFloat32))


def deep_white_matter(patient: VirtualPatient, sequence: MRSequence) -> np.ndarray:
    """Voxels of a scan, (k, j, i) in canonical order, that lie at least 3 mm inside white matter."""
    head = patient.head
    white = sitk.GetImageFromArray((head.fractions[Tissue.WHITE_MATTER] > 240).astype(np.uint8))
    inner = sitk.Cast(sitk.BinaryErode(white, [3, 3, 3]), sitk.sitkFloat32)
    inner.SetOrigin(head.grid.origin_lps_mm)
    grid = Grid.of(canonical(patient.scans[sequence]))
    return sitk.GetArrayFromImage(resample(inner, grid, transform=patient.poses[sequence])) > 0.5


def _far(routine: SequenceProtocol, seed: int, name: MRSequence, share: float) -> SequenceProtocol:
    draw = stream(seed, "far", name)
    turn, move = (v / np.linalg.norm(v) for v in (draw.normal(size=3), draw.normal(size=3)))
    degrees, mm = turn * FARTHEST_DEG * share, move * FARTHEST_MM * share
    return replace(
        routine,
        rotation_deg=(float(degrees[0]), float(degrees[1]), float(degrees[2])),
        translation_mm=(float(mm[0]), float(mm[1]), float(mm[2])),
        bias_amplitude=0.12,
    )


def _scaled(place: tuple[float, float, float], size: tuple[float, float, float]) -> tuple[float, float, float]:
    x, y, z = (p * s for p, s in zip(place, size, strict=True))
    return (x, y, z)
