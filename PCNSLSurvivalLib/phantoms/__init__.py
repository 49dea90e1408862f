"""Virtual patients with every truth kept.

``demonstration_patient`` makes the one of ``make demo``, ``reference_patient`` the one that tests and benchmarks
measure on; ``scan_patient`` makes any from three values: who (``PatientAnatomy``), what disease (``LesionPlan``) and
how scanned (``Protocol``).
"""

from PCNSLSurvivalLib.phantoms.demonstration import demonstration_patient
from PCNSLSurvivalLib.phantoms.patient import (
    VirtualPatient,
    reference_patient,
    scan_patient,
)
from PCNSLSurvivalLib.phantoms.truth import write_patient, write_truth

__all__ = [
    "VirtualPatient",
    "demonstration_patient",
    "reference_patient",
    "scan_patient",
    "write_patient",
    "write_truth",
]
