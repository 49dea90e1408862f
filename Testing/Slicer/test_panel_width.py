"""The panel fits a module panel of 400 pixels, and becomes narrow again after it was wide."""

from __future__ import annotations

import json

import pytest
from made_scenes import Wait, add_head
from test_results_view import RESULT, told

NARROW, MOST = 400, 500
SCROLL_BAR = 16
"""The scroll bar of the module panel stands beside the panel."""


@pytest.fixture
def full_panel(standin, panel):
    """Every section open, with a result that has long sentences, a full quality strip and a long model name."""
    import slicer
    from PCNSLSurvivalUI.panel.panel import sections
    from PCNSLSurvivalUI.scene.output_nodes import ALIGNED, CORRECTED, INPUT, MASK, T1GD, SceneOutputs

    parameters = panel.logic.getParameterNode()
    outputs, head = SceneOutputs(parameters.parameterNode), add_head("T1 Gd " + "with a long name " * 4, "oblique")
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "mask")
    slicer.util.updateVolumeFromArray(mask, (slicer.util.arrayFromVolume(head) > 100).astype("uint8"))
    mask.CopyOrientation(head)
    outputs.place(MASK, mask, "Brain mask", head)
    for role in (CORRECTED, INPUT, ALIGNED + "t1", ALIGNED + "t2"):
        copy = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, head, "copy")
        outputs.place(role, copy, "copy", head)
    parameters.parameterNode.SetNodeReferenceID(T1GD, head.GetID())
    parameters.t1gdVolume = head
    panel.ui.modelSelector.addItem("a_model_with_a_name_that_says_everything_about_it 12.3.4")
    sentence = "The slices of this scan are thicker than those that the model learned from. "
    parameters.result = json.dumps({**RESULT, "warnings": [told(sentence * 4), told(sentence)]})
    panel.parent.show()
    for section in sections(panel.ui):
        section.setVisible(True)
        section.setChecked(True)
    panel.ui.repairButton.setVisible(True)
    panel.ui.goOnButton.setVisible(True)
    panel.ui.discardButton.setVisible(True)
    return panel


def _at(panel, width):
    from PySide6 import QtWidgets

    for _pass in range(2):  # what is drawn for a width may change the height
        panel.parent.resize(width, 3000)
        Wait().some(0.05)
    return QtWidgets.QWidget.layout(panel.parent)


def test_a_section_wants_the_width_of_its_contents_unless_told_otherwise(standin):
    """ctkCollapsibleButton.cpp: with its own size policy, what the contents would like to have is their least."""
    from PySide6 import QtWidgets

    section = standin.qt.QWidget()
    outside = QtWidgets.QVBoxLayout(section)
    import ctk

    button = ctk.ctkCollapsibleButton()
    inside = QtWidgets.QVBoxLayout(button)
    label = QtWidgets.QLabel("a line that could be broken anywhere " * 3)
    label.setWordWrap(True)
    inside.addWidget(label)
    outside.addWidget(button)
    wanted = button.sizeHint.width()
    assert outside.minimumSize().width() >= wanted > button.minimumSizeHint.width()


def test_no_section_needs_more_than_a_narrow_panel(full_panel):
    from PCNSLSurvivalUI.panel.panel import sections
    from PySide6 import QtWidgets

    _at(full_panel, NARROW)
    around = 44  # margins of the panel and of its top widget
    for section in sections(full_panel.ui):
        least = QtWidgets.QWidget.minimumSizeHint(section).width()
        assert least <= NARROW - SCROLL_BAR - around, (section.objectName, least)


def test_the_panel_becomes_narrow_again_and_never_asks_for_more_than_500(full_panel):
    layout = _at(full_panel, NARROW)
    assert layout.minimumSize().width() <= NARROW - SCROLL_BAR
    for width in (900, NARROW):
        layout = _at(full_panel, width)
        assert layout.minimumSize().width() <= NARROW - SCROLL_BAR
        assert layout.sizeHint().width() <= MOST
    assert full_panel.parent.width == NARROW


def test_no_control_is_cut_in_a_narrow_panel(full_panel):
    """Every control lies within the panel and is at least as wide as it needs to be."""
    from PySide6 import QtCore, QtWidgets

    _at(full_panel, NARROW)
    controls = (QtWidgets.QAbstractButton, QtWidgets.QComboBox, QtWidgets.QLabel, QtWidgets.QAbstractSlider)
    parent = full_panel.parent
    for widget in QtWidgets.QWidget.findChildren(parent, QtWidgets.QWidget):
        if isinstance(widget, controls) and widget.isVisibleTo(parent):
            corner = QtWidgets.QWidget.mapTo(widget, parent, QtCore.QPoint(0, 0))
            width = QtWidgets.QWidget.width(widget)
            assert corner.x() >= 0
            assert corner.x() + width <= NARROW, QtCore.QObject.objectName(widget)
            if isinstance(widget, QtWidgets.QAbstractButton):
                assert width >= QtWidgets.QWidget.minimumSizeHint(widget).width(), QtCore.QObject.objectName(widget)


