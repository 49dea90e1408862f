"""The fields of a DICOM header that indicate the sequence; no name, date or identifier is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.dicom.acquisition import Acquisition, acquisition_of_first, says_no_agent
from PCNSLSurvivalLib.imaging.dicom.elements import DamagedDicomError, Elements, NoDicomError, read_data_set
from PCNSLSurvivalLib.imaging.headers.regular_files import kind_of

TAGS = {
    "modality": (0x0008, 0x0060),
    "image_type": (0x0008, 0x0008),
    "derivation": (0x0008, 0x2111),
    "description": (0x0008, 0x103E),
    "protocol": (0x0018, 0x1030),
    "body_part": (0x0018, 0x0015),
    "contrast_agent": (0x0018, 0x0010),
    "contrast_volume": (0x0018, 0x1041),
    "scanning_sequence": (0x0018, 0x0020),
    "angiography": (0x0018, 0x0025),
    "b_value": (0x0018, 0x9087),
    "repetition_ms": (0x0018, 0x0080),
    "echo_ms": (0x0018, 0x0081),
    "inversion_ms": (0x0018, 0x0082),
    "slice_mm": (0x0018, 0x0050),
}
"""Group and element of every field of ``SeriesHeader``."""

_INGREDIENT, _AGENT_SEQUENCE, _CODE_MEANING = 0x00181048, 0x00180012, 0x00080104
_SHARED, _PIXEL_MEASURES, _THICKNESS = 0x52009229, 0x00289110, 0x00180050

_TRIED = 5
"""Files of a folder that are opened until one is DICOM."""

_OTHER_TYPES = re.compile(
    r"SUBTR.*|SUB|.*DIFF.*|RATIO|"
    r"MIP|M_?I_?P|MIN_?IP|PROJECTION IMAGE|ADC|ADC_\w+|TRACEW?|FA|TENSOR\w*|PERFUSION\w*|"
    r"ASL|R?CB[VF]|MTT|TTP|TMAX|LOCALIZER|SCREEN ?SAVE|P|PHASE\w*|PHASE MAP|SWI|T1 ?MAP|T2 ?MAP|T2_?STAR ?MAP|FMRI|"
    r"DWI|DTI|TOF|ANGIO\w*|SPECTRO\w*|\w*FIELD_?MAP\w*"
)

_SUBTRACTED = re.compile(r"subtract\w*|subtrak\w*|soustract\w*|sottra\w*|sustrac\w*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class SeriesHeader:
    """What a DICOM header says about a sequence; empty texts and None where it says nothing."""

    modality: str = ""
    image_type: str = ""
    """Values with a backslash between them, as in the file."""
    derivation: str = ""
    """How the image was made from others, in words."""
    description: str = ""
    protocol: str = ""
    body_part: str = ""
    contrast_agent: str = ""
    contrast_volume: float | None = None
    scanning_sequence: str = ""
    angiography: str = ""
    b_value: float | None = None
    repetition_ms: float | None = None
    echo_ms: float | None = None
    inversion_ms: float | None = None
    slice_mm: float | None = None

    @classmethod
    def read(cls, value_of: Callable[[int, int], object]) -> SeriesHeader:
        """Make the record from anything that gives the value of a DICOM tag.

        Args:
            value_of: Value by group and element; None or an empty text where the header has none.
        """
        fields: dict[str, str | float | None] = {}
        for name, tag in TAGS.items():
            value = value_of(*tag)
            values = [value] if isinstance(value, str) or not isinstance(value, Sequence) else value
            text = "\\".join("" if one is None else str(one).strip() for one in values)
            numeric = name in ("contrast_volume", "b_value", "slice_mm") or name.endswith("_ms")
            fields[name] = _number(text) if numeric else text
        return cls(**fields)  # type: ignore[arg-type]

    @property
    def agent(self) -> str:
        """The contrast agent that was given; empty where the header names none, or says that none was given."""
        if says_no_agent(self.contrast_agent) or self.contrast_volume == 0:
            return ""
        return self.contrast_agent

    def other_image(self) -> str:
        """What tells that this is no anatomical image: a derived map, diffusion, angiography; empty where nothing."""
        kinds = [kind.strip().upper() for kind in self.image_type.split("\\")]
        told = next((kind for kind in kinds if _OTHER_TYPES.fullmatch(kind)), "")
        if told:
            return told
        if found := _SUBTRACTED.search(self.derivation):
            return found[0]
        if self.b_value:
            return f"b = {self.b_value:g} s/mm²"
        if self.angiography.strip().upper() == "Y":
            return "angiography"
        return "echo-planar" if "EP" in self.scanning_sequence.upper().split("\\") else ""

    def weighting(self) -> MRSequence | None:
        """T1, T2 or FLAIR by repetition, echo and inversion time; the limits are wide and set by judgement."""
        if self.echo_ms is None:
            return None
        repetition, inversion = self.repetition_ms or 0.0, self.inversion_ms or 0.0
        if self.echo_ms >= 60:
            return MRSequence.FLAIR if inversion > 1500 else MRSequence.T2 if repetition >= 1800 else None
        if "GR" in self.scanning_sequence.upper().split("\\") and self.echo_ms >= 12 and not inversion:
            return None  # weighted by susceptibility
        # An inversion pulse gives T1 contrast at a long repetition time (MPRAGE).
        return MRSequence.T1 if self.echo_ms < 30 and (0 < repetition < 1200 or 300 <= inversion <= 1300) else None

    def timing_in_words(self) -> str:
        """Repetition, echo and inversion time as a radiologist writes them: "TR 550, TE 12 ms"."""
        times = {"TR": self.repetition_ms, "TE": self.echo_ms, "TI": self.inversion_ms}
        return ", ".join(f"{name} {ms:g}" for name, ms in times.items() if ms is not None) + " ms"


def read_series_header(folder: Path) -> SeriesHeader:
    """The header of the first DICOM file of a folder, as far as it tells the sequence.

    Args:
        folder: Holds the files of one series.

    Returns:
        An empty record where none of the first files is DICOM.
    """
    for path in sorted(path for path in folder.iterdir() if kind_of(path) == "file")[:_TRIED]:
        try:
            elements = read_data_set(path).elements
            return SeriesHeader.read(partial(_value, elements, acquisition_of_first(elements)))
        except (NoDicomError, DamagedDicomError, OSError):  # the reader of the voxels says what is wrong with it
            continue
    return SeriesHeader()


def _value(elements: Elements, acquisition: Acquisition, group: int, element: int) -> object:
    """A field of the file; an enhanced object keeps what was set at the scanner with its frames."""
    of_frames = {
        TAGS["b_value"]: acquisition.b_value,
        TAGS["repetition_ms"]: acquisition.repetition_ms,
        TAGS["echo_ms"]: acquisition.echo_ms,
        TAGS["inversion_ms"]: acquisition.inversion_ms,
    }
    if (group, element) in of_frames:
        return of_frames[group, element]
    text = elements.readable(group << 16 | element)
    if (group, element) == TAGS["image_type"] and acquisition.part in ("phase", "imaginary"):
        return [*elements.words(group << 16 | element), "PHASE"]
    if (group, element) == TAGS["contrast_agent"]:
        agents = [agent for agent in elements.items.get(_AGENT_SEQUENCE, []) if agent.values or agent.items]
        if (text or agents) and not acquisition.agent:
            return ""  # named for the exam, but not in the patient at this frame
        named = [agent.readable(_CODE_MEANING) or "contrast agent" for agent in agents]
        return text or elements.readable(_INGREDIENT) or ", ".join(named)
    if not text and (group, element) == TAGS["slice_mm"]:
        shared = elements.item(_SHARED)
        measures = None if shared is None else shared.item(_PIXEL_MEASURES)
        return "" if measures is None else measures.text(_THICKNESS)
    return text


def _number(text: str) -> float | None:
    try:
        return float(text.split("\\")[0])
    except ValueError:
        return None
