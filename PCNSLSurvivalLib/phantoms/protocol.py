"""How a virtual patient is scanned: sequence timing, slices, head pose, coil shading and noise, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PCNSLSurvivalLib.phantoms.random_fields import stream
from PCNSLSurvivalLib.terms import Sequence

Vector = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class SequenceProtocol:
    """One sequence of the examination.

    Attributes:
        contrast: Spin echo, spoiled gradient echo, or inversion recovery with fluid nulled.
        tr_ms, te_ms, ti_ms, flip_deg: Timing; ``ti_ms`` and ``flip_deg`` where the contrast uses them.
        gadolinium: Whether it is acquired after contrast agent.
        matrix: Voxels along i, j, k.
        voxel_mm: In-plane edge along i and j, and the distance of slice centers along k.
        slice_mm: Thickness that one slice integrates; the rest of the distance is gap.
        angulation_deg: How the slices are tilted by the technologist, about x, y, z of the scanner.
        rotation_deg, translation_mm: Where the head lies: pose of the head in the scanner.
        bias_amplitude: Standard deviation of the logarithm of the coil shading within the brain.
        snr: Signal of white matter over the standard deviation of the noise in each receive channel.
        gain: Scanner units of a voxel full of fully relaxed water.
    """

    contrast: Literal["spin_echo", "gradient_echo", "fluid_nulled"]
    tr_ms: float
    te_ms: float
    ti_ms: float = 0.0
    flip_deg: float = 90.0
    gadolinium: bool = False
    matrix: tuple[int, int, int]
    voxel_mm: Vector
    slice_mm: float
    angulation_deg: Vector = (0.0, 0.0, 0.0)
    rotation_deg: Vector = (0.0, 0.0, 0.0)
    translation_mm: Vector = (0.0, 0.0, 0.0)
    bias_amplitude: float = 0.10
    snr: float = 40.0
    gain: float = 1000.0


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The whole examination."""

    seed: int
    sequences: dict[Sequence, SequenceProtocol]


def draw_clinical_protocol(seed: int) -> Protocol:
    """A routine examination: 3-D T1Gd, thick axial slices for the rest, the head a little elsewhere each time.

    Args:
        seed: The same seed gives the same examination.
    """
    draw = stream(seed, "protocol")
    lying = draw.normal(0.0, 1.0, 3) * (5.0, 3.0, 3.0)
    tilt = (float(draw.normal(-8.0, 4.0)), 0.0, 0.0)

    def scan(sequence: Sequence, **settings: object) -> SequenceProtocol:
        own = stream(seed, "protocol", sequence)
        turn = lying + own.normal(0.0, 1.0, 3) * (2.5, 1.5, 2.0)
        move = own.normal(0.0, 1.0, 3) * (3.0, 4.0, 5.0)
        return SequenceProtocol(
            rotation_deg=(float(turn[0]), float(turn[1]), float(turn[2])),
            translation_mm=(float(move[0]), float(move[1]), float(move[2])),
            bias_amplitude=float(own.uniform(0.06, 0.14)),
            snr=float(own.uniform(25.0, 55.0)),
            gain=float(own.uniform(1400.0, 2600.0)),
            **settings,  # type: ignore[arg-type]
        )

    thick = {"matrix": (256, 256, 28), "voxel_mm": (0.9, 0.9, 5.5), "slice_mm": 5.0, "angulation_deg": tilt}
    thin = {"matrix": (256, 256, 30), "voxel_mm": (0.9, 0.9, 5.0), "slice_mm": 4.5, "angulation_deg": tilt}
    return Protocol(
        seed=seed,
        sequences={
            Sequence.T1GD: scan(
                Sequence.T1GD,
                contrast="gradient_echo",
                tr_ms=9.0,
                te_ms=3.2,
                flip_deg=22.0,
                gadolinium=True,
                matrix=(208, 256, 176),
                voxel_mm=(0.94, 0.94, 1.2),
                slice_mm=1.2,
            ),
            Sequence.T1: scan(Sequence.T1, contrast="spin_echo", tr_ms=520.0, te_ms=12.0, **thick),
            Sequence.T2: scan(Sequence.T2, contrast="spin_echo", tr_ms=4500.0, te_ms=98.0, **thin),
            Sequence.FLAIR: scan(
                Sequence.FLAIR, contrast="fluid_nulled", tr_ms=9000.0, te_ms=120.0, ti_ms=2450.0, **thick
            ),
        },
    )
