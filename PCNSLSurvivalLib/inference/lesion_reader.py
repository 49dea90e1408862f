"""A lesion reader: a prepared T1Gd volume in, the probability of enhancing tumor out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.inference.runtimes.lesion_blocks import EDGE, ReadBlocks, start_reading
from PCNSLSurvivalLib.inference.runtimes.names import Device, RuntimeName
from PCNSLSurvivalLib.models.lesion_reader_folder import ReaderFolder

Volume = NDArray[np.float32]
_STEP = 40


class LesionReader:
    """A lesion reader with its weights loaded; see ``start_reading`` for the arguments and errors."""

    def __init__(self, folder: ReaderFolder, *, runtime: RuntimeName = "auto", device: Device = "auto") -> None:
        self.folder = folder
        self._read = start_reading(folder, runtime=runtime, device=device)

    def probability(self, image: Volume, brain: Volume) -> Volume:
        """Probability of enhancing tumor; see ``probability_of``."""
        return probability_of(self._read, image, brain)


def probability_of(read: ReadBlocks, image: Volume, brain: Volume) -> Volume:
    """Probability of enhancing tumor in every voxel, from overlapping blocks of the size the network learned on.

    Every block is read as it is and mirrored left to right, as half of the heads were that the network learned on; the
    mean of both counts. Where blocks overlap, the middle of each counts more than its rim.

    Args:
        read: The network.
        image: (I, J, K) prepared T1Gd on the reader's grid, 0 outside the brain; the first axis runs to the left.
        brain: (I, J, K) share of brain.

    Returns:
        (I, J, K) ``float32``, 0 outside the brain.
    """
    total, weight = np.zeros(image.shape, np.float32), np.zeros(image.shape, np.float32)
    if not (brain > 0).any():
        return total
    axis = np.minimum(np.arange(1, EDGE + 1), np.arange(EDGE, 0, -1)).astype(np.float32) / (EDGE / 2)
    tent = axis[:, None, None] * axis[None, :, None] * axis[None, None]
    for box in _blocks(brain > 0):
        if not (brain[box] > 0).any():
            continue
        block = np.stack([image[box], brain[box]])
        share, mirrored = read(np.stack([block, block[:, ::-1]]))
        total[box] += (share + mirrored[::-1]) / 2 * tent
        weight[box] += tent
    return np.asarray(total / np.maximum(weight, 1e-6) * (brain > 0), np.float32)


def _blocks(brain: NDArray[np.bool_]) -> list[tuple[slice, slice, slice]]:
    """Blocks that cover the brain, at most ``_STEP`` apart."""
    starts = []
    for axis in range(3):
        where = np.flatnonzero(brain.any(axis=tuple(n for n in range(3) if n != axis)))
        low, high, size = int(where[0]), int(where[-1]) + 1, brain.shape[axis]
        last = max(high - EDGE, low)
        count = 1 if last == low else int(np.ceil((last - low) / _STEP)) + 1
        firsts = np.clip(np.rint(np.linspace(low, last, count)), 0, size - EDGE).astype(int)
        starts.append(sorted(set(firsts.tolist())))
    return [
        (slice(i, i + EDGE), slice(j, j + EDGE), slice(k, k + EDGE))
        for i in starts[0]
        for j in starts[1]
        for k in starts[2]
    ]
