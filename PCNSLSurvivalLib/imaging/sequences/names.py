"""The MR sequence that a name or a DICOM header indicates: one vocabulary for panel and cohorts.

Names come from files, folders and DICOM series descriptions, in any of several languages. A name is read in this order:
what is no anatomical scan of the brain (masks, diffusion, angiography, spine, results of this software); then the
weighting, FLAIR before T2 and T2 before T1, because one name often holds the other; then the contrast agent, after
what denies it ("before", "without") was taken out. Where the name is silent the DICOM header decides.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.sequences import words
from PCNSLSurvivalLib.imaging.sequences.header import SeriesHeader


class Reason(StrEnum):
    """Why a series was taken for a sequence, or for none."""

    NAME = "name"
    AGENT_IN_HEADER = "agent_in_header"
    TIMING = "timing"
    SILENT = "silent"
    OTHER_IMAGE = "other_image"
    OTHER_REGION = "other_region"
    NO_SCAN = "no_scan"
    MODALITY = "modality"
    IMAGE_TYPE = "image_type"
    BEFORE_AND_AFTER = "before_and_after"
    CONTRADICTION = "contradiction"


@dataclass(frozen=True)
class SeriesJudgement:
    """What a series is, and what told so."""

    sequence: MRSequence | None
    reason: Reason
    told: str = ""
    """The words that decided, for the reader: "t1", "dotarem", "TE 101 ms"."""

    @property
    def message(self) -> Message:
        """The reason, as a part of a sentence."""
        return {
            Reason.NAME: Message("series.name", told=self.told),
            Reason.AGENT_IN_HEADER: Message("series.agent_in_header"),
            Reason.TIMING: Message("series.timing", told=self.told),
            Reason.SILENT: Message("series.silent"),
            Reason.OTHER_IMAGE: Message("series.other_image", told=self.told),
            Reason.OTHER_REGION: Message("series.other_region", told=self.told),
            Reason.NO_SCAN: Message("series.no_scan", told=self.told),
            Reason.MODALITY: Message("series.modality", told=self.told),
            Reason.IMAGE_TYPE: Message("series.image_type", told=self.told),
            Reason.BEFORE_AND_AFTER: Message("series.before_and_after"),
            Reason.CONTRADICTION: Message("series.contradiction", told=self.told),
        }[self.reason]


_NO_HEADER = SeriesHeader()


def sequence_of(name: str, header: SeriesHeader = _NO_HEADER) -> MRSequence | None:
    """The sequence that a name and a DICOM header tell of; see ``judge_series``."""
    return judge_series(name, header).sequence


@functools.lru_cache(maxsize=1024)
def judge_series(name: str, header: SeriesHeader = _NO_HEADER) -> SeriesJudgement:
    """Judge one series by its name and its DICOM header.

    Args:
        name: Name of a file without its ending, of a folder, or of a volume in the scene.
        header: Its DICOM header, where it has one.

    Returns:
        The sequence with the reason; the sequence is None where nothing tells it, or where something speaks
        against an anatomical scan of the brain.
    """
    if (other := _other_image(name, header)) is not None:
        return other
    timing = header.weighting()
    texts = (name, header.description, header.protocol)
    # "AX POST GAD" is T1Gd unless the description says "AX FLAIR POST GAD".
    told_by = (tells(text) for tells in (_spoken_weighting, _spoken_contrast) for text in texts)
    spoken = next((found for found in told_by if found is not None), None)
    if spoken is None:
        return _by_timing(timing, header)
    sequence, told = spoken
    if sequence is None:
        return SeriesJudgement(None, Reason.OTHER_IMAGE, told)
    plain = MRSequence.T1 if sequence is MRSequence.T1GD else sequence
    # Without an inversion time the others are those of T2 and of FLAIR alike.
    unclear = plain is MRSequence.FLAIR and timing is MRSequence.T2 and header.inversion_ms is None
    if timing is not None and timing is not plain and not unclear:
        return SeriesJudgement(None, Reason.CONTRADICTION, told)
    if plain is not MRSequence.T1:
        return SeriesJudgement(sequence, Reason.NAME, told)
    return _with_or_without_agent(f"{name} {header.description}", sequence, told, header)


def spoken_sequence(name: str) -> tuple[MRSequence | None, str] | None:
    """The sequence a name tells of and the words that tell it, without a look at what the name excludes.

    Returns:
        None where the name tells no sequence; None with the words where it tells of two echoes at once.
    """
    return _spoken_weighting(name) or _spoken_contrast(name)


def _spoken_weighting(name: str) -> tuple[MRSequence | None, str] | None:
    """See ``spoken_sequence``: what names a weighting."""
    for text in _readings(name):
        t1 = _found(text, words.T1)
        others = [(one, told) for one, pattern in words.BESIDE_T1.items() if (told := _found(text, pattern))]
        # "T1 FLAIR" and "T1 TIRM" are T1-weighted inversion recovery.
        if t1 and (_found(text, words.T1_FLAIR) or not others):
            contrast = "" if _denied_in(text) else _contrast_in(text)
            return (MRSequence.T1GD, f"{t1} {contrast}") if contrast else (MRSequence.T1, t1)
        if others:
            sequence, told = others[0]
            density = _found(text, words.PROTON_DENSITY) if sequence is MRSequence.T2 else ""
            return (None, f"{density} {told}") if density else (sequence, told)
    return None


def _spoken_contrast(name: str) -> tuple[MRSequence, str] | None:
    """See ``spoken_sequence``: a contrast agent without a weighting means T1Gd."""
    for text in _readings(name):
        if contrast := _contrast_in(text, alone=True):
            return MRSequence.T1GD, contrast
    return None


def told_other_image(name: str) -> SeriesJudgement | None:
    """What in a name speaks against an anatomical MR scan of the brain; None where nothing does."""
    for text in _readings(name):
        weighted = _found(text, "|".join((words.T1, *words.BESIDE_T1.values())))
        for pattern, reason in (
            (words.NO_SCAN, Reason.NO_SCAN),
            (words.OTHER_IMAGE, Reason.OTHER_IMAGE),
            (None if weighted else words.OTHER_IMAGE_IF_SILENT, Reason.OTHER_IMAGE),
            (words.OTHER_REGION, Reason.OTHER_REGION),
        ):
            if pattern is not None and (told := _found(text, pattern)):
                return SeriesJudgement(None, reason, told)
        if not _found(text, words.T1) and (told := _found(text, words.GRADIENT_ECHO)):
            return SeriesJudgement(None, Reason.OTHER_IMAGE, told)
    return None


def names_any(name: str, pattern: str) -> bool:
    """Whether a name holds one of some words of ``words``."""
    return any(_found(text, pattern) for text in _readings(name))


def _other_image(name: str, header: SeriesHeader) -> SeriesJudgement | None:
    if header.modality.upper() not in ("", "MR"):
        return SeriesJudgement(None, Reason.MODALITY, header.modality)
    if told := header.other_image():
        return SeriesJudgement(None, Reason.IMAGE_TYPE, told)
    for text in (name, header.description, header.protocol):
        if (found := told_other_image(text)) is not None:
            return found
    region = _found(_spaced(header.body_part), words.OTHER_REGION)
    if region and not any(_found(_spaced(text), words.BRAIN) for text in (name, header.description, header.protocol)):
        return SeriesJudgement(None, Reason.OTHER_REGION, header.body_part)
    return None


def _by_timing(timing: MRSequence | None, header: SeriesHeader) -> SeriesJudgement:
    if timing is None:
        return SeriesJudgement(None, Reason.SILENT)
    if timing is MRSequence.T1 and header.agent:
        return SeriesJudgement(MRSequence.T1GD, Reason.AGENT_IN_HEADER, header.agent)
    return SeriesJudgement(timing, Reason.TIMING, header.timing_in_words())


def _with_or_without_agent(everything: str, sequence: MRSequence, told: str, header: SeriesHeader) -> SeriesJudgement:
    """T1 or T1Gd: the words of name and description together, then the header's contrast agent."""
    texts = _readings(everything)
    contrast = next((word for text in texts if (word := _contrast_in(text))), "")
    denied = next((word for text in texts if (word := _denied_in(text))), "")
    if contrast and denied:
        return SeriesJudgement(None, Reason.BEFORE_AND_AFTER)
    if contrast:
        return SeriesJudgement(MRSequence.T1GD, Reason.NAME, told if contrast in told else f"{told} {contrast}")
    if denied:
        return SeriesJudgement(MRSequence.T1, Reason.NAME, f"{told} {denied}")
    if header.agent:
        return SeriesJudgement(MRSequence.T1GD, Reason.AGENT_IN_HEADER, header.agent)
    if any(_found(text, words.STUDY) for text in texts):
        return SeriesJudgement(None, Reason.BEFORE_AND_AFTER)
    return SeriesJudgement(sequence, Reason.NAME, told)


