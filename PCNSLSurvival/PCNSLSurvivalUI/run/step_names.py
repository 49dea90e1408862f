"""The steps of a run in the user's language."""

from __future__ import annotations

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.terms import Step


def nameOf(step: Step) -> str:
    """The step as it stands in the panel."""
    names = {
        Step.READ: _("Read and check"),
        Step.BIAS_FIELD: _("Bias field correction (N4)"),
        Step.REGISTRATION: _("Registration to T1Gd"),
        Step.BRAIN_EXTRACTION: _("Brain extraction"),
        Step.NORMALIZATION: _("Intensity normalization"),
        Step.RESAMPLING: _("Resampling to 1 mm"),
        Step.NETWORK_GRID: _("Network grid"),
        Step.CONTRAST: _("T1Gd against T1"),
        Step.PREDICTION: _("3D ResNet"),
        Step.GRAD_CAM: _("Grad-CAM"),
        Step.MAP_TO_PATIENT: _("Map resampled to T1Gd"),
        Step.LESION_OUTLINE: _("Lesion outline (proposal)"),
        Step.EXPLANATION_CHECKS: _("Explanation checks"),
        Step.WITHOUT_LESION: _("Without the lesion"),
        Step.ROBUSTNESS: _("Robustness"),
        Step.REPORT: _("Report"),
    }
    return names[step]
