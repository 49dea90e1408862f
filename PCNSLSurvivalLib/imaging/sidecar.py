"""What a JSON file beside a scan says of its sequence, as dcm2niix and BIDS write it.

References:
    BIDS 1.10, Magnetic Resonance Imaging: times are in seconds. dcm2niix follows it.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.core.strict_json import read_foreign_json
from PCNSLSurvivalLib.imaging.series_header import SeriesHeader

_ENDINGS = re.compile(r"\.(?:nii(?:\.gz)?|nrrd|nhdr|mha|mhd|hdr|img)$", re.IGNORECASE)
_LONGEST_SECONDS = {"RepetitionTime": 30.0, "EchoTime": 1.0, "InversionTime": 10.0}
"""A longer time is none of a scanner in seconds; some programs write milliseconds."""


def read_sidecar(scan: Path) -> SeriesHeader:
    """The header of the series a scan was converted from.

    Args:
        scan: A NIfTI, NRRD or MetaImage file; ``NAME.json`` lies beside ``NAME.nii.gz``.

    Returns:
        An empty record where there is no such file, or none that can be read.
    """
    path = scan.with_name(_ENDINGS.sub("", scan.name) + ".json")
    said = read_foreign_json(path)
    return SeriesHeader(
        modality=_text(said, "Modality").upper(),
        image_type=_text(said, "ImageType"),
        derivation=_text(said, "DerivationDescription"),
        description=_text(said, "SeriesDescription"),
        protocol=_text(said, "ProtocolName"),
        body_part=_text(said, "BodyPartExamined"),
        contrast_agent=_text(said, "ContrastBolusAgent") or _text(said, "ContrastBolusIngredient"),
        # dcm2niix puts an underscore between the values: "GR_IR".
        scanning_sequence=re.sub(r"[_ /]+", r"\\", _text(said, "ScanningSequence")),
        repetition_ms=_milliseconds(said, "RepetitionTime"),
        echo_ms=_milliseconds(said, "EchoTime"),
        inversion_ms=_milliseconds(said, "InversionTime"),
        slice_mm=_number(said, "SliceThickness"),
    )


def _text(said: dict[str, Any], field: str) -> str:
    value = said.get(field)
    values = value if isinstance(value, list) else [value]
    return "\\".join(one.strip() for one in values if isinstance(one, str))[:400]


def _number(said: dict[str, Any], field: str) -> float | None:
    value = said.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        return None
    return float(value)


def _milliseconds(said: dict[str, Any], field: str) -> float | None:
    value = _number(said, field)
    if value is None:
        return None
    return round(value if value > _LONGEST_SECONDS[field] else 1000 * value, 3)
