"""Whether T1Gd and T1 were swapped, from a T1 that the model does not read."""

from __future__ import annotations

from dataclasses import replace

import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.findings import Finding
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict
from PCNSLSurvivalLib.imaging.geometry import Grid, as_float32, canonical
from PCNSLSurvivalLib.imaging.quality import check_scan
from PCNSLSurvivalLib.preprocessing.case_steps import CaseSteps, mask_on_scan
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase
from PCNSLSurvivalLib.preprocessing.qc.contrast_agent import enhancement_above_white_matter
from PCNSLSurvivalLib.preprocessing.qc.step_checks import judge_enhancement
from PCNSLSurvivalLib.preprocessing.qc.weighting import judge_t1, weighting
from PCNSLSurvivalLib.preprocessing.step_cache import StepStore
from PCNSLSurvivalLib.preprocessing.steps.normalization import find_normalization
from PCNSLSurvivalLib.preprocessing.steps.resampling import to_isotropic_grid


def compare_contrast(
    prepared: PreparedCase, t1: sitk.Image, *, clock: StepClock, store: StepStore | None = None
) -> Finding:
    """Compare a prepared T1Gd with a T1 that serves for nothing else.

    T1 is prepared as if the model read it, whatever was done to T1Gd: shading or a pose that is off would hide the
    contrast agent. A T1 that cannot be compared does not cost the prediction.

    Args:
        prepared: The case without T1.
        t1: T1 as acquired, any grid; arbitrary units.
        clock: Announces and times the comparison as one step.
        store: Keeps the steps on disk, and gives them back to the next run and to ``align_scan``.

    Returns:
        The finding of ``judge_enhancement``; "check" with the reason where T1 cannot be compared, or is no T1.
    """
    with clock.step(Step.CONTRAST):
        try:
            found = _compared(prepared, canonical(as_float32(t1)), store)
        except PCNSLSurvivalError as problem:
            found = Finding(
                measure="enhancement",
                step=Step.CONTRAST,
                sequence=MRSequence.T1GD,
                verdict=Verdict.CHECK,
                value=None,
                unit="",
                message=Message("enhancement.not_compared", reason=problem.message or str(problem)),
            )
    return replace(found, step=Step.CONTRAST)


def _compared(prepared: PreparedCase, t1: sitk.Image, store: StepStore | None) -> Finding:
    check_scan(t1, MRSequence.T1)
    recipe, mask, isotropic = prepared.recipe, prepared.brain_mask, prepared.brain_mask_1mm
    known = replace(prepared.known, already_corrected=False, already_registered=False)
    steps = CaseSteps(recipe=recipe, clock=StepClock(), store=store, known=known)
    native = {MRSequence.T1GD: prepared.native[MRSequence.T1GD], MRSequence.T1: t1}
    pose, corrected = steps.register_to_t1gd(MRSequence.T1, native, prepared.corrected[MRSequence.T1GD], mask)
    weighted = judge_t1(weighting(corrected, pose, mask))
    if weighted.verdict is not Verdict.GOOD:
        # The model does not read it: the prediction stands, and the two were not compared.
        return replace(weighted, verdict=Verdict.CHECK)
    inside = mask_on_scan(mask, corrected, pose)
    normalization = find_normalization(corrected, inside, recipe.normalization, sequence=MRSequence.T1)
    on_grid = to_isotropic_grid(corrected, normalization, Grid.of(isotropic), isotropic, recipe.resampling, pose)
    t1gd = prepared.corrected[MRSequence.T1GD]
    alone = (enhancement_above_white_matter(t1gd, mask), enhancement_above_white_matter(corrected, inside))
    return judge_enhancement(prepared.preprocessed[MRSequence.T1GD], on_grid, alone=alone)
