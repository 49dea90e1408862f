"""Virtual heads of random appearance, straight on the network's grid: training data that differ as real scans do.

A network that has seen every contrast, resolution and artifact takes a real scan for one more of them (domain
randomization). ``Anatomies.made`` builds the people once; ``draw_head`` then makes one labelled, prepared T1Gd volume
in about half a second.

References:
    Billot et al., SynthSeg: Segmentation of brain MRI scans of any contrast and resolution without retraining,
    Med Image Anal 86, 2023. doi:10.1016/j.media.2023.102789
    Chalcroft et al., Synthetic Data for Robust Stroke Segmentation, MELBA 3, 2025. doi:10.59275/j.melba.2025-f3g6
"""

from PCNSLSurvivalLib.phantoms.randomized.anatomies import Anatomies
from PCNSLSurvivalLib.phantoms.randomized.head import RandomHead, draw_head

__all__ = ["Anatomies", "RandomHead", "draw_head"]
