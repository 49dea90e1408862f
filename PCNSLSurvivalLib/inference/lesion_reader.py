"""A lesion reader: a prepared T1Gd volume in, the probability of enhancing tumor out."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from PCNSLSurvivalLib.inference.runtimes.automatic_device import automatic_device
from PCNSLSurvivalLib.inference.runtimes.runtime import Device
from PCNSLSurvivalLib.inference.runtimes.torch_runtime import device_named
from PCNSLSurvivalLib.models.lesion_reader_folder import ReaderFolder
from PCNSLSurvivalLib.models.networks.devices import reproducible_float32
from PCNSLSurvivalLib.models.networks.lesion_unet import LesionUNet

Volume = NDArray[np.float32]
_EDGE = 64
_STEP = 40


class LesionReader:
    """A lesion reader with its weights loaded.

    Args:
        folder: From ``read_reader_folder``.
        device: Where to compute.

    Raises:
        ModelFolderError: The weights are not those that the folder's metadata describes.
        NetworkError: This computer has no such device.
    """

    def __init__(self, folder: ReaderFolder, *, device: Device = "auto") -> None:
        self.folder = folder
        self._device = device_named(automatic_device().device if device == "auto" else device)
        network = LesionUNet(folder.settings.widths, folder.settings.hidden)
        shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
        weights = folder.load_weights(shapes)
        network.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in weights.items()})
        self.network = network.eval().to(self._device)

    def probability(self, image: Volume, brain: Volume) -> Volume:
        """Probability of enhancing tumor; see ``probability_of``."""
        return probability_of(self.network, image, brain, device=self._device)


def probability_of(network: LesionUNet, image: Volume, brain: Volume, *, device: torch.device | None = None) -> Volume:
    """Probability of enhancing tumor in every voxel, from overlapping blocks of the size the network learned on.

    Every block is read as it is and mirrored left to right, as half of the heads were that the network learned on; the
    mean of both counts. Where blocks overlap, the middle of each counts more than its rim.

    Args:
        network: In evaluation mode.
        image: (I, J, K) prepared T1Gd on the reader's grid, 0 outside the brain; the first axis runs to the left.
        brain: (I, J, K) share of brain.
        device: Where the network lies; the CPU if left out.

    Returns:
        (I, J, K) ``float32``, 0 outside the brain.
    """
    total, weight = np.zeros(image.shape, np.float32), np.zeros(image.shape, np.float32)
    if not (brain > 0).any():
        return total
    axis = np.minimum(np.arange(1, _EDGE + 1), np.arange(_EDGE, 0, -1)).astype(np.float32) / (_EDGE / 2)
    tent = axis[:, None, None] * axis[None, :, None] * axis[None, None]
    for box in _blocks(brain > 0):
        if not (brain[box] > 0).any():
            continue
        block = np.stack([image[box], brain[box]])
        with torch.inference_mode(), reproducible_float32():
            tensor = torch.from_numpy(np.stack([block, block[:, ::-1]])).to(device or "cpu")
            share, mirrored = network(tensor).softmax(dim=1)[:, 1].float().cpu().numpy()
        total[box] += (share + mirrored[::-1]) / 2 * tent
        weight[box] += tent
    return np.asarray(total / np.maximum(weight, 1e-6) * (brain > 0), np.float32)


def _blocks(brain: NDArray[np.bool_]) -> list[tuple[slice, slice, slice]]:
    """Blocks that cover the brain, at most ``_STEP`` apart."""
    starts = []
    for axis in range(3):
        where = np.flatnonzero(brain.any(axis=tuple(n for n in range(3) if n != axis)))
        low, high, size = int(where[0]), int(where[-1]) + 1, brain.shape[axis]
        last = max(high - _EDGE, low)
        count = 1 if last == low else int(np.ceil((last - low) / _STEP)) + 1
        firsts = np.clip(np.rint(np.linspace(low, last, count)), 0, size - _EDGE).astype(int)
        starts.append(sorted(set(firsts.tolist())))
    return [
        (slice(i, i + _EDGE), slice(j, j + _EDGE), slice(k, k + _EDGE))
        for i in starts[0]
        for j in starts[1]
        for k in starts[2]
    ]
