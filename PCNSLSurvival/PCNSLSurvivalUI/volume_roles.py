"""Which loaded volume is the T1Gd, which the T1, which the T2: a guess from names, with its reason.

Names come from file names and DICOM series descriptions. Words for the contrast agent are looked for before
"T1", because every post-contrast name holds "T1" as well; FLAIR before "T2" for the same reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence as Ordered

from slicer.i18n import tr as _

from PCNSLSurvivalLib.terms import Sequence

_T1 = r"t1w?|t1w?i|mp[\s_]?rage|rage|spgr|bravo|tfe3d|3dtfe|ir[\s_]?fspgr"
_T2 = r"t2w?|t2w?i"
_FLAIR = r"flair|tirm|dark[\s_]?fluid"
_CONTRAST = (
    r"gd|gad|gado\w*|ce|c\+|\+c|\+gd|post|postcontrast|postgd|contrast|contrastenhanced|enhanced|km|mit[\s_]?km|"
    r"gadovist|dotarem|magnevist|t1gd|t1wgd|t1ce|t1c|t1c\+|t1post|t1km|t13d|ce-\w+"
)
_WITHOUT = (
    r"pre|precontrast|pregd|pregad|native|nativ|plain|noncontrast|unenhanced|"
    r"(?:no|non|without|ohne)[\s_-]?(?:contrast|gd|gad|km)|non[\s_-]?enhanced"
)
_NOT_ANATOMY = (
    r"mask|label|seg|segmentation|brain[\s_]?mask|lesion|dwi|adc|trace|swi|swan|perf\w*|dsc|dce|asl|cbv|cbf|dti|fa|"
    r"bold|localizer|scout|mip|subtr\w*|t2\*|t2star|gre|activation|evidence|corrected|aligned|preprocessed|map"
)


def role_of(name: str, contrast_agent: str = "") -> Sequence | None:
    """The sequence that a volume's name speaks of.

    Args:
        name: Name of the volume in the scene.
        contrast_agent: DICOM Contrast/Bolus Agent (0018,0010), empty when unknown.

    Returns:
        The sequence, or None where the name says nothing or speaks of something else.
    """
    text = _spaced(name)
    if _has(text, _NOT_ANATOMY):
        return None
    without = _has(text, _WITHOUT)
    text = re.sub(rf"(?<![a-z0-9+])(?:{_WITHOUT})(?![a-z0-9+])", " ", text)
    if _has(text, _FLAIR):
        return Sequence.FLAIR
    if _has(text, _T2):
        return Sequence.T2
    contrast = _has(text, _CONTRAST) or bool(contrast_agent.strip())
    if contrast and not without and (_has(text, _T1) or _has(text, r"t1\w+|ce-\w+|post\w*|contrast|gd|gad\w*")):
        return Sequence.T1GD
    return Sequence.T1 if _has(text, _T1) else None


def guess_roles(names: Ordered[str], contrast_agents: Ordered[str] | None = None) -> dict[Sequence, int]:
    """The volumes that look like T1Gd, T1, T2, by their place in ``names``; the first of a kind wins.

    Args:
        names: Names of the volumes, in the order of the scene.
        contrast_agents: DICOM contrast agents beside them, empty texts where unknown.
    """
    agents = contrast_agents or [""] * len(names)
    found: dict[Sequence, int] = {}
    for place, (name, agent) in enumerate(zip(names, agents, strict=True)):
        role = role_of(name, agent)
        if role is not None and role not in found:
            found[role] = place
    return found


def doubt_about(role: Sequence, name: str, contrast_agent: str = "") -> str:
    """A word on why a chosen volume looks wrong for its role; empty when nothing speaks against it.

    Args:
        role: What the user chose the volume for.
        name: Name of the volume; it is not repeated in the answer.
        contrast_agent: DICOM Contrast/Bolus Agent, empty when unknown.
    """
    seen = role_of(name, contrast_agent)
    if seen is None or seen is role:
        return ""
    if role is Sequence.T1GD and seen is Sequence.T1:
        return _("The name of the T1Gd volume speaks of a T1 without contrast agent. Is it the post-contrast scan?")
    return _("The name of the {role} volume speaks of {seen}. Is it the right volume?").format(
        role=role.label, seen=seen.label
    )


def _spaced(name: str) -> str:
    """Lower case, with the joints of file names turned into spaces."""
    text = re.sub(r"\.(nii|nrrd|mha|mhd|gz|dcm)\b", " ", name.lower())
    return re.sub(r"[_:,;()\[\]./]+", " ", text.replace("w/o", "without"))


def _has(text: str, words: str) -> bool:
    return re.search(rf"(?<![a-z0-9])(?:{words})(?![a-z0-9])", text) is not None
