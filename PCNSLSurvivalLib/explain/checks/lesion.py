"""Does the map point at the lesion, as far as its cells can tell?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from PCNSLSurvivalLib.core.terms import Verdict
from PCNSLSurvivalLib.explain.checks.result import CheckResult, FloatMap


def check_lesion(
    raw_map: FloatMap, lesion: NDArray[np.bool_] | None, brain: NDArray[np.bool_], *, stride: int
) -> CheckResult:
    """Pointing game, and the fraction of the activation inside the lesion.

    Args:
        raw_map: (i, j, k) raw map.
        lesion: (I, J, K) on the network grid, or None if no mask was given.
        brain: (I, J, K) on the network grid.
        stride: Voxels between cells; the lesion is dilated by half of it to each side, since the map cannot tell
            less apart.

    Returns:
        Whether the strongest cell lies in the dilated lesion, the share of the activation in it, and the share
        that an even map over the brain would have; passed when the cell hits and the share is above the even one.

    References:
        Zhang et al., Top-down neural attention by excitation backprop, ECCV 2016. arXiv:1608.00507
    """
    words: dict[str, Any] = {
        "name": "Pointing game and activation inside the lesion",
        "criterion": "strongest cell in the lesion dilated by the cell size, and more activation there than in a "
        "uniform map",
        "reference": "Zhang et al. 2016, arXiv:1608.00507",
    }
    if lesion is None:
        return CheckResult(verdict=None, sentence="No lesion mask was given.", **words)
    if raw_map.max() <= 0 or not lesion.any():
        return CheckResult(verdict=None, sentence="The map or the lesion mask is empty.", **words)
    dilated = lesion
    for axis in range(3):
        shape = [1, 1, 1]
        shape[axis] = 2 * (stride // 2) + 1
        dilated = binary_dilation(dilated, np.ones(shape, dtype=bool))
    centers = np.stack(np.meshgrid(*[np.arange(n) * stride for n in raw_map.shape], indexing="ij"), axis=-1)
    in_lesion = dilated[tuple(np.moveaxis(centers, -1, 0))]
    hit = bool(in_lesion.ravel()[int(raw_map.argmax())])
    inside = float(raw_map[in_lesion].sum() / raw_map.sum())
    even = float((dilated & brain).sum() / max(int(brain.sum()), 1))
    passed = hit and inside > even
    return CheckResult(
        verdict=Verdict.GOOD if passed else Verdict.CHECK,
        numbers={
            "hit": float(hit),
            "activation inside the dilated lesion": inside,
            "share of the brain it covers": even,
        },
        sentence=f"The strongest cell {'lies in' if hit else 'misses'} the lesion; {inside:.0%} of the activation lies "
        f"in it, which covers {even:.0%} of the brain (lesion dilated by the cell size).",
        **words,
    )
