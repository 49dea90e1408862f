"""What a JSON file beside a scan says of its sequence, as dcm2niix and BIDS write it.

References:
    BIDS 1.10, Magnetic Resonance Imaging: times are in seconds. dcm2niix follows it.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.core.storage.strict_json import read_foreign_json
from PCNSLSurvivalLib.imaging.sequences.header import SeriesHeader

_ENDINGS = re.compile(r"\.(?:nii(?:\.gz)?|nrrd|nhdr|mha|mhd|hdr|img)$", re.IGNORECASE)
_LONGEST_SECONDS = {"EchoTime": 1.0, "RepetitionTime": 30.0, "InversionTime": 10.0}
"""A longer time is none of a scanner in seconds; some programs write all times in milliseconds."""
_ALSO_OF_HEADS = re.compile("HEAD|NECK|BRAIN", re.IGNORECASE)


def sidecar_of(scan: Path) -> Path:
    """Where the sidecar of a scan lies, if there is one."""
    return scan.with_name(_ENDINGS.sub("", scan.name) + ".json")


def read_sidecar(scan: Path) -> SeriesHeader:
    """The header of the series a scan was converted from.

    Its protocol is left out: on some scanners it names the whole exam, such as "Brain and spine", and not the series.

    Args:
        scan: A NIfTI, NRRD or MetaImage file; ``NAME.json`` lies beside ``NAME.nii.gz``.

    Returns:
        An empty record where there is no such file, or none that can be read.
    """
    said = read_foreign_json(sidecar_of(scan))
    times = {field: _number(said, field) for field in _LONGEST_SECONDS}
    in_ms = any(value is not None and value > _LONGEST_SECONDS[field] for field, value in times.items())
    ms = {
        field: None if value is None else round(value if in_ms else 1000 * value, 3) for field, value in times.items()
    }
    region, modality = _text(said, "BodyPartExamined"), _text(said, "Modality").upper()
    return SeriesHeader(
        modality="MR" if modality in ("MRI", "MAGNETIC RESONANCE") else modality,
        image_type=_text(said, "ImageType"),
        derivation=_text(said, "DerivationDescription"),
        description=_text(said, "SeriesDescription"),
        body_part="" if _ALSO_OF_HEADS.search(region) else region,
        contrast_agent=_text(said, "ContrastBolusAgent") or _text(said, "ContrastBolusIngredient"),
        # dcm2niix puts an underscore between the values: "GR_IR".
        scanning_sequence=re.sub(r"[_ /]+", r"\\", _text(said, "ScanningSequence")),
        repetition_ms=ms["RepetitionTime"],
        echo_ms=ms["EchoTime"],
        inversion_ms=ms["InversionTime"],
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
