"""Which T1Gd a brain mask is of, as far as the scene tells, and why one cannot be used for another T1Gd."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.result.repair import REPAIRED_MASK, isRepair, isRepairedFor, repairedFor
from PCNSLSurvivalUI.scene.output_nodes import MADE_ON, MASK, OUTPUT_ATTRIBUTE, T1GD, SceneOutputs
from PCNSLSurvivalUI.scene.voxel_order import voxelOrder
from PCNSLSurvivalUI.two_dates.kept_exam import EARLIER, EARLIER_T1GD


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
    if isRepair(mask):
        if not isRepairedFor(mask, t1gd):
            words = _(
                'The brain mask "{name}" was repaired for another T1Gd, or the scene does not say for which. Choose '
                "another brain mask under Advanced, or none."
            )
            return words.format(name=mask.GetName())
    elif _isOfRun(mask):
        source = _madeOn(outputs, mask)
        if source is None:
            words = _(
                'The T1Gd that the brain mask "{name}" was made on is no longer in the scene. Choose another brain '
                "mask under Advanced, or none."
            )
            return words.format(name=mask.GetName())
        if source is not t1gd:
            words = _(
                'The brain mask "{name}" was made on "{other}". Choose another brain mask under Advanced, or none.'
            )
            return words.format(name=mask.GetName(), other=source.GetName())
    return "" if voxelOrder(mask, t1gd) is not None else shown(Message("grid.brain_mask_on_t1gd"))


def _mayBeOf(outputs: SceneOutputs, mask: Any, t1gd: Any) -> bool:
    if isRepair(mask):
        return isRepairedFor(mask, t1gd)
    return not _isOfRun(mask) or _madeOn(outputs, mask) is t1gd


def _isOfRun(mask: Any) -> bool:
    return mask.GetAttribute(OUTPUT_ATTRIBUTE) in (MASK, EARLIER + MASK)


def _madeOn(outputs: SceneOutputs, mask: Any) -> Any:
    """The T1Gd that a run made a mask on; None when it is gone."""
    source = mask.GetNodeReference(MADE_ON)
    if source is not None:
        return source
    # Masks of scenes saved before do not say it themselves.
    of = next((of for role, of in ((MASK, T1GD), (EARLIER + MASK, EARLIER_T1GD)) if outputs.node(role) is mask), None)
    return None if of is None else outputs.node(of)
