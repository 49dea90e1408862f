"""One random head: a person, moved and bent, with random lesions, scanned at random, prepared for the network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.phantoms.anatomy.shapes import Volume
from PCNSLSurvivalLib.phantoms.random_fields import refine, smooth_noise, stream
from PCNSLSurvivalLib.phantoms.randomized.anatomies import (
    DEPTH_AT_SURFACE,
    DEPTH_PER_MM,
    Anatomies,
    SourceAnatomy,
)
from PCNSLSurvivalLib.phantoms.randomized.appearance import (
    Acquisition,
    Contrast,
    acquire,
    draw_acquisition,
    draw_contrast,
)
from PCNSLSurvivalLib.phantoms.randomized.brain_edge import layers_outside, random_brain_mask
from PCNSLSurvivalLib.phantoms.randomized.structures import VEINS_PER_MM
from PCNSLSurvivalLib.phantoms.randomized.tumors import Box, Canvas, Tumor, draw_infarct, draw_tumors, paint

CLIP = (-6.0, 12.0)
"""Range of prepared values, as ``NormalizationStep`` has it."""
_Value = TypeVar("_Value", bound=np.generic)
_ROOM_MM = 9.0
_COARSE_MM = 4.0


@dataclass(frozen=True, eq=False)
class RandomHead:
    """A prepared T1Gd volume with its truth; arrays (I, J, K), indices to left, posterior, superior.

    Attributes:
        image: ``float32``, normalized as the preparation does it, 0 outside the brain mask.
        brain: ``float32``, share of each voxel inside the brain mask (which errs as real ones do).
        enhancing: ``bool``, enhancing tumor.
        core: ``bool``, enhancing tumor, necrosis and tumor that does not enhance; without edema.
        structures: ``bool``, vessels, dura and other normal structures brighter than white matter.
        spacing_mm: Voxel edges.
        tumors: What was planned; infarcts are not among them.
        enhancing_ml: Volume of ``enhancing``.
        core_ml: Volume of ``core``.
        contrast: How the tissues differ.
        acquisition: What the scanner did.
    """

    image: NDArray[np.float32]
    brain: NDArray[np.float32]
    enhancing: NDArray[np.bool_]
    core: NDArray[np.bool_]
    structures: NDArray[np.bool_]
    spacing_mm: tuple[float, float, float]
    tumors: tuple[Tumor, ...]
    enhancing_ml: float
    core_ml: float
    contrast: Contrast
    acquisition: Acquisition


def draw_head(
    seed: int,
    anatomies: Anatomies,
    *,
    size: tuple[int, int, int] = (128, 128, 128),
    spacing_mm: tuple[float, float, float] = (1.5, 1.5, 1.5),
    tumors: int | None = None,
) -> RandomHead:
    """Make one head; about half a second on one core.

    Args:
        seed: The same seed and people give the same head, to the last voxel.
        anatomies: The people to draw from.
        size: Voxels along i, j, k; the recipe's network block by default.
        spacing_mm: Voxel edges; 1 mm and more.
        tumors: Number of tumors, 0 for a head without; drawn if left out (none in one head of eight, several in one of
            three).
    """
    draw = stream(seed, "random head")
    grid = Grid.axis_aligned(center_lps_mm=np.zeros(3), size=size, spacing_mm=spacing_mm)
    person = anatomies.people[int(draw.integers(len(anatomies.people)))]
    coarse = grid.with_spacing((_COARSE_MM,) * 3)
    points = _points(coarse)
    move = _draw_move(person, draw)
    bend = _draw_bend(coarse, draw)
    source = move(points) + bend
    contrast, acquisition = draw_contrast(draw), draw_acquisition(draw)
    count = (
        tumors if tumors is not None else int(draw.choice((0, 1, 2, 3, 4, 6), p=(0.12, 0.55, 0.13, 0.1, 0.06, 0.04)))
    )
    planned = _placed(draw_tumors(draw, count, contrast.weighting) if count else [], person, source, points, draw)
    old = int(draw.choice((0, 1, 2), p=(0.8, 0.15, 0.05)))
    infarcts = _placed([draw_infarct(draw, contrast.weighting) for _ in range(old)], person, source, points, draw)
    source = move(points - _mass_effect(points, planned)) + bend
    box, local = _reached(person, source, coarse, grid)
    maps, structure = _sampled(person, [refine(np.ascontiguousarray(source[..., n]), coarse, local) for n in range(3)])

    depth = maps[2]
    canvas = _tissue(maps, structure, local, contrast, draw)
    for lesion in infarcts:
        paint(lesion, canvas, draw)
    for lesion in planned:
        paint(lesion, canvas, draw)
    layers_outside(canvas, depth, contrast, draw)
    canvas.signal[...] = np.maximum(canvas.signal, 0.01) ** np.float32(contrast.gamma)
    seen = acquire(canvas.signal, local, acquisition, draw)
    fluid = np.clip(1.0 - maps[0] - maps[1], 0.0, 1.0)
    mask = random_brain_mask(depth, fluid, local, draw)
    inside = mask >= 0.5
    image = _normalized(seen, inside) * mask
    enhancing, core = (canvas.enhancing >= 0.5) & inside, (canvas.core >= 0.5) & inside
    normal = (canvas.normal >= 0.4) & inside & ~core
    return RandomHead(
        image=_into(grid, box, image),
        brain=_into(grid, box, mask),
        enhancing=_into(grid, box, enhancing),
        core=_into(grid, box, core),
        structures=_into(grid, box, normal),
        spacing_mm=spacing_mm,
        tumors=tuple(planned),
        enhancing_ml=float(np.count_nonzero(enhancing)) * grid.voxel_volume_ml,
        core_ml=float(np.count_nonzero(core)) * grid.voxel_volume_ml,
        contrast=contrast,
        acquisition=acquisition,
    )


def _points(grid: Grid) -> NDArray[np.float64]:
    k, j, i = np.meshgrid(*[np.arange(n) for n in grid.size[::-1]], indexing="ij")
    return grid.index_to_lps(np.stack([i, j, k], axis=-1))


@dataclass(frozen=True)
class _Move:
    """Affine map from mm of the target to mm of the source."""

    matrix: NDArray[np.float64]
    center: NDArray[np.float64]

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return points @ self.matrix.T + self.center


def _draw_move(person: SourceAnatomy, draw: np.random.Generator) -> _Move:
    """Pose, size, proportions, shear, and the mirror in one head of two."""
    a, b, c = np.radians(draw.normal(0.0, (7.0, 4.0, 4.0)))
    turn = (
        np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
        @ np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
        @ np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    )
    scale = np.exp(draw.normal(0.0, 0.03) + draw.normal(0.0, 0.025, 3))
    scale[0] *= draw.choice((-1.0, 1.0))
    shear = np.eye(3) + draw.normal(0.0, 0.02, (3, 3)) * (1 - np.eye(3))
    inside = person.depth[::4, ::4, ::4] < DEPTH_AT_SURFACE
    center = np.argwhere(inside).mean(axis=0)[::-1] * 4.0 + person.origin_lps_mm + draw.normal(0.0, 1.5, 3)
    return _Move(np.diag(1.0 / scale) @ turn @ shear, center)


def _draw_bend(coarse: Grid, draw: np.random.Generator) -> NDArray[np.float64]:
    wide, narrow = draw.uniform(0.0, 3.5), draw.uniform(0.0, 1.3)
    parts = [
        np.float32(wide) * smooth_noise(coarse, draw, scale_mm=45.0, cubic=True)
        + np.float32(narrow) * smooth_noise(coarse, draw, scale_mm=20.0, cubic=True)
        for _ in range(3)
    ]
    return np.stack(parts, axis=-1).astype(np.float64)


def _placed(
    tumors: list[Tumor],
    person: SourceAnatomy,
    source: NDArray[np.float64],
    points: NDArray[np.float64],
    draw: np.random.Generator,
) -> list[Tumor]:
    """Give every lesion a place in the parenchyma: half deep in white matter, a third at the cortex."""
    placed = []
    for tumor in tumors:
        wish = draw.choice(("white", "any", "edge"), p=(0.4, 0.25, 0.35))
        for _ in range(60):
            k, j, i = (int(draw.integers(n)) for n in person.structure.shape)
            gray, white, depth = (int(v) for v in person.lanes[k, j, i, :3])
            deep = (DEPTH_AT_SURFACE - depth) / DEPTH_PER_MM
            if gray + white < 140 or deep < 1 or (wish == "white" and white < 140) or (wish == "edge" and deep > 12):
                continue
            break
        wanted = np.array([i, j, k]) + person.origin_lps_mm
        nearest = np.argmin(np.sum((source - wanted) ** 2, axis=-1))
        x, y, z = (float(v) for v in points.reshape(-1, 3)[nearest] + draw.uniform(-1.5, 1.5, 3))
        placed.append(replace(tumor, center_mm=(x, y, z)))
    return placed


def _mass_effect(points: NDArray[np.float64], tumors: list[Tumor]) -> NDArray[np.float64]:
    shift = np.zeros_like(points)
    for tumor in tumors:
        if tumor.radius_mm * tumor.mass_effect < 2.0:
            continue
        offset = points - np.asarray(tumor.center_mm)
        r = np.linalg.norm(offset, axis=-1, keepdims=True) + 1e-6
        before = np.cbrt(np.maximum(r**3 - tumor.mass_effect * tumor.radius_mm**3, (0.6 * r) ** 3))
        # Growth that pushes fades with distance: the skull gives no room.
        shift += offset / r * (r - before) * np.exp(-r / 60.0)
    return shift


def _reached(person: SourceAnatomy, source: NDArray[np.float64], coarse: Grid, grid: Grid) -> tuple[Box, Grid]:
    """The block of the target that the brain and its surroundings can reach."""
    index = np.rint(source - person.origin_lps_mm).astype(int)
    shape = np.asarray(person.structure.shape[::-1])
    valid = np.all((index >= 0) & (index < shape), axis=-1)
    index = np.clip(index, 0, shape - 1)
    depth = person.depth[index[..., 2], index[..., 1], index[..., 0]]
    near = valid & (depth < DEPTH_AT_SURFACE + DEPTH_PER_MM * _ROOM_MM)
    kji = np.argwhere(near)
    low = coarse.index_to_lps((kji.min(axis=0) - 1.0)[::-1])
    high = coarse.index_to_lps((kji.max(axis=0) + 1.0)[::-1])
    first = np.clip(np.floor(grid.lps_to_index(low)), 0, np.asarray(grid.size) - 2).astype(int)
    last = np.clip(np.ceil(grid.lps_to_index(high)) + 1, first + 2, grid.size).astype(int)
    origin = grid.index_to_lps(first.astype(float))
    size = (int(last[0] - first[0]), int(last[1] - first[1]), int(last[2] - first[2]))
    box = tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))[::-1]
    local = Grid(size, grid.spacing_mm, (origin[0], origin[1], origin[2]), grid.direction_lps)
    return cast(Box, box), local


def _sampled(person: SourceAnatomy, source: list[Volume]) -> tuple[list[Volume], NDArray[np.uint8]]:
    """The five maps, interpolated linearly: shares, depth and vein distance in mm; and the structure, nearest."""
    shape = source[0].shape
    index = [source[n] - np.float32(person.origin_lps_mm[n]) for n in range(3)]
    count = person.structure.shape[::-1]
    nearest = [np.rint(i).astype(np.int32) for i in index]
    inside = np.ones(shape, np.bool_)
    for axis, n in zip(nearest, count, strict=True):
        inside &= (axis >= 0) & (axis < n)
        np.clip(axis, 0, n - 1, out=axis)
    flat_nearest = (nearest[2] * count[1] + nearest[1]) * count[0] + nearest[0]
    inside &= person.depth.reshape(-1)[flat_nearest] < DEPTH_AT_SURFACE + DEPTH_PER_MM * _ROOM_MM
    first, weight = [], []
    for n in range(3):
        exact = np.clip(index[n][inside], 0, count[n] - 1.001)
        whole = exact.astype(np.int32)
        first.append(whole)
        weight.append(exact - whole)
    corner = (first[2] * count[1] + first[1]) * count[0] + first[0]
    # Four maps lie in one number of four 16-bit lanes; weights of 256ths that add up to 256 keep them apart.
    packed = person.packed.reshape(-1)
    left = np.full(len(corner), 256, np.uint64)
    total = np.zeros(len(corner), np.uint64)
    for number in range(7, -1, -1):
        dk, dj, di = number >> 2, (number >> 1) & 1, number & 1
        if number:
            part = np.float32(256) * (weight[2] if dk else 1 - weight[2])
            part *= weight[1] if dj else 1 - weight[1]
            part *= weight[0] if di else 1 - weight[0]
            share = part.astype(np.uint64)
            left -= share
        else:
            share = left
        total += share * packed[corner + ((dk * count[1] + dj) * count[0] + di)]
    lanes = total.view(np.uint16).reshape(-1, 4)
    fill = (0.0, 0.0, DEPTH_AT_SURFACE + DEPTH_PER_MM * _ROOM_MM, 0.0)
    maps = []
    for n in range(4):
        values = np.full(shape, fill[n], np.float32)
        values[inside] = lanes[:, n] * np.float32(1 / 256)
        maps.append(values)
    depth = (maps[2] - np.float32(DEPTH_AT_SURFACE)) / np.float32(DEPTH_PER_MM)
    shares = [maps[n] / np.float32(255) for n in (0, 1, 3)]
    structure = np.where(inside, person.structure.reshape(-1)[flat_nearest], 0).astype(np.uint8)
    veins = np.where(inside, person.veins.reshape(-1)[flat_nearest], 255) * np.float32(1 / VEINS_PER_MM)
    return [shares[0], shares[1], depth, shares[2], veins.astype(np.float32)], structure


def _tissue(
    maps: list[Volume], structure: NDArray[np.uint8], local: Grid, contrast: Contrast, draw: np.random.Generator
) -> Canvas:
    """The healthy head: tissue, its unevenness, white-matter lesions, and what enhances in it."""
    gray, white, depth, share, veins = maps
    fluid = np.clip(1.0 - gray - white, 0.0, 1.0)
    uneven = np.float32(draw.uniform(0.0, 0.05)) * smooth_noise(local, draw, scale_mm=25.0)
    fine = smooth_noise(local, draw, scale_mm=4.0)
    signal = white + np.float32(contrast.gray) * gray * (1 + np.float32(draw.uniform(0, 0.05)) * fine)
    signal *= 1 + uneven
    if draw.uniform() < 0.4:  # hyperintensities of the aging white matter, dark on T1
        spots = np.clip(
            smooth_noise(local, draw, scale_mm=float(draw.uniform(5, 10))) * 1.6 - draw.uniform(1.9, 3.2), 0, 1
        )
        signal -= spots * white * np.float32(draw.uniform(0.1, 0.5))
    signal += np.float32(contrast.fluid) * fluid

    bright = np.zeros(9, np.float32)
    for kind, brightness in contrast.structures.items():
        bright[kind] = brightness
    value = bright[structure]
    amount = np.clip(share * np.float32(draw.uniform(0.7, 1.6)), 0.0, 1.0) * (value > 0)
    signal += amount * (value - signal)
    normal = amount * (value > max(1.05, contrast.gray))
    if draw.uniform() < 0.85:
        width = np.float32(np.exp(draw.uniform(np.log(0.25), np.log(1.2))))
        shallow = np.clip(1.0 - np.abs(depth + 4.0) / 10.0, 0.0, 1.0) * (0.4 + fluid) + np.float32(
            draw.choice((0.0, 0.5))
        )
        some = np.clip(0.5 + smooth_noise(local, draw, scale_mm=22.0), 0.0, 1.2)
        net = np.clip((width * shallow * some - veins) / np.float32(local.spacing_mm[0]) + 0.5, 0.0, 1.0)
        net *= np.minimum(1.0, width * some)
        net *= shallow * some > 0.15
        signal += net * np.maximum(np.float32(contrast.veins) - signal, 0.0)
        if contrast.veins > 1.05:
            np.maximum(normal, net, out=normal)
    swallow = np.float32(draw.uniform(0.2, 1.0)) * np.clip((depth + 18.0) / 6.0, 0.1, 1.0)
    room = np.clip(gray + white + swallow * fluid, 0.0, 1.0) * (depth < 0.5)
    return Canvas(
        grid=local,
        signal=signal,
        white=white,
        room=np.asarray(room, np.float32),
        enhancing=np.zeros_like(signal),
        core=np.zeros_like(signal),
        normal=np.asarray(normal, np.float32),
    )


def _normalized(seen: Volume, inside: NDArray[np.bool_]) -> Volume:
    """Median of the brain 0, robust standard deviation 1, as ``preprocessing.steps.normalization`` does it."""
    low, middle, high = (float(v) for v in np.quantile(seen[inside], (0.25, 0.5, 0.75)))
    scaled = (seen - np.float32(middle)) * np.float32(1.349 / max(high - low, 1e-6))
    return np.asarray(np.clip(scaled, *CLIP), np.float32)


def _into(grid: Grid, box: Box, values: NDArray[_Value]) -> NDArray[_Value]:
    """Onto the whole block, axes (i, j, k)."""
    whole = np.zeros(grid.size[::-1], values.dtype)
    whole[box] = values
    return np.ascontiguousarray(whole.transpose(2, 1, 0))
