"""First check of the voxels of one scan: is it an MR volume at all? Needs numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import UnusableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence

FEWEST_SLICES = 4
"""With fewer along any axis nothing three-dimensional can be fitted; the length of the block is judged elsewhere."""
_ALIKE = 0.8
"""Share of neighbors of one value. Regions of a label map give more, noise and texture of any scan far less."""


def check_is_mr_volume(values_kji: NDArray[np.generic], sequence: MRSequence) -> None:
    """Refuse what no preparation can make an MR volume of.

    Args:
        values_kji: (k, j, i) voxels, arbitrary units; may be a view.
        sequence: The sequence that the scan is given as.

    Raises:
        UnusableScanError: A picture of one or a few slices, values that are no numbers, one value everywhere, a map
            of labels, or a CT in Hounsfield units.
    """
    if min(values_kji.shape) < FEWEST_SLICES:
        raise UnusableScanError(Message("scan.few_slices", sequence=sequence, count=min(values_kji.shape)))
    if not (finite := np.isfinite(values_kji)).all():
        count = int(np.count_nonzero(~finite))
        raise UnusableScanError(Message("scan.not_numbers", sequence=sequence, count=count, total=finite.size))
    sample = values_kji[::2, ::4, ::4]
    if sample.min() == sample.max() and values_kji.min() == values_kji.max():
        raise UnusableScanError(Message("scan.same_value", sequence=sequence))
    if _is_label_map(values_kji[:: max(1, len(values_kji) // 64)]):
        raise UnusableScanError(Message("scan.looks_like_labels", sequence=sequence))
    if _is_ct(sample.astype(float)):
        raise UnusableScanError(Message("scan.looks_like_ct", sequence=sequence))


def _is_label_map(slices_kji: NDArray[np.generic]) -> bool:
    """Whether most voxels inside have the value of their neighbors, along both axes of the slices."""
    values, counts = np.unique(slices_kji[:, ::4, ::4], return_counts=True)
    inside = slices_kji != values[counts.argmax()]  # the corner may be a burnt mark or an edge of resampling
    along_i = (slices_kji[:, :, 1:] == slices_kji[:, :, :-1])[inside[:, :, 1:]]
    along_j = (slices_kji[:, 1:] == slices_kji[:, :-1])[inside[:, 1:]]
    return bool(along_i.size and along_j.size and min(along_i.mean(), along_j.mean()) > _ALIKE)


def _is_ct(sample: NDArray[np.float64]) -> bool:
    air = float(((sample < -850) & (sample > -3100)).mean())
    tissue = sample[sample > -300]
    return air > 0.15 and tissue.size > 0 and -150 < float(np.median(tissue)) < 200
