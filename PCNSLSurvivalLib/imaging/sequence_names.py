"""What a file name says: which sequence, which mask, which case."""

from __future__ import annotations

import re
from pathlib import Path

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.io import FILE_ENDINGS

# Words of a name in small letters, one space between them.
_T1 = r"t1|mp ?rage|spgr"
# Names of a contrast agent, which suggest T1Gd by themselves where no word suggests T2 or FLAIR.
_AGENT = r"(?:gd|gad)(?![a-z])|gado|(?:\+ ?c|c\+)(?![a-z])"
# Words that make a T1 a T1Gd: "T1 post" is after contrast, "T1 post op" after surgery; "T1 C" is no cervical spine.
_CONTRAST = (
    r"(?:t1(?:w|wi)?|mp ?rage|spgr) ?c(?![a-z]| ?spine)|"
    r"(?:t1(?:w|wi)?|(?<![a-z]))(?:ce|km|enhanced|post(?! ?(?:op|surg|treat|ther|rt|radi|chemo|resec|biops|process)))"
    r"(?![a-z])|"
    r"post(?:contrast|gd|gad|km)|contrast ?enhanced|t13d"
)
_DENIED = (
    r"(?<![a-z])(?:pre|no|non|not|without|w ?o|ohne|un|vor) ?"
    r"(?:contrast ?enhanced|contrast|gd|gad\w*|km|ce|enhanced)(?![a-z])"
)
_NO_SCAN = re.compile(r"seg|mask|label|lesion|roi", re.IGNORECASE)
_BRAIN_MASK = re.compile(r"brain.?mask|mask.?brain|brainmask", re.IGNORECASE)
_LESION_MASK = re.compile(r"lesion|tumou?r|(?<![a-z])roi|seg(?![a-z])|segm", re.IGNORECASE)


def sequence_of(name: str) -> MRSequence | None:
    """The sequence that a free file name suggests; None if it names none, or a mask."""
    return None if _NO_SCAN.search(name) else _sequence_in(name)


def masks_in(paths: list[Path]) -> tuple[Path | None, Path | None]:
    """Brain mask and lesion mask on the T1Gd voxel grid among some files.

    A mask whose name suggests another sequence belongs to that sequence's voxels and is ignored.
    """
    fitting = [path for path in paths if _sequence_in(stem(path)) in (MRSequence.T1GD, None)]
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
    """The file's name without the ending of its format."""
    return re.sub(r"\.(nii\.gz|nii|nrrd|nhdr|mha|mhd)$", "", path.name, flags=re.IGNORECASE)


def _sequence_in(name: str) -> MRSequence | None:
    words = re.sub(_DENIED, " ", re.sub(r"[\s_.,/()\[\]-]+", " ", name.lower()))
    is_t1 = re.search(_T1, words) is not None
    weak = "contrast" in words and not re.search(r"(?<![a-z])pre(?![a-z])", words)
    # T1Gd is asked for before T1: every name of a post-contrast T1 also holds "t1".
    if is_t1 and (weak or re.search(f"{_AGENT}|{_CONTRAST}", words)):
        return MRSequence.T1GD
    if re.search(r"flair|t2 ?f(?![a-z])", words):
        return MRSequence.FLAIR
    if "t2" in words:
        return MRSequence.T2
    if re.search(_AGENT, words):
        return MRSequence.T1GD
    return MRSequence.T1 if is_t1 else None
