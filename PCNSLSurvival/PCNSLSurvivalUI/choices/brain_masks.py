"""Which T1Gd a brain mask is of, as far as the scene tells, and why one cannot be used for another T1Gd."""

from __future__ import annotations

from typing import Any

import numpy as np
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.result.repair import REPAIRED_MASK, isRepair, isRepairedFor, repairedFor
from PCNSLSurvivalUI.scene.output_nodes import MASK, T1GD, SceneOutputs
from PCNSLSurvivalUI.scene.volume_files import ijkToWorld
from PCNSLSurvivalUI.two_dates.kept_exam import EARLIER, EARLIER_T1GD

_TOLERANCE_MM = 0.01
"""How far apart the voxels of a mask and of T1Gd may lie; as on the command line."""


def brainMaskFor(outputs: SceneOutputs, chosen: Any, t1gd: Any) -> Any:
    """The brain mask to choose when another T1Gd is chosen: none of another head.

    Args:
        outputs: Where a repaired mask is.
        chosen: The brain mask chosen so far; None without one.
        t1gd: The T1Gd chosen now.
    """
    return (
        chosen if chosen is not None and _mayBeOf(outputs, chosen, t1gd) else repairedFor(outputs, REPAIRED_MASK, t1gd)
    )


def whyNotFor(outputs: SceneOutputs, mask: Any, t1gd: Any) -> str:
    """Why a brain mask cannot be used for a T1Gd; empty when it can.

    Args:
        outputs: The outputs of the scene.
        mask: The chosen brain mask.
        t1gd: The chosen T1Gd, which holds an image.

    Raises:
        UnusableScanError: A transform above one of the two bends it.
    """
    if isRepair(mask) and not isRepairedFor(mask, t1gd):
        words = _(
            "The brain mask {name} was repaired for another T1Gd, or the scene does not say for which. Choose another "
            "brain mask under Advanced, or none."
        )
        return words.format(name=mask.GetName())
    if not _mayBeOf(outputs, mask, t1gd):
        words = _("The brain mask {name} was made on {other}. Choose another brain mask under Advanced, or none.")
        return words.format(name=mask.GetName(), other=_madeOn(outputs, mask).GetName())
    if not _isOnVoxelsOf(mask, t1gd):
        return shown(Message("grid.brain_mask_on_t1gd"))
    return ""


def _mayBeOf(outputs: SceneOutputs, mask: Any, t1gd: Any) -> bool:
    return isRepairedFor(mask, t1gd) if isRepair(mask) else _madeOn(outputs, mask) in (None, t1gd)


def _madeOn(outputs: SceneOutputs, mask: Any) -> Any:
    """The T1Gd that a run made a mask on; None where the scene does not say so."""
    source = next(
        (of for role, of in ((MASK, T1GD), (EARLIER + MASK, EARLIER_T1GD)) if outputs.node(role) is mask), None
    )
    return None if source is None else outputs.node(source)


def _isOnVoxelsOf(mask: Any, t1gd: Any) -> bool:
    image, size = mask.GetImageData(), t1gd.GetImageData().GetDimensions()
    if image is None or image.GetDimensions() != size:
        return False
    corners = np.array([[(n - 1) * (corner >> axis & 1) for axis, n in enumerate(size)] + [1] for corner in range(8)])
    apart_mm = corners @ (ijkToWorld(mask, _("The brain mask")) - ijkToWorld(t1gd, MRSequence.T1GD.label)).T
    return bool(np.abs(apart_mm).max() < _TOLERANCE_MM)
