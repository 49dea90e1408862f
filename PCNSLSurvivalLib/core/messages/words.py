"""Words that stand for a value in other messages."""

from __future__ import annotations

from PCNSLSurvivalLib.core.messages.marked import marked as _

TEMPLATES = {
    "word.brain_mask": _("brain mask"),
    "word.copies": _("second copies of slices ({count})"),
    "word.disc_indexes": _("indexes of a disc ({count})"),
    "word.lesion_mask": _("lesion mask"),
    "word.localizers": _("localizer images ({count})"),
    "word.no_dicom": _("files that are not DICOM ({count})"),
    "word.objects_without_image": _("objects without an image ({count})"),
    "word.secondary_captures": _("secondary captures ({count})"),
    "word.volume": _("volume"),
}
