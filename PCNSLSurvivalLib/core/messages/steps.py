"""The steps on the way from a scan to a result, as they stand beside a progress bar."""

from __future__ import annotations

from PCNSLSurvivalLib.core.messages.marked import marked as _

TEMPLATES = {
    "step.bias_field": _("Bias field correction (N4)"),
    "step.brain_extraction": _("Brain extraction"),
    "step.contrast": _("T1Gd against T1"),
    "step.explanation_checks": _("Explanation checks"),
    "step.grad_cam": _("Grad-CAM"),
    "step.lesion_outline": _("Lesion outline (proposal)"),
    "step.map_to_patient": _("Map resampled to T1Gd"),
    "step.network_grid": _("Network grid"),
    "step.normalization": _("Intensity normalization"),
    "step.prediction": _("3D ResNet"),
    "step.read": _("Read and check"),
    "step.registration": _("Registration to T1Gd"),
    "step.report": _("Report"),
    "step.resampling": _("Resampling to 1 mm"),
    "step.robustness": _("Robustness"),
    "step.without_lesion": _("Without the lesion"),
}
