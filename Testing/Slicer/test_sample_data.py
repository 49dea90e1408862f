"""The demonstration patient in Slicer's Sample Data: asked for there, made in another process, ready to predict."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_scenes import Wait, child_processes, temporary_files

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def sample(standin, quick_panel):
    """The sample's button; the virtual head is played by a small volume."""
    import SampleData

    standin.complete_startup()
    return lambda: SampleData.press("PCNSLDemonstrationPatient")


def test_the_patient_is_loaded_and_chosen(standin, quick_panel, sample):
    import slicer
    from slicer_standin.application import messages

    (offered,) = slicer.modules.sampleDataSources["PCNSL Survival"]
    assert Path(offered.thumbnailFileName).is_file()
    wait = Wait()
    sample()
    wait.until(lambda: quick_panel.ui.flairSelector.currentNode() is not None, 20)
    ui = quick_panel.ui
    names = [s.currentNode().GetName() for s in (ui.t1gdSelector, ui.t1Selector, ui.t2Selector, ui.flairSelector)]
    assert names == offered.nodeNames == [f"Demonstration {name}" for name in ("T1Gd", "T1", "T2", "FLAIR")]
    assert ui.predictButton.enabled
    composite = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed")
    assert composite.GetBackgroundVolumeID() == ui.t1gdSelector.currentNode().GetID()
    assert ui.t1gdSelector.currentNode().GetSaveWithScene()
    wait.until(lambda: temporary_files() == [], 5)
    assert messages == []
    assert wait.is_calm(), f"silent for {wait.longest_gap_ms:.0f} ms"


def test_leaving_slicer_stops_the_making(standin, quick_panel, sample):
    sample()
    sample()  # a second press while it is being made does nothing
    assert len(child_processes()) == 1
    quick_panel.cleanup()
    Wait().until(lambda: child_processes() == [], 5)
    assert temporary_files() == []


def test_a_patient_that_cannot_be_made_is_told(standin, quick_panel, sample, monkeypatch):
    from PCNSLSurvivalUI.install import packages
    from slicer_standin.application import messages

    monkeypatch.setattr(packages, "missing", lambda lines: list(lines))
    sample()
    assert messages == [
        ("error", "Python packages are not installed yet: nilearn==0.14.1. Press the button again to install them.")
    ]
