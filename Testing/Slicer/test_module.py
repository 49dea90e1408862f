"""The module as Slicer loads it: its own test, opening and closing, the guess of the roles."""

import unittest

import pytest


def test_the_modules_own_test_passes(standin, panel):
    import PCNSLSurvival

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(PCNSLSurvival.PCNSLSurvivalTest).run(result)
    assert result.testsRun >= 1
    assert not result.failures, result.failures[0][1]
    assert not result.errors, result.errors[0][1]


def test_the_guess_button_fills_the_selectors(standin, panel):
    import slicer

    for name in ("sub-01_T1w", "sub-01_ce-gadolinium_T1w", "sub-01_T2w"):
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    panel.ui.guessButton.click()
    assert panel.ui.t1gdSelector.currentNode().GetName() == "sub-01_ce-gadolinium_T1w"
    assert panel.ui.t1Selector.currentNode().GetName() == "sub-01_T1w"
    assert panel.ui.t2Selector.currentNode().GetName() == "sub-01_T2w"
    assert panel.ui.scansNote.text == ""
    panel.ui.t1gdSelector.setCurrentNode(panel.ui.t1Selector.currentNode())
    assert "without contrast agent" in panel.ui.scansNote.text
    assert "twice" in panel.ui.scansNote.text


def test_closing_the_scene_empties_the_panel(standin, panel):
    import slicer

    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1Gd")
    panel.ui.guessButton.click()
    slicer.mrmlScene.Clear(0)
    assert panel.ui.t1gdSelector.currentNode() is None
    assert not panel.ui.predictButton.enabled


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("BraTS20_Training_001_t1ce", "t1gd"),
        ("BraTS20_Training_001_t1", "t1"),
        ("BraTS20_Training_001_flair", "flair"),
        ("sub-01_ce-gadolinium_T1w", "t1gd"),
        ("sub-01_acq-fast_ce-GAD_T1w", "t1gd"),
        ("sub-01_T1w", "t1"),
        ("5: Ax T1 +C", "t1gd"),
        ("AX T1 POST GD", "t1gd"),
        ("t1_mprage_sag +c", "t1gd"),
        ("3D T1 BRAVO C+", "t1gd"),
        ("T1 mit KM", "t1gd"),
        ("T1 ohne KM", "t1"),
        ("T1 pre contrast", "t1"),
        ("Ax T1 FSE w/o contrast", "t1"),
        ("t13d", "t1gd"),
        ("T2 TSE ax", "t2"),
        ("T2 FLAIR", "flair"),
        ("T2*", None),
        ("T1Gd brain mask", None),
        ("T1Gd bias-corrected", None),
        ("ADC", None),
        ("Volume_3", None),
    ],
)
def test_names_speak_of_sequences(application, name, role):
    from PCNSLSurvivalUI.volume_roles import role_of

    assert role_of(name) == role


def test_a_contrast_agent_in_the_dicom_header_makes_a_t1_a_t1gd(application):
    from PCNSLSurvivalUI.volume_roles import role_of

    assert role_of("SAG MPRAGE", contrast_agent="Gadovist") == "t1gd"
    assert role_of("SAG MPRAGE") == "t1"
    assert role_of("T2 TSE", contrast_agent="Gadovist") == "t2"