def _contrast_in(text: str, *, alone: bool = False) -> str:
    """The words that tell of the contrast agent, beside a T1 or alone."""
    left = _without(text, words.STUDY, words.DENIED, words.AFTER_TREATMENT)
    return _found(left, words.CONTRAST if alone else f"{words.CONTRAST}|{words.CONTRAST_BESIDE_T1}")


def _denied_in(text: str) -> str:
    return _found(_without(text, words.STUDY), words.DENIED)


def _without(text: str, *patterns: str) -> str:
    for pattern in patterns:
        text = _bounded(pattern).sub(" ", text)
    return text


def _found(text: str, pattern: str) -> str:
    match = _bounded(pattern).search(text)
    return match[0].strip() if match else ""


@functools.cache
def _bounded(pattern: str) -> re.Pattern[str]:
    return re.compile(words.BOUNDED.format(pattern))


@functools.lru_cache(maxsize=1024)
def _readings(name: str) -> tuple[str, ...]:
    """A name as it stands, and with its camel case taken apart where that makes a difference."""
    name = re.sub(r"(?<![A-Za-z])[cC]T1(?!\d)", "T1 CE", name)  # as LUMIERE names T1Gd
    plain, parted = _spaced(name), _spaced(re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name))
    return (plain,) if plain == parted else (plain, parted)


def _spaced(name: str) -> str:
    """Small letters without accents; the joints of a name are single spaces, and "t1" and "t2" stand alone."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    text = unicodedata.normalize("NFC", bare)  # puts the syllables of Korean together again
    text = text.translate(words.LETTERS).lower()
    for pattern, replacement in words.REWRITTEN:
        text = re.sub(pattern, replacement, text)
    return re.sub(r"\s+", " ", text).strip()
