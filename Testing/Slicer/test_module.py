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
        "test_scansThatComeOneAfterAnotherFillTheirRoles",
        "test_sideBySideStaysOnTheSlice",
        "test_aLabelMapDoesNotHideTheMap",
        "test_theBrainOutlineIsRepairedOnT1Gd",
        "test_thePanelIsNarrow",
        "test_aChangeOfTheMapIsShown",
        "test_theTumorOutlineIsDrawnOnT1Gd",
        "test_clinicalFindingsAreScoredAtOnce",
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
    # The choice among the two, and its reason, stand in the panel as long as it holds.
    assert "2 series could be T1Gd: 'T1 Gd' was chosen" in ui.scansNote.text
    ui.t1gdSelector.setCurrentNode(other)
    assert "2 series" not in ui.scansNote.text
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
    for engine, shown in (("built_in", "Built in"), ("slicer", "Slicer module")):
        parameters.biasEngine = engine
        assert panel.ui.biasEngineSelector.currentText == shown
    slicer.mrmlScene.Clear(0)
    assert PCNSLSurvival.PCNSLSurvivalLogic().getParameterNode().biasEngine == "slicer"


@pytest.mark.parametrize("pause_s", [0.0, 0.5], ids=["at once", "the timer fires between two files"])
def test_scans_that_come_one_after_another_fill_every_role(standin, panel, pause_s):
    import slicer

    ui, wait = panel.ui, Wait()
    for name in ("T1 Gd", "T1", "T2", "FLAIR"):
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        wait.some(pause_s)
    wait.until(lambda: ui.flairSelector.currentNode() is not None, 5)
    selectors = (ui.t1gdSelector, ui.t1Selector, ui.t2Selector, ui.flairSelector)
    assert [selector.currentNode().GetName() for selector in selectors] == ["T1 Gd", "T1", "T2", "FLAIR"]


def test_a_role_that_the_user_chose_or_emptied_stays(standin, panel):
    import slicer

    ui, wait = panel.ui, Wait()
    add = lambda name: slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)  # noqa: E731
    own = add("Volume_3")
    ui.t1Selector.setCurrentNode(own)
    add("T2")
    wait.until(lambda: ui.t2Selector.currentNode() is not None, 5)
    ui.t2Selector.setCurrentNode(None)
    for name in ("T1", "T1 Gd"):
        add(name)
        wait.some(0.5)
    assert ui.t1gdSelector.currentNode().GetName() == "T1 Gd"
    assert ui.t1Selector.currentNode() is own, "chosen by the user"
    assert ui.t2Selector.currentNode() is None, "emptied by the user"
    second = add("T2 TSE")
    wait.until(lambda: ui.t2Selector.currentNode() is second, 5)


def test_what_is_no_scan_of_the_brain_fills_no_role(standin, panel):
    import slicer

    for name in ("AX DWI POST GAD", "T1 C-spine KM", "T1Gd aligned", "T1 SUB", "SWI"):
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    Wait().some(0.5)
    panel.ui.guessButton.click()
    assert panel.ui.t1gdSelector.currentNode() is None
    assert "T1Gd, T1, T2, FLAIR" in panel.ui.scansNote.text


def test_tab_goes_through_the_node_selectors_row_by_row(standin, panel):
    """In Slicer a selector passes its focus on to a widget that takes none, and Tab goes by."""
    from PySide6 import QtCore, QtWidgets

    ui = panel.ui
    panel.parent.show()
    first = widget = QtWidgets.QWidget.findChild(ui.t1gdSelector, QtWidgets.QComboBox)
    stops = []
    while not stops or widget is not first:
        if widget.focusProxy() is None and QtWidgets.QWidget.focusPolicy(widget) & QtCore.Qt.FocusPolicy.TabFocus:
            stops.append(widget.parentWidget())
        widget = widget.nextInFocusChain()
    selectors = [ui.t1gdSelector, ui.t1Selector, ui.t2Selector, ui.flairSelector]
    assert stops[: len(selectors)] == selectors
    further = [ui.brainMaskSelector, ui.lesionSelector, ui.earlierSelector, ui.earlierLesionSelector]
    assert [selector.objectName for selector in further if selector not in stops] == []
