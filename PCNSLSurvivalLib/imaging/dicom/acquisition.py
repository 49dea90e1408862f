"""How each frame of a DICOM series was acquired, and whether all of them were acquired alike.

Archives drop what they take for copies: of two echoes with one image number, half the slices of each remain. Their
positions make one sound block, so only what was set at the scanner tells that two volumes are mixed.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.dicom.elements import Elements

_IMAGE_TYPE, _FRAME_TYPE, _AGENT = 0x00080008, 0x00089007, 0x00180010
_REPETITION, _ECHO, _INVERSION, _FLIP, _B_VALUE, _TIME = (
    *(0x00180080, 0x00180081, 0x00180082, 0x00181314, 0x00189087, 0x00200100),
)
_USAGE_MACRO, _ADMINISTERED, _AGENT_SEQUENCE = 0x00189341, 0x00189342, 0x00180012
_NAMED = (
    (Message("word.series_description"), 0x0008103E),
    (Message("word.series_number"), 0x00200011),
    (Message("word.protocol"), 0x00181030),
    (Message("word.scan_options"), 0x00180022),
    (Message("word.echo_number"), 0x00180086),
    (Message("word.pulse_sequence"), 0x00180024),
    (Message("word.study_date"), 0x00080020),
)
"""What is one text for all slices of a volume."""
_EFFECTIVE_ECHO, _TIME_INDEX = 0x00189082, 0x00209128
_INVERSION_TIMES = 0x00189079
_ECHO_MACRO, _TIMING_MACRO, _MODIFIER_MACRO, _DIFFUSION_MACRO, _TYPE_MACRO, _CONTENT_MACRO = (
    *(0x00189114, 0x00189112, 0x00189115, 0x00189117, 0x00189226, 0x00209111),
)
_MEASURES_MACRO, _THICKNESS, _TESLA, _MATRIX = 0x00289110, 0x00180050, 0x00180087, 0x00181310
_SHARED, _PER_FRAME = 0x52009229, 0x52009230

_COMPONENT, _GE_CREATOR, _GE_PART = 0x00089208, 0x00430010, 0x0043102F
_GE_PARTS = {0: "magnitude", 1: "phase", 2: "real", 3: "imaginary"}
"""Which one vendor writes in a private element, beside the same image type for all."""
_PARTS = {
    **dict.fromkeys(("M", "MAGNITUDE"), "magnitude"),
    **dict.fromkeys(("P", "PHASE"), "phase"),
    **dict.fromkeys(("R", "REAL"), "real"),
    **dict.fromkeys(("I", "IMAGINARY"), "imaginary"),
    **dict.fromkeys(("W", "WATER"), "water"),
    **dict.fromkeys(("F", "FAT"), "fat"),
    **dict.fromkeys(("IN", "IN_PHASE", "IN-PHASE", "IP"), "in phase"),
    **dict.fromkeys(("OUT", "OUT_PHASE", "OUT-PHASE", "OPP_PHASE", "OP"), "out of phase"),
}
_NO_AGENT = re.compile(
    r"\W*(?:n|no|none|non(?!.?ionic)|nil|null|0(?:[.,]0+)?(?![.,]?\d)|n/?a|false|unknown|without|w/?o|unenhanced|native?|"
    r"nein|nicht|ohne|kein\w*|sans|aucun\w*|sin|ning[uú]n\w*|senza|nessun\w*|sem|nenhum\w*|zonder|geen|nej|uden|"
    r"utan|brak|bez|без|нет)\b.*|(?:无|無|なし|없음).*|\W*"
)
"""What is written in the field of the contrast agent where none was given."""
_ALIKE = 0.15
"""Times and angles of one volume differ by less: scanners round them, and adapt them to a heartbeat."""
_ALIKE_THICKNESS = 0.02
"""Of rounding alone: the slices of one volume have one thickness."""


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """What was set for one frame; None where the file does not say.

    Attributes:
        echo_ms: Echo time.
        repetition_ms: Repetition time.
        inversion_ms: Inversion time.
        flip_degrees: Flip angle.
        b_value: Diffusion weighting in s/mm².
        time_point: Number of the time point.
        thickness_mm: Slice thickness.
        field_t: Field strength of the scanner.
        part: Part of the signal: magnitude, phase, real, imaginary, water, fat.
        image_type: Values of the image or frame type in capitals, with a backslash between them.
        agent: Whether a contrast agent is named, or said to be in the patient at this frame.
        matrix: Acquisition matrix and its directions as stored; empty where the file has none.
        named: Texts that all slices of a volume share, in the order of ``_NAMED``; empty where the file has none.
    """

    echo_ms: float | None
    repetition_ms: float | None
    inversion_ms: float | None
    flip_degrees: float | None
    b_value: float | None
    time_point: float | None
    thickness_mm: float | None
    field_t: float | None
    part: str | None
    image_type: str
    agent: bool
    matrix: bytes
    named: tuple[str, ...]


def acquisition_of(top: Elements, groups: Sequence[Elements]) -> Acquisition:
    """Read how a frame was acquired.

    Args:
        top: Elements of its file.
        groups: Functional groups of the frame, its own before the shared ones; none in a file of one slice.
    """

    def number(macro: int, tag: int, classic: int) -> float | None:
        found = next((n for g in groups if (i := g.item(macro)) and (n := _number(i, tag)) is not None), None)
        return _number(top, classic) if found is None else found

    kinds = [i.words(_FRAME_TYPE) for g in groups if (i := g.item(_TYPE_MACRO)) is not None]
    words = kinds[0] if kinds and kinds[0] else top.words(_IMAGE_TYPE)
    return Acquisition(
        echo_ms=number(_ECHO_MACRO, _EFFECTIVE_ECHO, _ECHO),
        repetition_ms=number(_TIMING_MACRO, _REPETITION, _REPETITION),
        inversion_ms=number(_MODIFIER_MACRO, _INVERSION_TIMES, _INVERSION),
        flip_degrees=number(_TIMING_MACRO, _FLIP, _FLIP),
        b_value=number(_DIFFUSION_MACRO, _B_VALUE, _B_VALUE),
        time_point=number(_CONTENT_MACRO, _TIME_INDEX, _TIME),
        thickness_mm=number(_MEASURES_MACRO, _THICKNESS, _THICKNESS),
        field_t=_number(top, _TESLA),
        part=_part_of(top, words),
        image_type="\\".join(words).upper(),
        agent=_agent_in(top, groups),
        matrix=top.values.get(_MATRIX, b""),
        named=tuple(top.readable(tag) for _, tag in _NAMED),
    )


def _part_of(top: Elements, image_type: Sequence[str]) -> str | None:
    component = _PARTS.get(top.text(_COMPONENT).upper(), "magnitude")
    if component != "magnitude":
        return component
    words = [re.sub(r"^([MPRI])_\w+$|^(PHASE) MAP$", r"\1\2", word.upper()) for word in image_type[2:]]
    if (told := next((_PARTS[word] for word in words if word in _PARTS), None)) is not None:
        return told
    private = top.values.get(_GE_PART, b"") if top.text(_GE_CREATOR) == "GEMS_PARM_01" else b""
    return _GE_PARTS.get(struct.unpack(top.order + "h", private)[0]) if len(private) == 2 else None


def _agent_in(top: Elements, groups: Sequence[Elements]) -> bool:
    usage = next((item for group in groups if (item := group.item(_USAGE_MACRO)) is not None), None)
    if usage is not None and (said := usage.text(_ADMINISTERED).upper()):
        return said == "YES"
    return not says_no_agent(top.readable(_AGENT)) or any(
        agent.values or agent.items for agent in top.items.get(_AGENT_SEQUENCE, [])
    )


def says_no_agent(text: str) -> bool:
    """Whether the field of the contrast agent is empty, or says in words that none was given."""
    return _NO_AGENT.fullmatch(text.lower()) is not None


def acquisition_of_first(top: Elements) -> Acquisition:
    """How the first frame of a file was acquired; ``top`` holds the elements of the file."""
    groups = [found[0] for tag in (_PER_FRAME, _SHARED) if (found := top.items.get(tag))]
    return acquisition_of(top, groups)


def mixed(acquisitions: Sequence[Acquisition]) -> Message | None:
    """The first setting in which the slices of one volume differ; None where they were acquired alike."""
    for what, values, alike in (
        (Message("word.echo_time"), [one.echo_ms for one in acquisitions], _ALIKE),
        (Message("word.inversion_time"), [one.inversion_ms for one in acquisitions], _ALIKE),
        (Message("word.repetition_time"), [one.repetition_ms for one in acquisitions], _ALIKE),
        (Message("word.flip_angle"), [one.flip_degrees for one in acquisitions], _ALIKE),
        (Message("word.b_value"), [one.b_value for one in acquisitions], _ALIKE),
        (Message("word.time_point"), [one.time_point for one in acquisitions], _ALIKE),
        (Message("word.slice_thickness"), [one.thickness_mm for one in acquisitions], _ALIKE_THICKNESS),
        (Message("word.field_strength"), [one.field_t for one in acquisitions], _ALIKE),
    ):
        stated = np.array([value for value in values if value is not None])
        if stated.size and np.ptp(stated) > alike * np.abs(stated).max():
            return what
    if len({one.part for one in acquisitions if one.part is not None}) > 1:
        return Message("word.part_of_the_signal")
    if len({one.image_type for one in acquisitions} - {""}) > 1:
        return Message("word.image_type")
    if len({one.agent for one in acquisitions}) > 1:
        return Message("word.contrast_agent")
    if len({one.matrix for one in acquisitions} - {b""}) > 1:
        return Message("word.acquisition_matrix")
    for place, (what, _) in enumerate(_NAMED):
        if len({one.named[place] for one in acquisitions} - {""}) > 1:
            return what
    return None


def _number(elements: Elements, tag: int) -> float | None:
    """A number, decimal or binary; None where the element is absent or holds something else."""
    value = elements.values.get(tag, b"")
    if tag in (_EFFECTIVE_ECHO, _B_VALUE, _INVERSION_TIMES):
        found = struct.unpack_from(elements.order + "d", value)[0] if len(value) >= 8 else np.nan
    elif tag == _TIME_INDEX:
        found = struct.unpack(elements.order + "I", value)[0] if len(value) == 4 else np.nan
    else:
        try:
            found = float((elements.words(tag) or [""])[0])
        except ValueError:
            return None
    return float(found) if np.isfinite(found) else None
