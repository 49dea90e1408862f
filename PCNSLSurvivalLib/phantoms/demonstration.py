"""The patient of ``make demo`` and of Slicer's Sample Data."""

from __future__ import annotations

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.phantoms.cohort import CohortPlan, draw_patient
from PCNSLSurvivalLib.phantoms.patient import VirtualPatient, scan_patient
from PCNSLSurvivalLib.phantoms.scanner.protocol import VIRTUAL_SEQUENCES

# Of the cohort on which version 1.0.0 of the bundled model was judged; none of its patients was trained on.
_COHORT = CohortPlan(patients=100, seed=2024)
_NUMBER = 33


def demonstration_patient(*, sequences: tuple[MRSequence, ...] = VIRTUAL_SEQUENCES) -> VirtualPatient:
    """A virtual patient with one lymphoma of the basal ganglia, new to the bundled model.

    Args:
        sequences: Which sequences to acquire.
    """
    member = draw_patient(_COHORT, _NUMBER)
    return scan_patient(member.anatomy, member.plan, member.protocol, sequences=sequences)
