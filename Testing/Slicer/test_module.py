"""The module as Slicer loads it: its own test, opening and closing, the guess of the roles."""

import unittest

import pytest
from made_scenes import Wait


@pytest.mark.parametrize(
    "name",
    [
        "test_rolesAreGuessedFromNames",
        "test_whatCannotRunIsRefusedInWords",
        "test_viewsShowT1GdsOwnSlices",
        "test_aLabelMapDoesNotHideTheMap",
        "test_theBrainOutlineIsRepairedOnT1Gd",
        "test_thePanelIsNarrow",
        "test_aChangeOfTheMapIsShown",
        pytest.param("test_theDemonstrationPatientIsPredicted", marks=pytest.mark.slow),
    ],
)
def test_the_modules_own_test_passes_as_it_does_in_slicer(standin, panel, name):
    import PCNSLSurvival

    result = unittest.TestResult()
    PCNSLSurvival.PCNSLSurvivalTest(name).run(result)
    assert result.testsRun == 1
    assert not result.failures, result.failures[0][1]
    assert not result.errors, result.errors[0][1]
    assert not result.skipped, result.skipped[0][1]


def test_every_test_of_the_module_is_run_here(application):
    import PCNSLSurvival

    marks = next(m for m in test_the_modules_own_test_passes_as_it_does_in_slicer.pytestmark if m.name == "parametrize")
    here = {getattr(case, "values", (case,))[0] for case in marks.args[1]}
    assert here == set(unittest.defaultTestLoader.getTestCaseNames(PCNSLSurvival.PCNSLSurvivalTest))


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
    assert "selected for two sequences" in panel.ui.scansNote.text


def test_an_empty_panel_says_what_to_do(standin, panel):
    import slicer

    assert "Sample Data" in panel.ui.scansNote.text
    assert panel.ui.scansNote.isVisibleTo(panel.parent)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Volume_3")
    Wait().until(lambda: "Choose the post-contrast T1" in panel.ui.scansNote.text, 5)
    panel.ui.t1gdSelector.setCurrentNode(node)
    assert panel.ui.scansNote.text == ""


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
        ("T1_C", "t1gd"),
        ("T1wCE", "t1gd"),
        ("CE_T1", "t1gd"),
        ("T1+C", "t1gd"),
        ("T1_cor", "t1"),
        ("T1 C-spine", "t1"),
        ("T1 post op", "t1"),
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
    from PCNSLSurvivalUI.panel.volume_roles import role_of

    assert role_of(name) == role


@pytest.mark.parametrize(
    ("name", "tags", "role"),
    [
        ("SAG MPRAGE", {"contrast_agent": "Gadovist"}, "t1gd"),
        ("SAG MPRAGE", {}, "t1"),
        ("T2 TSE", {"contrast_agent": "Gadovist"}, "t2"),
        ("5: AX", {"description": "t1_se_tra", "contrast_agent": "Dotarem"}, "t1gd"),
        ("5: AX", {"protocol": "T2 TSE"}, "t2"),
        ("7", {"repetition_ms": 2300, "echo_ms": 3, "inversion_ms": 900}, "t1"),
        ("7", {"repetition_ms": 2300, "echo_ms": 3, "inversion_ms": 900, "contrast_agent": "Gadovist"}, "t1gd"),
        ("7", {"repetition_ms": 550, "echo_ms": 12}, "t1"),
        ("7", {"repetition_ms": 4800, "echo_ms": 95}, "t2"),
        ("7", {"repetition_ms": 9000, "echo_ms": 110, "inversion_ms": 2500}, "flair"),
        ("T1 post Gd", {"modality": "CT"}, None),
        ("T1 Gd", {"image_type": "DERIVED\\SECONDARY\\SUBTRACTION"}, None),
        ("T1 pre contrast", {"contrast_agent": "Gadovist"}, "t1"),
    ],
)
def test_dicom_headers_speak_of_sequences(application, name, tags, role):
    from PCNSLSurvivalUI.panel.volume_roles import DicomTags, role_of

    assert role_of(name, DicomTags(**tags)) == role


class _Database:
    """As much of ``slicer.dicomDatabase`` as the panel asks."""

    headers = {  # noqa: RUF012
        "1.1": {"0008,0060": "MR", "0018,0081": "3.1", "0018,0080": "9.6", "0018,0010": "Gadovist"},
        "1.2": {"0008,0060": "MR", "0018,0081": "2.9", "0018,0080": "9.4"},
        "1.3": {"0008,0060": "MR", "0018,0081": "101", "0018,0080": "5200"},
    }

    def instanceValue(self, uid, tag):
        return self.headers[uid].get(tag, "")


def test_volumes_from_dicom_are_told_apart_by_their_headers(standin, panel, monkeypatch):
    import slicer

    monkeypatch.setattr(slicer, "dicomDatabase", _Database(), raising=False)
    for uid in ("1.3", "1.2", "1.1"):
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"{uid[-1]}: AX")
        node.SetAttribute("DICOM.instanceUIDs", uid)
    ui = panel.ui
    ui.guessButton.click()
    chosen = [
        s.currentNode().GetAttribute("DICOM.instanceUIDs") for s in (ui.t1gdSelector, ui.t1Selector, ui.t2Selector)
    ]
    assert chosen == ["1.1", "1.2", "1.3"]
    assert ui.scansNote.text == ""
    ui.t1gdSelector.setCurrentNode(ui.t2Selector.currentNode())
    assert "echo time of the T1Gd volume (101 ms) suggests T2" in ui.scansNote.text


def test_scans_are_filled_in_when_they_arrive_and_never_exchanged(standin, panel):
    import slicer

    ui, wait = panel.ui, Wait()
    for name in ("T1", "T2", "T1 Gd"):
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    wait.until(lambda: ui.t1gdSelector.currentNode() is not None, 5)
    assert ui.t1gdSelector.currentNode().GetName() == "T1 Gd"
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1 post Gd")
    wait.some(0.5)
    assert ui.t1gdSelector.currentNode() is not other, "a choice is not changed"
    ui.guessButton.click()
    assert "Several volumes look like T1Gd" in ui.scansNote.text
    # Slicer's selector moves on to another volume when its own goes; the panel must not take that one.
    slicer.mrmlScene.RemoveNode(ui.t2Selector.currentNode())
    wait.some(0.1)
    assert ui.t2Selector.currentNode() is None
    assert panel.logic.getParameterNode().t2Volume is None


def test_what_a_script_chooses_is_shown_at_once(standin, panel):
    """Each call gave another wrapper, and the panel heard of a script's choice with the next one only."""
    import slicer

    import PCNSLSurvival

    parameters = PCNSLSurvival.PCNSLSurvivalLogic().getParameterNode()
    assert parameters is panel.logic.getParameterNode()
    for engine, shown in (("Built in", "Built in"), ("Slicer module", "Slicer module")):
        parameters.biasEngine = engine
        assert panel.ui.biasEngineSelector.currentText == shown
    slicer.mrmlScene.Clear(0)
    assert PCNSLSurvival.PCNSLSurvivalLogic().getParameterNode().biasEngine == "Slicer module"
