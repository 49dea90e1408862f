"""How a virtual patient is scanned: sequence timing, slices, head pose, coil shading and noise, as values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.phantoms.random_fields import stream

Vector = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class SequenceProtocol:
    """One sequence of the exam.

    Attributes:
        contrast: Spin echo, spoiled gradient echo, or inversion recovery with fluid nulled.
        tr_ms, te_ms, ti_ms, flip_deg: Timing; ``ti_ms`` and ``flip_deg`` where the contrast uses them.
        gadolinium: Contrast agent in the tissue relative to the usual dose and time; 0 before it was given.
        matrix: Voxels along i, j, k.
        voxel_mm: In-plane edge along i and j, and the distance of slice centers along k.
        slice_mm: Thickness that one slice integrates; the rest of the distance is gap.
        top_mm: Height of the upper end of the field of view in the head frame.
        angulation_deg: How the slices are tilted by the technologist, about x, y, z of the scanner.
        rotation_deg, translation_mm: Where the head lies: pose of the head in the scanner.
        bias_amplitude: Standard deviation of the logarithm of the coil shading within the brain.
        snr: Signal of white matter over the standard deviation of the noise in each receive channel.
        ghosting: Share of the signal that motion smears along j, the phase-encoding direction.
        gain: Scanner units of a voxel full of fully relaxed water.
    """

    contrast: Literal["spin_echo", "gradient_echo", "fluid_nulled"]
    tr_ms: float
    te_ms: float
    ti_ms: float = 0.0
    flip_deg: float = 90.0
    gadolinium: float = 0.0
    matrix: tuple[int, int, int]
    voxel_mm: Vector
    slice_mm: float
    top_mm: float = 102.0
    angulation_deg: Vector = (0.0, 0.0, 0.0)
    rotation_deg: Vector = (0.0, 0.0, 0.0)
    translation_mm: Vector = (0.0, 0.0, 0.0)
    bias_amplitude: float = 0.10
    snr: float = 40.0
    ghosting: float = 0.0
    gain: float = 2000.0


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The whole exam."""

    seed: int
    sequences: dict[MRSequence, SequenceProtocol]


_ROUTINE = {
    MRSequence.T1GD: SequenceProtocol(
        contrast="gradient_echo",
        tr_ms=9.0,
        te_ms=3.2,
        flip_deg=22.0,
        gadolinium=1.0,
        matrix=(208, 256, 176),
        voxel_mm=(0.94, 0.94, 1.2),
        slice_mm=1.2,
    ),
    MRSequence.T1: SequenceProtocol(
        contrast="spin_echo", tr_ms=520.0, te_ms=12.0, matrix=(256, 256, 30), voxel_mm=(0.9, 0.9, 5.5), slice_mm=5.0
    ),
    MRSequence.T2: SequenceProtocol(
        contrast="spin_echo", tr_ms=4500.0, te_ms=98.0, matrix=(256, 256, 33), voxel_mm=(0.9, 0.9, 5.0), slice_mm=4.5
    ),
    MRSequence.FLAIR: SequenceProtocol(
        contrast="fluid_nulled",
        tr_ms=9000.0,
        te_ms=120.0,
        ti_ms=2450.0,
        matrix=(256, 256, 30),
        voxel_mm=(0.9, 0.9, 5.5),
        slice_mm=5.0,
    ),
}
VIRTUAL_SEQUENCES = tuple(_ROUTINE)
"""What the virtual scanner acquires."""
_BLOCK_MM = 165.0
# Noise and coil shading as measured in the real heads of docs/phantoms.md.
_SNR = {MRSequence.T1GD: (45.0, 95.0)}
_USUAL_SNR = (20.0, 50.0)
_SHADING = {MRSequence.T2: (0.02, 0.06)}
_USUAL_SHADING = (0.03, 0.13)


