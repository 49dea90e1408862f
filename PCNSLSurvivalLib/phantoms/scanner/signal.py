"""From relaxation times to signal: the textbook equations of the sequences."""

from __future__ import annotations

import math

from PCNSLSurvivalLib.phantoms.anatomy.tissues import RELAXATION, Tissue
from PCNSLSurvivalLib.phantoms.scanner.protocol import SequenceProtocol

# Gadolinium chelates in plasma at 1.5 T and 37 degrees, per mmol/L and second.
_R1_PER_MMOL_S = 4.3
_R2_PER_MMOL_S = 5.2


def signal_of(tissue: Tissue, protocol: SequenceProtocol) -> float:
    """Signal of a voxel full of one tissue, relative to fully relaxed water.

    Args:
        tissue: The tissue; its gadolinium counts when the sequence is acquired after contrast.
        protocol: Timing of the sequence.

    Returns:
        Signal, 0 to 1.

    References:
        Haacke et al., Magnetic Resonance Imaging: Physical Principles and Sequence Design, 1999.
        Rohrer et al., Comparison of magnetic properties of MRI contrast media solutions at different magnetic
        field strengths, Invest Radiol 40(11), 2005. doi:10.1097/01.rli.0000184756.66360.d3 (relaxivities)
    """
    values = RELAXATION[tissue]
    dose = values.gadolinium_mmol_l * protocol.gadolinium
    rate1 = 1.0 / values.t1_ms + _R1_PER_MMOL_S * dose / 1000.0
    rate2 = 1.0 / values.t2_ms + _R2_PER_MMOL_S * dose / 1000.0
    decay = math.exp(-protocol.te_ms * rate2)
    regained = math.exp(-protocol.tr_ms * rate1)
    if protocol.contrast == "gradient_echo":
        angle = math.radians(protocol.flip_deg)
        steady = math.sin(angle) * (1.0 - regained) / (1.0 - math.cos(angle) * regained)
        return values.proton_density * steady * decay
    if protocol.contrast == "fluid_nulled":
        inverted = 1.0 - 2.0 * math.exp(-protocol.ti_ms * rate1) + regained
        return values.proton_density * abs(inverted) * decay
    return values.proton_density * (1.0 - regained) * decay
