"""Reasons for the sequence of a series and for the choice among several series: parts of other sentences."""

from __future__ import annotations

from PCNSLSurvivalLib.core.marked import marked as _

TEMPLATES = {
    "series.agent_in_header": _("its DICOM header or JSON sidecar names a contrast agent"),
    "series.before_and_after": _("its name suggests scans both before and after contrast"),
    "series.chosen": _(
        "{count} series could be {sequence}: '{chosen}' was chosen, because {reason}; not used: {others}."
    ),
    "series.contradiction": _("its name says '{told}', which its DICOM header or JSON sidecar contradicts"),
    "series.first": _("it comes first"),
    "series.image_type": _("its DICOM header or JSON sidecar indicates another kind of image ({told})"),
    "series.modality": _("its DICOM header or JSON sidecar states that it is not an MR image ({told})"),
    "series.name": _("its name says '{told}'"),
    "series.no_fat_saturation": _("it is without fat saturation"),
    "series.no_scan": _("its name suggests a mask or a result, not a scan ('{told}')"),
    "series.no_tumor": _("the other name mentions a tumor, so it may be a mask"),
    "series.original": _("it is as acquired, not reformatted or registered"),
    "series.other_image": _("its name suggests another kind of image ('{told}')"),
    "series.other_region": _("it shows another part of the body ('{told}')"),
    "series.silent": _("neither its name nor a DICOM header or JSON sidecar states its sequence"),
    "series.thinner": _("its slices are thinner"),
    "series.three_d": _("it is three-dimensional"),
    "series.timing": _("its DICOM header or JSON sidecar says {told}"),
}