def draw_clinical_protocol(seed: int, *, thick_t1gd: bool = False) -> Protocol:
    """A routine exam: thick oblique axial slices, the head a little elsewhere in each sequence.

    Args:
        seed: The same seed gives the same exam.
        thick_t1gd: T1Gd as thick spin-echo slices like T1, instead of 3-D.
    """
    draw = stream(seed, "protocol")
    lying = draw.normal(0.0, 1.0, 3) * (5.0, 3.0, 3.0)
    tilt = (float(draw.normal(-8.0, 4.0)), 0.0, 0.0)
    dose = float(draw.uniform(0.75, 1.25))
    sequences = {}
    for sequence, routine in _ROUTINE.items():
        own = stream(seed, "protocol", sequence)
        if sequence is MRSequence.T1GD:
            routine = replace(_ROUTINE[MRSequence.T1] if thick_t1gd else routine, gadolinium=dose)
        if routine.slice_mm > 2.0:
            routine = _other_slices(routine, own, tilt)
        sequences[sequence] = _lying(routine, sequence, own, lying)
    return Protocol(seed=seed, sequences=sequences)


def draw_isotropic_protocol(seed: int) -> Protocol:
    """A research exam: every sequence in 3-D with 1 mm voxels, the head a little elsewhere in each.

    Args:
        seed: The same seed gives the same exam.
    """
    draw = stream(seed, "protocol")
    lying = draw.normal(0.0, 1.0, 3) * (5.0, 3.0, 3.0)
    dose = float(draw.uniform(0.75, 1.25))
    sequences = {}
    for sequence, routine in _ROUTINE.items():
        routine = replace(
            routine,
            matrix=(200, 256, 200),
            voxel_mm=(1.0, 1.0, 1.0),
            slice_mm=1.0,
            gadolinium=dose if routine.gadolinium else 0.0,
        )
        sequences[sequence] = _lying(routine, sequence, stream(seed, "protocol", sequence), lying)
    return Protocol(seed=seed, sequences=sequences)


def registered_protocol(seed: int) -> Protocol:
    """As ``draw_isotropic_protocol``, but one head pose without tilt for all sequences, as after registration."""
    protocol = draw_isotropic_protocol(seed)
    still: dict[MRSequence, SequenceProtocol] = {
        sequence: replace(scan, rotation_deg=(0.0, 0.0, 0.0), translation_mm=(0.0, 0.0, 0.0), ghosting=0.0)
        for sequence, scan in protocol.sequences.items()
    }
    return Protocol(seed=seed, sequences=still)


def without_shading(protocol: Protocol) -> Protocol:
    """The same exam with the shading that a good correction leaves: a seventh."""
    even = {s: replace(scan, bias_amplitude=scan.bias_amplitude / 7.0) for s, scan in protocol.sequences.items()}
    return Protocol(seed=protocol.seed, sequences=even)


def _other_slices(routine: SequenceProtocol, own: np.random.Generator, tilt: Vector) -> SequenceProtocol:
    """Another site's slices: 4.5 to 6 mm apart with up to 1 mm gap, and another in-plane voxel."""
    distance = round(float(own.uniform(4.5, 6.0)), 1)
    edge = round(float(own.uniform(0.89, 0.96)), 2)
    return replace(
        routine,
        matrix=(256, 256, int(np.ceil(_BLOCK_MM / distance))),
        voxel_mm=(edge, edge, distance),
        slice_mm=round(distance - float(own.choice([0.0, 0.5, 1.0])), 1),
        angulation_deg=tilt,
    )


def _lying(
    routine: SequenceProtocol, sequence: MRSequence, own: np.random.Generator, lying: np.ndarray
) -> SequenceProtocol:
    """Where the head lies, and how this scanner shades, hisses and is disturbed."""
    turn = lying + own.normal(0.0, 1.0, 3) * (2.5, 1.5, 2.0)
    move = own.normal(0.0, 1.0, 3) * (3.0, 4.0, 5.0)
    return replace(
        routine,
        tr_ms=routine.tr_ms * float(own.uniform(0.93, 1.07)),
        te_ms=routine.te_ms * float(own.uniform(0.93, 1.07)),
        rotation_deg=(float(turn[0]), float(turn[1]), float(turn[2])),
        translation_mm=(float(move[0]), float(move[1]), float(move[2])),
        bias_amplitude=float(own.uniform(*_SHADING.get(sequence, _USUAL_SHADING))),
        snr=float(own.uniform(*_SNR.get(sequence, _USUAL_SNR))),
        ghosting=float(own.uniform(0.01, 0.03)) if own.uniform() < 0.12 else 0.0,
        gain=float(own.uniform(1400.0, 2600.0)),
    )
