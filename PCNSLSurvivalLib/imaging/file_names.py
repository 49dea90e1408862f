"""Files of a cohort by their names: volumes and masks."""

from __future__ import annotations

import re
from pathlib import Path

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.io import FILE_ENDINGS
from PCNSLSurvivalLib.imaging.sequences import words
from PCNSLSurvivalLib.imaging.sequences.names import names_any, spoken_sequence

_BRAIN_MASK = re.compile(r"brain.?mask|mask.?brain|brainmask", re.IGNORECASE)
_WEIGHTING = "|".join((words.T1, *words.BESIDE_T1.values()))
_LESION_MASK = re.compile(r"lesion|tumou?r|(?<![a-z])roi|seg(?![a-z])|segm", re.IGNORECASE)


def masks_in(paths: list[Path]) -> tuple[Path | None, Path | None]:
    """Brain mask and lesion mask on the voxels of T1Gd among some files.

    A mask whose name suggests another sequence belongs to that sequence's voxels and is left aside.
    """
    spoken = {path: spoken_sequence(stem(path)) for path in paths}
    fitting = [path for path, said in spoken.items() if said is None or said[0] in (MRSequence.T1GD, None)]
    brain = [path for path in fitting if _BRAIN_MASK.search(stem(path))]
    lesion = [path for path in fitting if path not in brain and _LESION_MASK.search(stem(path))]
    return next(iter(brain), None), next(iter(lesion), None)


def volumes_in(folder: Path) -> list[Path]:
    """Files of a folder that can hold a volume, in the order of their names; hidden ones are no scans.

    A link whose file is not on this computer counts: who uses it says so (see ``imaging.fetched_files``).
    """
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.name.lower().endswith(FILE_ENDINGS)
        and not path.name.startswith(".")
        and (path.is_file() or path.is_symlink())
    )


def stem(path: Path) -> str:
    """The file's name without the ending of its format; a byte that is not UTF-8 is written as its code."""
    name = path.name.encode("utf-8", "backslashreplace").decode("utf-8")
    return re.sub(r"\.(nii\.gz|nii|hdr|nrrd|nhdr|mha|mhd)$", "", name, flags=re.IGNORECASE)


def name_of_series(path: Path, patient: str) -> str:
    """The name of a file or folder without the patient's before it: initials such as KM or GD mean an agent as well.

    Args:
        path: A scan of the patient.
        patient: Name of the patient's folder. One that tells a weighting, such as T1, is taken for no patient.
    """
    name = stem(path)
    if names_any(patient, _WEIGHTING):
        return name
    return re.sub(rf"^{re.escape(patient)}(?![A-Za-z0-9])[\W_]*", "", name, count=1, flags=re.IGNORECASE) or name
