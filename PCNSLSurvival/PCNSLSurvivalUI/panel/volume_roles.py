"""Which loaded volume is the T1Gd, which the T1, which the T2: a guess from names and DICOM tags, with its reason.

Names come from file names and DICOM series descriptions. Words for the contrast agent are looked for before
"T1", because every post-contrast name holds "T1" as well; FLAIR before "T2" for the same reason. Where no name
speaks, the timing of the sequence does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.terms import MRSequence

_T1 = r"t1w?|t1w?i|mp[\s_]?rage|rage|spgr|bravo|tfe3d|3dtfe|ir[\s_]?fspgr"
_T2 = r"t2w?|t2w?i"
_FLAIR = r"flair|tirm|dark[\s_]?fluid"
_CONTRAST = (
    r"gd|gad|gado\w*|ce|c\+|\+c|\+gd|post(?![\s-]?(?:op|surg|treat|ther|rt|radi|chemo|resec|biops|process))|"
    r"postcontrast|postgd|contrast|contrastenhanced|enhanced|km|mit[\s_]?km|"
    r"gadovist|dotarem|magnevist|t1w?gd|t1w?ce|t1w?[\s-]?\+?c(?![\s-]?spine)|t1c\+|t1post|t1km|t13d|ce-\w+"
)
_WITHOUT = (
    r"pre|precontrast|pregd|pregad|native|nativ|plain|noncontrast|unenhanced|"
    r"(?:no|non|without|ohne)[\s_-]?(?:contrast|gd|gad|km)|non[\s_-]?enhanced"
)
_NOT_ANATOMY = (
    r"mask|label|seg|segmentation|brain[\s_]?mask|lesion|dwi|adc|trace|swi|swan|perf\w*|dsc|dce|asl|cbv|cbf|dti|fa|"
    r"bold|localizer|scout|mip|subtr\w*|t2\*|t2star|gre|activation|evidence|corrected|aligned|preprocessed|map"
)


@dataclass(frozen=True, kw_only=True)
class DicomTags:
    """What a DICOM header says about a sequence; empty texts and None where it says nothing."""

    modality: str = ""
    image_type: str = ""
    description: str = ""
    protocol: str = ""
    contrast_agent: str = ""
    repetition_ms: float | None = None
    echo_ms: float | None = None
    inversion_ms: float | None = None

    def weighting(self) -> MRSequence | None:
        """T1, T2 or FLAIR by repetition, echo and inversion time; the limits are wide and set by judgement."""
        if self.echo_ms is None:
            return None
        repetition, inversion = self.repetition_ms or 0.0, self.inversion_ms or 0.0
        if self.echo_ms >= 60:
            return MRSequence.FLAIR if inversion > 1500 else MRSequence.T2 if repetition >= 1800 else None
        # An inversion pulse gives T1 contrast at a long repetition time (MPRAGE).
        return MRSequence.T1 if self.echo_ms < 30 and (0 < repetition < 1200 or 300 <= inversion <= 1300) else None


_NO_TAGS = DicomTags()


@dataclass(frozen=True)
class Guess:
    """Which volume was taken for which sequence."""

    places: dict[MRSequence, int] = field(default_factory=dict)
    rivals: tuple[MRSequence, ...] = ()
    """Sequences that more than one volume looks like; the first volume was taken."""

    def inWords(self) -> str:
        """A word to the user where the guess is none, or is one of several; empty otherwise."""
        if not set(self.places) & {MRSequence.T1GD, MRSequence.T1, MRSequence.T2}:
            return _("No T1Gd, T1 or T2 series could be identified from volume names or DICOM headers.")
        if self.rivals:
            roles = _(" and ").join(role.label for role in self.rivals)
            return _("Several volumes look like {roles}; the first was chosen.").format(roles=roles)
        return ""


def role_of(name: str, tags: DicomTags = _NO_TAGS) -> MRSequence | None:
    """The sequence that a volume's name and DICOM header suggest.

    Args:
        name: Name of the volume in the scene.
        tags: Its DICOM header, if it was loaded from DICOM.

    Returns:
        The sequence, or None if nothing suggests one, or something suggests another kind of image.
    """
    text = _spaced(name)
    if tags.modality not in ("", "MR") or "SUBTRACT" in tags.image_type.upper() or _has(text, _NOT_ANATOMY):
        return None
    seen = None
    for words in (text, _spaced(tags.description), _spaced(tags.protocol)):
        seen = seen or _weighting_in(words)
    seen = seen or tags.weighting()
    if seen is not MRSequence.T1:
        return seen
    everything = f"{text} {_spaced(tags.description)}"
    contrast = bool(tags.contrast_agent) or _has(_without_denials(everything), _CONTRAST)
    return MRSequence.T1GD if contrast and not _has(everything, _WITHOUT) else MRSequence.T1


def guess_roles(volumes: Sequence[tuple[str, DicomTags]]) -> Guess:
    """The volumes that look like T1Gd, T1, T2, by their place; the first of a kind wins.

    Args:
        volumes: Name and DICOM header of each volume, in the order of the scene.
    """
    found: dict[MRSequence, list[int]] = {}
    for place, (name, tags) in enumerate(volumes):
        role = role_of(name, tags)
        if role is not None:
            found.setdefault(role, []).append(place)
    wanted = (MRSequence.T1GD, MRSequence.T1, MRSequence.T2)
    rivals = tuple(role for role in wanted if len(found.get(role, [])) > 1)
    return Guess({role: places[0] for role, places in found.items()}, rivals)


def doubt_about(role: MRSequence, name: str, tags: DicomTags = _NO_TAGS) -> str:
    """A word on why a chosen volume looks wrong for its role; empty when nothing speaks against it.

    Args:
        role: What the user chose the volume for.
        name: Name of the volume; it is not repeated in the answer.
        tags: Its DICOM header, if it was loaded from DICOM.
    """
    if tags.modality not in ("", "MR"):
        return _("The {role} volume is not an MR image: its DICOM modality is {modality}.").format(
            role=role.label, modality=tags.modality
        )
    timed = tags.weighting()
    if timed is not None and timed is not (MRSequence.T1 if role is MRSequence.T1GD else role):
        return _("The echo time of the {role} volume ({ms:.0f} ms) suggests {seen}. Is this the right volume?").format(
            role=role.label, ms=tags.echo_ms, seen=timed.label
        )
    seen = role_of(name, tags)
    if seen is None or seen is role:
        return ""
    if role is MRSequence.T1GD and seen is MRSequence.T1:
        return _("The T1Gd volume name suggests T1 without contrast agent. Is this the post-contrast scan?")
    if role is MRSequence.T1 and seen is MRSequence.T1GD and tags.contrast_agent:
        return _("The DICOM header of the T1 volume names a contrast agent. Is this the pre-contrast scan?")
    return _("The {role} volume name suggests {seen}. Is this the right volume?").format(
        role=role.label, seen=seen.label
    )


def _weighting_in(text: str) -> MRSequence | None:
    """T1, T2 or FLAIR by the words of a name, a contrast agent aside."""
    text = _without_denials(text)
    if _has(text, _FLAIR):
        return MRSequence.FLAIR
    if _has(text, _T2):
        return MRSequence.T2
    spoken = _has(text, _CONTRAST) and _has(text, r"t1\w+|ce-\w+|post\w*|contrast|gd|gad\w*")
    return MRSequence.T1 if spoken or _has(text, _T1) else None


def _without_denials(text: str) -> str:
    return re.sub(rf"(?<![a-z0-9+])(?:{_WITHOUT})(?![a-z0-9+])", " ", text)


def _spaced(name: str) -> str:
    """Lower case, with the joints of file names turned into spaces."""
    text = re.sub(r"\.(nii|nrrd|mha|mhd|gz|dcm)\b", " ", name.lower())
    return re.sub(r"[_:,;()\[\]./]+", " ", text.replace("w/o", "without"))


def _has(text: str, words: str) -> bool:
    return re.search(rf"(?<![a-z0-9])(?:{words})(?![a-z0-9])", text) is not None
