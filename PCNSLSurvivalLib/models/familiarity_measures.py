"""Simple measures of a prepared scan, by which it is compared with the scans a model was trained on.

They come in groups, because foreign scans differ in different ways: a CT in its brightness, noise in its texture, a
cut scan in its shape, smoothed noise inside a brain's outline in its anatomy alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence

Vector = NDArray[np.float64]
FloatMap = NDArray[np.float32]

GROUPS = ("brightness", "texture", "shape", "anatomy")

_LEVELS = (
    (Message("word.darkest"), 0.02),
    (Message("word.dark"), 0.25),
    (Message("word.middle"), 0.5),
    (Message("word.bright"), 0.75),
    (Message("word.brightest"), 0.98),
)
_SCALES = ((Message("word.fine"), 1), (Message("word.coarse"), 4))
"""Words, and voxels apart."""
_SHAPE = (
    Message("measure.left_right_size"),
    Message("measure.front_back_size"),
    Message("measure.head_foot_size"),
    Message("measure.fullness"),
    Message("measure.symmetry"),
)
_ANATOMY_EDGE = 32
"""Cells along each edge on which anatomy is judged: coarse enough for a person's own gyri not to matter."""

_FOREIGN = 1e6
"""Stands for every measure of an empty case: farther out than any scan."""


def measure_names(sequences: Sequence[MRSequence]) -> dict[str, list[Message]]:
    """What ``measures_of`` measures, in words, in its order, for each group of ``GROUPS``."""
    return {
        "brightness": [
            Message("measure.brightness", level=level, sequence=s) for s in sequences for level, _ in _LEVELS
        ],
        "texture": [Message("measure.roughness", scale=scale, sequence=s) for s in sequences for scale, _ in _SCALES],
        "shape": list(_SHAPE),
        "anatomy": [name for sequence in sequences for name in _anatomy_names(sequence)],
    }


def _anatomy_names(sequence: MRSequence) -> tuple[Message, ...]:
    return (
        Message("measure.left_right_likeness", sequence=sequence),
        Message("measure.rim", sequence=sequence),
        Message("measure.core", sequence=sequence),
    )


def measures_of(case: FloatMap) -> dict[str, Vector]:
    """Measure a prepared case.

    Args:
        case: (C, I, J, K) prepared input, 0 outside the brain; I runs from right to left.

    Returns:
        For each group of ``GROUPS`` as many numbers as ``measure_names`` has words.
    """
    inside = case[0] != 0
    if not inside.any():
        names = measure_names(list(MRSequence)[: len(case)])
        return {group: np.full(len(words), _FOREIGN) for group, words in names.items()}
    corners = np.array([np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis})))[[0, -1]] for axis in range(3)])
    extent = (corners[:, 1] - corners[:, 0] + 1) / np.array(inside.shape)
    box = inside[tuple(slice(first, last + 1) for first, last in corners)]
    return {
        "brightness": np.concatenate(
            [np.quantile(channel[inside], [level for _, level in _LEVELS]) for channel in case]
        ),
        "texture": np.concatenate([_roughness(channel, inside) for channel in case]),
        "shape": np.array([*extent, box.mean(), np.mean(box == box[::-1])]),
        "anatomy": np.concatenate([_anatomy(channel, inside) for channel in case]),
    }


def _roughness(channel: FloatMap, inside: NDArray[np.bool_]) -> list[float]:
    """Mean step between neighbors, one and four voxels apart, over the spread of all: 0 smooth, above 1 noise."""
    spread = float(channel[inside].std()) + 1e-6
    return [_step(channel, inside, apart) / spread for _, apart in _SCALES]


def _step(channel: FloatMap, inside: NDArray[np.bool_], apart: int) -> float:
    steps = []
    for axis in range(3):
        values, there = np.moveaxis(channel, axis, 0), np.moveaxis(inside, axis, 0)
        both = there[apart:] & there[:-apart]
        if both.any():
            steps.append(float(np.abs(values[apart:] - values[:-apart])[both].mean()))
    return float(np.mean(steps)) if steps else 0.0


def _anatomy(channel: FloatMap, inside: NDArray[np.bool_]) -> list[float]:
    """What the plan of every brain shares: two sides alike, fluid around it, white matter and ventricles within.

    Returns:
        Correlation with the mirrored brain, and the mean of the outer and the inner third by depth over that of
        the middle third, in standard deviations of the brain.
    """
    values, share = _coarse(channel * inside), _coarse(inside.astype(np.float32))
    brain = share > 0.5
    if np.count_nonzero(brain) < 3:
        return [0.0, 0.0, 0.0]
    values = np.where(brain, values / np.maximum(share, 0.5), 0.0)
    values = np.where(brain, (values - values[brain].mean()) / (values[brain].std() + 1e-6), 0.0)
    both = brain & brain[::-1]
    left, right = gaussian_filter(values, 0.7)[both], gaussian_filter(values[::-1], 0.7)[both]
    alike = float(np.corrcoef(left, right)[0, 1]) if both.sum() > 2 and left.std() > 0 and right.std() > 0 else 0.0
    depth = distance_transform_edt(np.pad(brain, 1))[1:-1, 1:-1, 1:-1]
    outer, inner = np.quantile(depth[brain], [1 / 3, 2 / 3])
    rim, core = brain & (depth <= outer), brain & (depth > inner)
    middle = brain & ~rim & ~core
    between = float(values[middle].mean()) if middle.any() else 0.0
    return [alike, *(float(values[shell].mean()) - between if shell.any() else 0.0 for shell in (rim, core))]


def _coarse(volume: FloatMap) -> FloatMap:
    """Means over blocks, so that about ``_ANATOMY_EDGE`` of them lie along the longest edge; a remainder falls away."""
    edge = max(1, max(volume.shape) // _ANATOMY_EDGE)
    i, j, k = (length // edge for length in volume.shape)
    blocks = volume[: i * edge, : j * edge, : k * edge].reshape(i, edge, j, edge, k, edge)
    means: FloatMap = blocks.mean(axis=(1, 3, 5))
    return means
