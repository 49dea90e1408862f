"""Random tumors, and lesions that are none: irregular blobs with every pattern of enhancement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.phantoms.anatomy.shapes import Point, Volume
from PCNSLSurvivalLib.phantoms.random_fields import smooth_noise
from PCNSLSurvivalLib.phantoms.randomized.appearance import T1Weighting

Pattern = Literal["solid", "ring", "patchy", "specks", "none", "infarct"]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True, kw_only=True)
class Tumor:
    """One lesion. An "infarct" is old, dark, and belongs to no mask.

    Attributes:
        center_mm: Middle in mm of the target grid.
        volume_ml: Volume of its core (enhancing and not).
        pattern: Where it enhances.
        signal: Of the enhancing part, relative to white matter.
        rest_signal: Of what does not enhance: necrosis or solid tumor.
        elongation: Length along x, y, z relative to a ball.
        roughness: Standard deviation of its bumps, relative to its radius.
        edge_mm: Width over which it fades.
        rim_mm: Thickness of the ring.
        enhancing_share: Of its core, for the patterns "patchy" and "specks".
        edema_mm: How far edema reaches; 0 for none.
        edema_signal: Relative to white matter.
        hemorrhage: Whether part of the rest is bright on T1.
        mass_effect: Share of its volume that displaced brain.
    """

    center_mm: Point
    volume_ml: float
    pattern: Pattern
    signal: float
    rest_signal: float
    elongation: Point
    roughness: float
    edge_mm: float
    rim_mm: float
    enhancing_share: float
    edema_mm: float
    edema_signal: float
    hemorrhage: bool
    mass_effect: float

    @property
    def radius_mm(self) -> float:
        """Radius of the ball of the same volume."""
        return float(np.cbrt(self.volume_ml * 3000.0 / (4.0 * np.pi)))


@dataclass(frozen=True, eq=False)
class Canvas:
    """What lesions are painted on; every array (K, J, I) on ``grid`` and changed in place.

    Attributes:
        grid: The target grid.
        signal: Relative to white matter.
        white: Share of white matter.
        room: Share of a voxel that a tumor can fill.
        enhancing, core: Share of enhancing tumor, and of tumor without edema.
        normal: Share of normal structures that enhance; a tumor replaces them.
    """

    grid: Grid
    signal: Volume
    white: Volume
    room: Volume
    enhancing: Volume
    core: Volume
    normal: Volume


def draw_tumors(draw: np.random.Generator, count: int, weighting: T1Weighting) -> list[Tumor]:
    """Tumors of one patient, alike in pattern; their places are chosen later, so all lie at the origin."""
    first = _draw_tumor(draw, float(10 ** draw.uniform(-0.5, 2.3)), weighting)
    tumors = [first]
    for _ in range(count - 1):
        like = _draw_tumor(draw, float(np.clip(first.volume_ml * 10 ** draw.uniform(-1.5, 0.0), 0.1, 30.0)), weighting)
        tumors.append(like)
    return tumors


def draw_infarct(draw: np.random.Generator, weighting: T1Weighting) -> Tumor:
    """An old defect filled with fluid, or a lacune."""
    tumor = _draw_tumor(draw, float(10 ** draw.uniform(-1.0, 1.5)), weighting)
    values = {**tumor.__dict__, "pattern": "infarct", "rest_signal": float(draw.uniform(0.1, 0.7)), "mass_effect": 0.0}
    values |= {"edema_mm": float(draw.choice((0.0, draw.uniform(1, 6)))), "hemorrhage": False}
    return Tumor(**values)


def _draw_tumor(draw: np.random.Generator, volume_ml: float, weighting: T1Weighting) -> Tumor:
    patterns: tuple[Pattern, ...] = ("solid", "ring", "patchy", "specks", "none")
    pattern = patterns[int(draw.choice(len(patterns), p=_chances(volume_ml)))]
    edema_signal = weighting.relative(weighting.white_t1_ms * float(draw.uniform(1.1, 2.4)), protons=0.83)
    necrotic = draw.uniform() < 0.65
    rest_t1 = draw.uniform(1500, 3500) if necrotic else draw.uniform(1.2, 2.2) * weighting.white_t1_ms
    rest_signal = weighting.relative(float(rest_t1), protons=0.88)
    t1, dose = float(draw.uniform(1000, 1800)), float(np.exp(draw.uniform(np.log(0.06), np.log(0.9))))
    signal = weighting.relative(t1, protons=0.85, gadolinium_mmol_l=dose)
    # Enhancement that cannot be seen is none; the faintest is a tenth above its surroundings.
    signal = max(signal, 1.1 * max(edema_signal, rest_signal))
    radius = np.cbrt(volume_ml * 3000.0 / (4.0 * np.pi))
    long = np.exp(draw.normal(0.0, 0.22, 3))
    long /= np.cbrt(np.prod(long))
    edema = draw.uniform() < 0.8
    return Tumor(
        center_mm=(0.0, 0.0, 0.0),
        volume_ml=volume_ml,
        pattern=pattern,
        signal=signal,
        rest_signal=rest_signal,
        elongation=(float(long[0]), float(long[1]), float(long[2])),
        roughness=float(draw.uniform(0.03, 0.35)),
        edge_mm=float(np.exp(draw.uniform(np.log(1.0), np.log(5.0)))),
        rim_mm=float(np.clip(np.exp(draw.uniform(np.log(1.5), np.log(9.0))), 1.2, 0.8 * radius)),
        enhancing_share=float(draw.uniform(0.15, 0.75) if pattern == "patchy" else draw.uniform(0.01, 0.12)),
        edema_mm=float(draw.uniform(3.0, 30.0)) if edema else 0.0,
        edema_signal=edema_signal,
        hemorrhage=bool(draw.uniform() < 0.12),
        mass_effect=float(draw.uniform(0.0, 0.7)),
    )


def _chances(volume_ml: float) -> tuple[float, ...]:
    """How often a tumor is solid, a ring, patchy, specks or does not enhance; large ones have lost their middle."""
    if volume_ml > 10.0:
        return (0.25, 0.50, 0.15, 0.03, 0.07)
    return (0.33, 0.37, 0.15, 0.05, 0.10) if volume_ml > 1.0 else (0.7, 0.2, 0.05, 0.0, 0.05)


def paint(tumor: Tumor, canvas: Canvas, draw: np.random.Generator) -> float:
    """Grow one lesion on the canvas.

    It takes the voxels nearest to its center, by a distance that elongation stretches and random bumps disturb, until
    its volume is reached.

    Returns:
        Volume of its enhancing part in mL.
    """
    radius = tumor.radius_mm
    box, local = _around(tumor, canvas.grid, reach_mm=1.9 * radius + 5.0 + tumor.edema_mm)
    if any(s.stop - s.start < 2 for s in box):
        return 0.0
    room, white = canvas.room[box], canvas.white[box]
    distance = _distance(tumor, local, draw)
    distance -= _radius_for(distance, room, tumor.volume_ml, canvas.grid.voxel_volume_ml)
    core = _cover(distance, tumor.edge_mm) * room
    signal, normal = canvas.signal[box], canvas.normal[box]
    if tumor.edema_mm:
        fingers = distance - np.float32(0.3 * tumor.edema_mm) * smooth_noise(local, draw, scale_mm=13.0)
        reach = np.sqrt(np.clip(1.0 - fingers / np.float32(tumor.edema_mm), 0.0, 1.0))
        edema = np.minimum(reach * 1.4, 1.0) * white * np.float32(draw.uniform(0.6, 1.0))
        signal += edema * np.minimum(np.float32(tumor.edema_signal) - signal, 0.0)
    share = _enhancing(tumor, distance, local, draw)
    texture = smooth_noise(local, draw, scale_mm=float(draw.uniform(3.0, 9.0)))
    uneven = np.float32(draw.uniform(0.0, 0.18)) * texture
    rest = np.full_like(core, tumor.rest_signal) * (1 - uneven)
    if draw.uniform() < 0.5:  # islands of living tumor that does not enhance, in the middle of necrosis
        islands = np.clip(
            smooth_noise(local, draw, scale_mm=float(draw.uniform(4.0, 12.0))) * 2.0 + draw.uniform(-1.5, 0.5), 0.0, 1.0
        )
        rest += islands * (np.float32(tumor.edema_signal) - rest)
    if tumor.hemorrhage:
        clot = np.clip(2.0 * smooth_noise(local, draw, scale_mm=8.0) - 1.0, 0.0, 1.0)
        rest += clot * (np.float32(draw.uniform(1.2, 2.0)) - rest)
    bright = np.float32(tumor.signal) * (1 + uneven)
    signal += core * (share * bright + (1 - share) * rest - signal)
    normal *= 1.0 - core
    if tumor.pattern == "infarct":
        return 0.0
    enhancing, whole = canvas.enhancing[box], canvas.core[box]
    enhancing *= 1.0 - core
    enhancing += core * share
    np.maximum(whole, core, out=whole)
    return float(np.count_nonzero(core * share >= 0.5)) * canvas.grid.voxel_volume_ml


def _enhancing(tumor: Tumor, distance: Volume, local: Grid, draw: np.random.Generator) -> Volume:
    """Share of the core that enhances."""
    if tumor.pattern in ("none", "infarct"):
        return np.zeros_like(distance)
    if tumor.pattern == "solid":
        holes = smooth_noise(local, draw, scale_mm=6.0) if draw.uniform() < 0.3 else None
        solid = np.ones_like(distance)
        return solid if holes is None else np.asarray(np.clip(2.5 - holes, 0.0, 1.0), np.float32)
    if tumor.pattern == "ring":
        uneven = np.exp(
            np.float32(draw.uniform(0.1, 0.8)) * smooth_noise(local, draw, scale_mm=float(draw.uniform(6.0, 16.0)))
        )
        share = _cover(-distance - np.float32(tumor.rim_mm) * uneven, float(draw.uniform(1.0, 3.0)))
        if draw.uniform() < 0.35:  # septa
            septa = np.abs(smooth_noise(local, draw, scale_mm=14.0))
            share = np.maximum(share, np.clip(1.5 - septa * np.float32(draw.uniform(8.0, 20.0)), 0.0, 1.0))
        if draw.uniform() < 0.35:  # an open ring
            share = share * np.clip(1.5 + 2.0 * smooth_noise(local, draw, scale_mm=18.0), 0.0, 1.0)
        return np.asarray(share, np.float32)
    scale = float(draw.uniform(4.0, 12.0)) if tumor.pattern == "patchy" else float(draw.uniform(3.0, 6.0))
    noise = smooth_noise(local, draw, scale_mm=scale)
    level = np.quantile(noise[distance < 0], 1.0 - tumor.enhancing_share) if np.any(distance < 0) else 0.0
    return np.asarray(np.clip(0.5 + 3.0 * (noise - np.float32(level)), 0.0, 1.0), np.float32)


def _cover(distance: Volume, edge_mm: float) -> Volume:
    return np.asarray(np.clip(0.5 - distance / np.float32(edge_mm), 0.0, 1.0), np.float32)


def _distance(tumor: Tumor, local: Grid, draw: np.random.Generator) -> Volume:
    axes = [
        (o + s * np.arange(n, dtype=np.float32) - c) / e
        for o, s, n, c, e in zip(
            local.origin_lps_mm, local.spacing_mm, local.size, tumor.center_mm, tumor.elongation, strict=True
        )
    ]
    x, y, z = axes[0][None, None], axes[1][None, :, None], axes[2][:, None, None]
    distance = np.sqrt(x * x + y * y + z * z).astype(np.float32)
    radius = tumor.radius_mm
    for scale_mm, share in ((max(1.1 * radius, 5.0), 1.0), (max(0.45 * radius, 4.0), 0.4)):
        distance += np.float32(tumor.roughness * radius * share) * smooth_noise(
            local, draw, scale_mm=scale_mm, cubic=True
        )
    return distance


def _radius_for(distance: Volume, room: Volume, volume_ml: float, voxel_ml: float) -> np.float32:
    """The distance within which the room adds up to the volume."""
    near = distance < np.cbrt(volume_ml * 1000.0) * 2.0 + 5.0
    values, weights = distance[near], room[near]
    if not len(values):
        return np.float32(0.0)
    counts, edges = np.histogram(values, bins=400, weights=weights)
    index = int(np.searchsorted(np.cumsum(counts) * voxel_ml, volume_ml))
    return np.float32(edges[min(index + 1, len(edges) - 1)])


def _around(tumor: Tumor, grid: Grid, *, reach_mm: float) -> tuple[Box, Grid]:
    """The part of the grid that the lesion can reach."""
    slices, size, origin = [], [], []
    for n in range(3):
        start = (tumor.center_mm[n] - reach_mm - grid.origin_lps_mm[n]) / grid.spacing_mm[n]
        stop = (tumor.center_mm[n] + reach_mm - grid.origin_lps_mm[n]) / grid.spacing_mm[n]
        first = int(np.clip(np.floor(start), 0, grid.size[n]))
        last = int(np.clip(np.ceil(stop), first, grid.size[n]))
        slices.append(slice(first, last))
        size.append(last - first)
        origin.append(grid.origin_lps_mm[n] + first * grid.spacing_mm[n])
    local = Grid((size[0], size[1], size[2]), grid.spacing_mm, (origin[0], origin[1], origin[2]), grid.direction_lps)
    return (slices[2], slices[1], slices[0]), local
