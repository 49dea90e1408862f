"""Why a series was taken for its sequence, or for none, and which of several was chosen: parts of other sentences."""

from __future__ import annotations

from PCNSLSurvivalLib.core.messages.marked import marked as _

TEMPLATES = {
    "series.agent_in_header": _("its DICOM header names a contrast agent ({told})"),
    "series.before_and_after": _("its name tells of before and after the contrast agent"),
    "series.chosen": _(
        "{count} series could be {sequence}: '{chosen}' was chosen, because {reason}; left aside: {others}."
    ),
    "series.contradiction": _("its name says '{told}', which its DICOM header contradicts"),
    "series.first": _("it comes first"),
    "series.image_type": _("its DICOM header tells of another kind of image ({told})"),
    "series.modality": _("its DICOM header says that it is no MR image ({told})"),
    "series.name": _("its name says '{told}'"),
    "series.no_fat_saturation": _("it is without fat saturation"),
    "series.no_scan": _("its name tells of a mask or a result, not of a scan ('{told}')"),
    "series.no_tumor": _("the other name tells of a tumor, which may be a mask"),
    "series.original": _("it is as acquired, not reformatted or registered"),
    "series.other_image": _("its name tells of another kind of image ('{told}')"),
    "series.other_region": _("it shows another part of the body ('{told}')"),
    "series.silent": _("neither its name nor a DICOM header tells its sequence"),
    "series.thinner": _("its slices are thinner"),
    "series.three_d": _("it is three-dimensional"),
    "series.timing": _("its DICOM header says {told}"),
}
