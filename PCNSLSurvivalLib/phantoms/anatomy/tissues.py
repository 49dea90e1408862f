"""The tissues of a virtual head, with the relaxation times that give them their contrast."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tissue(StrEnum):
    """A tissue of the virtual head; the value is its name in files."""

    CSF = "csf"
    GRAY_MATTER = "gray_matter"
    WHITE_MATTER = "white_matter"
    ENHANCING_TUMOR = "enhancing_tumor"
    NECROSIS = "necrosis"
    EDEMA = "edema"
    DURA = "dura"
    VENOUS_BLOOD = "venous_blood"
    ARTERY = "artery"
    VITREOUS = "vitreous"
    MUCOSA = "mucosa"
    MUSCLE = "muscle"
    SKIN = "skin"
    FAT = "fat"
    MARROW = "marrow"
    BONE = "bone"
    AIR = "air"


@dataclass(frozen=True)
class Relaxation:
    """What the signal equations need to know about one tissue at 1.5 T.

    Attributes:
        proton_density: Visible protons relative to water, 0 to 1.
        t1_ms: Longitudinal relaxation time in ms, before contrast agent.
        t2_ms: Transverse relaxation time in ms.
        gadolinium_mmol_l: Concentration of a gadolinium chelate about five minutes after 0.1 mmol/kg, in
            mmol/L; 0 behind an intact blood-brain barrier.
    """

    proton_density: float
    t1_ms: float
    t2_ms: float
    gadolinium_mmol_l: float = 0.0


# Brain: Stanisz et al. 2005 and the multi-site ranges of Bojorquez et al. 2017; fat, muscle and marrow:
# de Bazelaire et al. 2004 and Gold et al. 2004. CSF has the shorter effective T2 that flow leaves it, fat and
# marrow the longer one of fast spin-echo trains (Henkelman et al. 1992). Tumor and edema lie between solid
# tissue and water, so that lymphoma is dark to gray on T1 and close to cortex on T2, as its high cell density
# makes it (Haldorsen et al. 2011). Moving blood loses its signal in a spin echo: low effective proton density.
# Gadolinium concentrations are chosen for the enhancement seen in practice, not measured (docs/phantoms.md).
RELAXATION: dict[Tissue, Relaxation] = {
    Tissue.CSF: Relaxation(0.95, 3800.0, 600.0),
    Tissue.GRAY_MATTER: Relaxation(0.84, 1130.0, 100.0, 0.015),
    Tissue.WHITE_MATTER: Relaxation(0.72, 610.0, 80.0, 0.008),
    Tissue.ENHANCING_TUMOR: Relaxation(0.85, 1250.0, 104.0, 0.42),
    Tissue.NECROSIS: Relaxation(0.95, 2300.0, 320.0, 0.03),
    Tissue.EDEMA: Relaxation(0.88, 1250.0, 150.0, 0.01),
    Tissue.DURA: Relaxation(0.65, 1000.0, 50.0, 0.38),
    Tissue.VENOUS_BLOOD: Relaxation(0.55, 1400.0, 90.0, 0.70),
    Tissue.ARTERY: Relaxation(0.10, 1400.0, 120.0, 0.25),
    Tissue.VITREOUS: Relaxation(0.95, 3600.0, 550.0),
    Tissue.MUCOSA: Relaxation(0.85, 1100.0, 110.0, 0.45),
    Tissue.MUSCLE: Relaxation(0.75, 950.0, 42.0, 0.06),
    Tissue.SKIN: Relaxation(0.55, 600.0, 50.0, 0.08),
    Tissue.FAT: Relaxation(0.95, 245.0, 150.0),
    Tissue.MARROW: Relaxation(0.50, 360.0, 110.0, 0.02),
    Tissue.BONE: Relaxation(0.05, 500.0, 8.0),
    Tissue.AIR: Relaxation(0.0, 1000.0, 1000.0),
}

BRAIN_TISSUES = (
    Tissue.CSF,
    Tissue.GRAY_MATTER,
    Tissue.WHITE_MATTER,
    Tissue.ENHANCING_TUMOR,
    Tissue.NECROSIS,
    Tissue.EDEMA,
)
