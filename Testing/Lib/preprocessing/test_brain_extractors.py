"""Brain extractors behind one protocol: the recipe names one, and a new one needs no other change."""

from __future__ import annotations

from pathlib import Path

import pytest
import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.preprocessing.recipe import BrainExtractionStep
from PCNSLSurvivalLib.preprocessing.steps import brain_extraction
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import brain_extractor, extract_brain


class Threshold:
    """An extractor that takes every bright voxel for brain."""

    method = "threshold-1"

    def is_installed(self) -> bool:
        return True

    def install(self, wheels: Path | None) -> Path:
        return Path()

    def check(self) -> None:
        return None

    def extract(self, t1gd: sitk.Image, step: BrainExtractionStep) -> sitk.Image:
        return t1gd > 0.5


def test_the_recipe_chooses_the_extractor(monkeypatch):
    monkeypatch.setitem(brain_extraction._EXTRACTORS, Threshold.method, Threshold())
    scan = sitk.GaussianSource(sitk.sitkFloat32, (16, 16, 16), (4.0,) * 3, (8.0,) * 3, 1.0)
    mask = extract_brain(scan, BrainExtractionStep(method="threshold-1"))
    assert sitk.GetArrayViewFromImage(mask).sum() == (sitk.GetArrayViewFromImage(scan) > 0.5).sum() > 0


def test_the_default_recipe_names_an_extractor_that_is_there_and_another_one_is_refused():
    assert brain_extractor().method == BrainExtractionStep().method
    with pytest.raises(PreparationError, match="hd-bet-2"):
        extract_brain(sitk.Image(4, 4, 4, sitk.sitkFloat32), BrainExtractionStep(method="hd-bet-2"))