def test_scrolling_over_a_choice_does_not_change_it_and_is_left_to_the_panel(full_panel):
    """A wheel that a selector, a number field or a slider takes for itself changes a choice by accident."""
    from PCNSLSurvivalUI.panel.panel import sections
    from PySide6 import QtCore, QtGui, QtWidgets

    guarded = [
        widget
        for section in sections(full_panel.ui)
        for kind in (QtWidgets.QComboBox, QtWidgets.QAbstractSpinBox, QtWidgets.QSlider)
        for widget in QtWidgets.QWidget.findChildren(section, kind)
    ]
    assert len(guarded) > 15

    def value(widget):
        name = "currentIndex" if isinstance(widget, QtWidgets.QComboBox) else "value"
        return QtCore.QObject.property(widget, name)

    for widget in guarded:
        before = value(widget)
        for up in (120, -120):
            wheel = QtGui.QWheelEvent(
                QtCore.QPointF(3, 3), QtCore.QPointF(3, 3), QtCore.QPoint(0, up), QtCore.QPoint(0, up),
                QtCore.Qt.MouseButton.NoButton, QtCore.Qt.KeyboardModifier.NoModifier,
                QtCore.Qt.ScrollPhase.NoScrollPhase, False,
            )  # fmt: skip
            QtWidgets.QApplication.sendEvent(widget, wheel)
            assert not wheel.isAccepted(), "the scroll area around the panel is to have it"
        assert value(widget) == before, QtWidgets.QWidget.objectName(widget)
    full_panel.ui.opacitySlider.value = 0.4
    assert full_panel.ui.opacitySlider.value == pytest.approx(0.4)


def test_no_section_that_appears_makes_the_panel_wider(panel):
    """Seen in Slicer: a result that widens the panel makes every slice view narrower, and each draws anew."""
    from PCNSLSurvivalUI.panel.panel import sections
    from PySide6 import QtWidgets

    hidden = [section for section in sections(panel.ui) if section.isHidden()]
    assert len(hidden) > 3
    for section in hidden:
        least = QtWidgets.QWidget.minimumSizeHint(section).width()
        assert least <= QtWidgets.QWidget.minimumWidth(panel.ui.scansSection), section.objectName


def test_the_name_of_the_bundled_model_is_not_cut_off(full_panel):
    from PySide6 import QtWidgets

    _at(full_panel, NARROW)
    box = full_panel.ui.modelSelector
    option = QtWidgets.QStyleOptionComboBox()
    QtWidgets.QComboBox.initStyleOption(box, option)
    field = QtWidgets.QWidget.style(box).subControlRect(
        QtWidgets.QStyle.ComplexControl.CC_ComboBox, option, QtWidgets.QStyle.SubControl.SC_ComboBoxEditField, box
    )
    assert QtWidgets.QWidget.fontMetrics(box).horizontalAdvance(box.currentText) <= field.width()
    assert "Demonstration model." in full_panel.ui.modelDescription.text
    assert "`" not in full_panel.ui.modelDescription.text


def test_a_section_gets_its_height_after_another_module_was_open(full_panel):
    """Seen in Slicer: back from Segment Editor, the rows of an opened section lay on one another.

    Its module panel takes the widget out of a layout and forgets to delete the layout item.
    """
    from PCNSLSurvivalUI.panel.panel import sections
    from PySide6 import QtWidgets

    area, contents, forgotten = QtWidgets.QScrollArea(), QtWidgets.QWidget(), []
    layout = QtWidgets.QVBoxLayout(contents)
    area.setWidget(contents)
    area.setWidgetResizable(True)
    area.resize(NARROW, 600)
    area.show()

    def enter():
        layout.insertWidget(0, full_panel.parent, 1)
        full_panel.parent.setVisible(True)
        full_panel.enter()
        Wait().some(0.1)

    def leave():
        full_panel.exit()
        forgotten.append(layout.takeAt(0))
        full_panel.parent.setVisible(False)
        QtWidgets.QWidget.setParent(full_panel.parent, None)

    def heights():
        panel = full_panel.parent
        needed = QtWidgets.QWidget.heightForWidth(panel, QtWidgets.QWidget.width(panel))
        return QtWidgets.QWidget.height(panel), needed

    try:
        enter()
        leave()
        for section in sections(full_panel.ui):
            section.setChecked(section is full_panel.ui.qualitySection)
        enter()
        full_panel.ui.qualitySection.setChecked(False)
        Wait().some(0.1)
        for section in (full_panel.ui.mapSection, full_panel.ui.resultSection, full_panel.ui.twoDatesSection):
            section.setChecked(True)
            Wait().some(0.1)
            height, needed = heights()
            assert height == needed > 600, section.objectName
    finally:
        leave()
        area.close()
