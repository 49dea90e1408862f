"""deepbet: one network finds the brain in the head, one draws its outline.

Why this extractor: docs/decisions/brain-extraction.md.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.preprocessing.brain_extractors.extractor import BrainExtractor

if TYPE_CHECKING:
    import SimpleITK as sitk

    from PCNSLSurvivalLib.preprocessing.brain_extractors.deepbet_networks import DeepbetNetworks
    from PCNSLSurvivalLib.preprocessing.recipe import BrainExtractionStep


class Deepbet(BrainExtractor):
    """The two networks of deepbet.

    References:
        Fisch et al., deepbet: Fast brain extraction of T1-weighted MRI using convolutional neural networks,
        Comput Biol Med 179:108845, 2024. doi:10.1016/j.compbiomed.2024.108845
    """

    package = "deepbet"
    version = "1.0.2"
    license = "MIT"
    download_mb = 10
    reference = "Fisch et al., 2024"
    files = {  # noqa: RUF012 — it is only read
        "data/models/bbox_model.pt": "39a7b2b5f799faa1391ea97bfcdc0b9299f20d84f2316a4ff8918dc4685e40aa",
        "data/models/model.pt": "de8ee7c69654d0dd3935dc4a5d84571d8ecf4637a6bfc01df399c4c2bc86e0fd",
        "deepbet-1.0.2.dist-info/LICENSE": "a2c81e7ba9415de910516bcb2f83e76a9d8817586a2945934695df4d595adea5",
    }

    @property
    def outliner(self) -> Path:
        """The TorchScript file of the network that draws the outline."""
        return self.folder / "model.pt"

    def extract(self, t1gd: sitk.Image, step: BrainExtractionStep) -> sitk.Image:
        """Find the brain in the head, then outline it in a box around it.

        Raises:
            MissingFilesError: The networks, or both runtimes, are not installed, or the files were damaged.
            PreparationError: No brain was found.
        """
        from PCNSLSurvivalLib.preprocessing.brain_extractors.deepbet_outline import outline_brain

        return outline_brain(t1gd, step, self._networks)

    @cached_property
    def _networks(self) -> DeepbetNetworks:
        """Loaded once a process."""
        from PCNSLSurvivalLib.preprocessing.brain_extractors.deepbet_networks import load_networks

        self.check()
        return load_networks(finder=self.folder / "bbox_model.pt", outliner=self.outliner)
