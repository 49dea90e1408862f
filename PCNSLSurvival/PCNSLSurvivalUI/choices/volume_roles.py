"""What the panel says of the loaded volumes as sequences: that none was found, and what looks wrong.

The judgement itself is the library's (``imaging.sequences.names``), so that panel and cohorts agree.
"""

from __future__ import annotations

from collections.abc import Mapping

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.sequences.header import SeriesHeader
from PCNSLSurvivalLib.imaging.sequences.names import Reason, judge_series
from PCNSLSurvivalUI.messages import shown

_NO_HEADER = SeriesHeader()


def nothingFound(found: Mapping[MRSequence, object]) -> str:
    """A word to the user where no volume tells its sequence; empty otherwise."""
    if found:
        return ""
    labels = ", ".join(sequence.label for sequence in MRSequence)
    return _("No {labels} series could be identified from volume names or DICOM headers.").format(labels=labels)


def doubt_about(role: MRSequence, name: str, header: SeriesHeader = _NO_HEADER) -> str:
    """A word on why a chosen volume looks wrong for its role; empty when nothing speaks against it.

    Args:
        role: What the user chose the volume for.
        name: Name of the volume; it is not repeated in the answer.
        header: Its DICOM header, if it was loaded from DICOM.
    """
    if header.modality not in ("", "MR"):
        return _("The {role} volume is not an MR image: its DICOM modality is {modality}.").format(
            role=role.label, modality=header.modality
        )
    timed = header.weighting()
    if timed is not None and timed is not (MRSequence.T1 if role is MRSequence.T1GD else role):
        return _("The echo time of the {role} volume ({ms:.0f} ms) suggests {seen}. Is this the right volume?").format(
            role=role.label, ms=header.echo_ms, seen=timed.label
        )
    judged = judge_series(name, header)
    if judged.sequence is role or judged.reason is Reason.SILENT:
        return ""
    if judged.sequence is None:
        return _("The {role} volume may be another series: {reason}. Is this the right volume?").format(
            role=role.label, reason=shown(judged.message)
        )
    if role is MRSequence.T1GD and judged.sequence is MRSequence.T1:
        return _("The T1Gd volume name suggests T1 without contrast agent. Is this the post-contrast scan?")
    if role is MRSequence.T1 and judged.reason is Reason.AGENT_IN_HEADER:
        return _("The DICOM header of the T1 volume names a contrast agent. Is this the pre-contrast scan?")
    return _("The {role} volume name suggests {seen}. Is this the right volume?").format(
        role=role.label, seen=judged.sequence.label
    )
