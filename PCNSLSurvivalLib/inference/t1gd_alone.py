"""One T1Gd by itself, read and prepared: for the commands that predict nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict
from PCNSLSurvivalLib.imaging.geometry import canonical
from PCNSLSurvivalLib.imaging.io import Scan, read_mask_file, read_scan
from PCNSLSurvivalLib.inference.case_options import CaseOptions
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase, prepare_case
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.step_cache import StepStore


@dataclass(frozen=True, kw_only=True)
class T1GdAlone:
    """One scan, and what preprocessing made of it.

    Attributes:
        scan: As it was read.
        prepared: By the recipe of this version.
        warnings: On its quality, the file and the brain mask.
    """

    scan: Scan
    prepared: PreparedCase
    warnings: tuple[Message, ...]


def prepare_t1gd(path: Path, options: CaseOptions, clock: StepClock) -> T1GdAlone:
    """Read and prepare one T1Gd scan.

    Args:
        path: File or DICOM folder of T1Gd, whole head or skull-stripped.
        options: What is known about the scan.
        clock: Announces and times the steps.

    Raises:
        PCNSLSurvivalError: The scan does not allow it; its text says why.
    """
    with clock.step(Step.READ):
        scan = read_scan(path, MRSequence.T1GD)
        given = options.brain_mask
        mask = None if given is None else read_mask_file(given, Message("word.brain_mask"))
    prepared = prepare_case(
        {MRSequence.T1GD: canonical(scan.image)},
        recipe=RECIPE,
        clock=clock,
        brain_mask=None if mask is None else canonical(mask.image),
        known=options,
        override_quality=options.override_quality,
        store=None if options.cache_dir is None else StepStore(options.cache_dir),
        agent=scan.agent,
    )
    judged = (finding.message for finding in prepared.findings if finding.verdict is not Verdict.GOOD)
    remarks = (*scan.remarks, *(() if mask is None else mask.remarks))
    return T1GdAlone(scan=scan, prepared=prepared, warnings=(*judged, *remarks))
