"""The stand-in against what was observed in the running application; each test names one observed habit."""

from __future__ import annotations

import types

import pytest
from made_scenes import Wait
from slicer_standin import records


@pytest.fixture
def qt(standin):
    import qt

    return qt


@pytest.fixture
def errors(standin):
    from slicer_standin.pythonqt import slot_errors

    return slot_errors


# --- the records --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ctkCollapsibleButton", "ctkSliderWidget", "qMRMLNodeComboBox", "qMRMLWidget"])
def test_fake_widgets_have_only_recorded_properties_signals_and_methods(standin, name):
    from slicer_standin.widgets import CTK_WIDGETS, QMRML_WIDGETS

    fake = {**CTK_WIDGETS, **QMRML_WIDGETS}[name]
    assert set(fake.standin_properties) <= set(records.properties(name))
    assert set(fake.standin_signals) <= records.signals(name)
    methods = {m for m in vars(fake) if not m.startswith(("_", "standin_")) and callable(vars(fake)[m])}
    events = {"sizeHint", "minimumSizeHint", "hitButton", "paintEvent"}
    assert methods - events <= records.callables(name)


def test_application_and_layout_manager_have_only_recorded_names(standin):
    app = {name for name in dir(type(standin.app)) if not name.startswith("_")}
    app |= {name for name in vars(standin.app) if not name.startswith(("_", "standin_"))}
    known = records.callables("slicer.app") | set(records.api()["classes"]["slicer.app"]["properties"])
    assert app <= known
    manager = {name for name in dir(type(standin.app.layoutManager())) if not name.startswith("_")}
    known = records.callables("slicer.app.layoutManager()")
    own_layout_node = {"GetLayoutNode", "AddLayoutDescription", "IsLayoutDescription", "close"}
    assert manager - own_layout_node <= known


@pytest.mark.parametrize("name", ["QPushButton", "QComboBox", "QLabel", "QProgressBar", "QTimer", "QCheckBox"])
def test_qt_classes_have_the_recorded_properties(qt, name):
    dropped_in_qt6 = {"inputMethodHints", "cursor", "autoCompletion", "autoCompletionCaseSensitivity"}
    widget = getattr(qt, name)()
    missing = [p for p in records.properties(name) if p not in type(widget).standin_meta()]
    assert set(missing) <= dropped_in_qt6


def test_names_that_slicer_does_not_have_do_not_exist(qt):
    for name in ("QThread", "QSvgWidget", "QWebEngineView", "QNoSuch"):
        with pytest.raises(AttributeError, match="has no attribute"):
            getattr(qt, name)


# --- properties ----------------------------------------------------------------------------------------------------


def test_a_property_is_a_value_and_cannot_be_called(qt):
    button = qt.QPushButton("hi")
    assert button.text == "hi"
    with pytest.raises(TypeError, match="not callable"):
        button.text()
    assert button.isEnabled()
    assert button.setText("q") is None


def test_unknown_attributes_cannot_be_read_or_written(qt):
    button = qt.QPushButton()
    with pytest.raises(AttributeError, match="QPushButton has no attribute named 'nosuch'"):
        _ = button.nosuch
    with pytest.raises(AttributeError, match="creating new attributes on C\\+\\+ objects is not allowed"):
        button.nosuch = 1
    with pytest.raises(AttributeError, match="not writable"):
        button.width = 5
    with pytest.raises(AttributeError, match="can not be overwritten"):
        button.click = print


def test_a_python_subclass_may_have_attributes_that_are_no_properties(qt):
    class Mine(qt.QLabel):
        pass

    mine = Mine()
    mine.anything = 3
    assert mine.anything == 3
    with pytest.raises(AttributeError, match="not writable"):
        mine.x = 1


@pytest.mark.parametrize(("value", "kept"), [(2.9, 2), (True, 1), (1000, 99)])
def test_numbers_are_bent_and_clamped_on_property_writes(qt, value, kept):
    box = qt.QSpinBox()
    box.value = value
    assert box.value == kept


def test_words_and_none_are_no_numbers_but_everything_is_a_text(qt):
    box, button = qt.QSpinBox(), qt.QPushButton()
    for wrong in ("4", None):
        with pytest.raises(AttributeError, match="does not accept an object"):
            box.value = wrong
    button.text = None
    assert button.text == "None"
    button.enabled = "false"
    assert button.enabled is True
    button.toolTip = "tt"
    assert button.toolTip == "<p>tt</p>"


def test_the_class_hierarchy_is_flat(qt):
    button = qt.QPushButton()
    assert not isinstance(button, qt.QWidget)
    assert button.inherits("QWidget")
    assert button.className() == "QPushButton"
    assert button.name == button.objectName


def test_no_keyword_arguments(qt):
    with pytest.raises(ValueError, match="does not support kwargs"):
        qt.QComboBox().addItem(text="x")


# --- signals --------------------------------------------------------------------------------------------------------


def test_wrong_signatures_are_refused_with_a_line_only(qt, capfd):
    button = qt.QPushButton()
    for wrong in ("clicked", "clicked(int)", "nosuch()"):
        assert button.connect(wrong, print) is False
    assert capfd.readouterr().err.count("does not exist on QPushButton") == 3
    assert button.connect("clicked( bool )", print) is True


def test_arguments_are_cut_to_what_a_slot_takes(qt):
    import functools

    got, button = [], qt.QPushButton()
    button.connect("clicked(bool)", lambda: got.append("none"))
    button.connect("clicked(bool)", lambda x=5: got.append(x))
    button.connect("clicked(bool)", lambda *a: got.append(a))
    button.connect("clicked(bool)", functools.partial(lambda a, b: got.append((a, b)), 7))
    button.click()
    assert got == ["none", False, (False,), (7, False)]


def test_a_failing_slot_is_printed_and_lost(qt, errors, capfd):
    got, button = [], qt.QPushButton()

    def fails():
        raise RuntimeError("lost")

    button.connect("clicked(bool)", fails)
    button.connect("clicked(bool)", lambda: got.append(1))
    button.connect("clicked(bool)", 5)
    button.click()
    assert got == [1]
    assert [type(error) for error in errors] == [RuntimeError, TypeError]
    assert "lost" in capfd.readouterr().err
    errors.clear()


def test_one_disconnect_undoes_one_connect(qt):
    got, button = [], qt.QPushButton()

    def slot():
        got.append(1)

    button.connect("clicked(bool)", slot)
    button.connect("clicked(bool)", slot)
    assert button.disconnect("clicked(bool)", slot) is True
    button.click()
    assert got == [1]
    assert button.disconnect("clicked(bool)", slot) is True
    assert button.disconnect("clicked(bool)", slot) is False


# --- selectors -----


def test_a_selector_moves_on_by_itself_when_its_node_goes(standin):
    import slicer

    selector = slicer.qMRMLNodeComboBox()
    assert not selector.enabled
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.noneEnabled = True
    selector.setMRMLScene(slicer.mrmlScene)
    a, b, c = (slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", n) for n in "ABC")
    assert selector.currentNode() is None, "a node added later is not taken"
    selector.setCurrentNode(b)
    slicer.mrmlScene.RemoveNode(b)
    assert selector.currentNode() is c
    with pytest.raises(TypeError):
        selector.setCurrentNode(5)
    selector.setCurrentNode(None)
    assert selector.currentNodeID == ""
    selector.setMRMLScene(None)
    assert a.GetScene() is not None


def test_label_maps_are_listed_unless_child_types_are_switched_off(standin):
    import slicer

    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.setMRMLScene(slicer.mrmlScene)
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    assert selector.nodeCount() == 1
    selector.showChildNodeTypes = False
    assert selector.nodeCount() == 0
    selector.setMRMLScene(None)


# --- CLI modules -----


def _volume(name="input"):
    import numpy as np
    import slicer

    return slicer.util.addVolumeFromArray(np.ones((8, 8, 8), np.float32), name=name)


def _new(kind="vtkMRMLScalarVolumeNode"):
    import slicer

    return slicer.mrmlScene.AddNewNodeByClass(kind)


def test_cli_states_come_in_the_recorded_order_and_outputs_after_completing(standin):
    import slicer
    from slicer_standin import cli

    cli.plans["n4itkbiasfieldcorrection"] = {"quick": True}
    output, seen, wait = _new(), [], Wait()
    node = slicer.cli.run(
        slicer.modules.n4itkbiasfieldcorrection,
        None,
        {"inputImageName": _volume(), "outputImageName": output},
        update_display=False,
    )
    assert node.GetStatus() == node.Scheduled
    node.AddObserver(
        node.StatusModifiedEvent, lambda *_: seen.append((node.GetStatus(), output.GetImageData() is not None))
    )
    wait.until(lambda: not node.IsBusy(), 20)
    assert seen == [(node.Running, False), (node.Completing, False), (node.Completed, True)]


def test_unknown_names_and_odd_values_are_noticed(standin):
    import numpy as np
    import slicer
    from slicer_standin import cli

    parameters = {
        "inputImageName": _volume(),
        "outputImageName": _new(),
        "shrinkfactor": 4,
        "bsplineOrder": np.int64(3),
    }
    slicer.cli.run(slicer.modules.n4itkbiasfieldcorrection, None, parameters, update_display=False)
    assert len(cli.faults) == 2
    assert "shrinkfactor" in cli.faults[0]
    assert "int64" in cli.faults[1]


def test_a_missing_input_ends_in_an_error_without_running(standin):
    import slicer

    seen, wait = [], Wait()
    node = slicer.cli.run(
        slicer.modules.n4itkbiasfieldcorrection, None, {"outputImageName": _new()}, update_display=False
    )
    node.AddObserver(node.StatusModifiedEvent, lambda *_: seen.append(node.GetStatus()))
    wait.until(lambda: not node.IsBusy(), 20)
    assert seen == [node.CompletedWithErrors]
    assert "assigned to" in node.GetErrorText()


def test_brainsfit_moves_the_moving_volume_under_its_transform(standin):
    import slicer
    from slicer_standin import cli

    cli.plans["brainsfit"] = {"quick": True}
    moving, transform, wait = _volume("moving"), _new("vtkMRMLLinearTransformNode"), Wait()
    parameters = {
        "fixedVolume": _volume("fixed"),
        "movingVolume": moving,
        "linearTransform": transform,
        "useRigid": True,
    }
    node = slicer.cli.run(slicer.modules.brainsfit, None, parameters, update_display=False)
    wait.until(lambda: not node.IsBusy(), 20)
    assert moving.GetTransformNodeID() == transform.GetID()


def test_cancelled_while_queued_stays_busy_until_its_turn(standin):
    import slicer
    from slicer_standin import cli

    cli.plans["n4itkbiasfieldcorrection"] = {"quick": True, "seconds": 0.5}
    module, wait = slicer.modules.n4itkbiasfieldcorrection, Wait()
    parameters = {"inputImageName": _volume(), "outputImageName": _new()}
    first, second = (slicer.cli.run(module, None, parameters, update_display=False) for _ in range(2))
    wait.some(0.1)
    second.Cancel()
    wait.some(0.1)
    assert second.GetStatus() == second.Cancelling
    wait.until(lambda: not first.IsBusy() and not second.IsBusy(), 20)
    assert second.GetStatus() == second.Cancelled


def test_a_module_that_still_works_at_the_end_of_a_test_ends_as_a_cancelled_one(standin):
    import slicer
    from slicer_standin import cli

    cli.plans["n4itkbiasfieldcorrection"] = {"seconds": 60.0}
    parameters, seen = {"inputImageName": _volume(), "outputImageName": _new()}, []
    for _job in range(2):  # the second one waits for its turn
        node = slicer.cli.run(slicer.modules.n4itkbiasfieldcorrection, None, parameters, update_display=False)
        node.AddObserver(node.StatusModifiedEvent, lambda caller, event: seen.append(caller.GetStatus()))
    Wait().until(lambda: seen == [node.Running])
    standin.reset()
    assert seen[1:] == [node.Cancelled] * 2
    assert not cli.busy()


def test_an_output_that_vanishes_would_crash_slicer(standin):
    import slicer
    from slicer_standin import cli

    cli.plans["n4itkbiasfieldcorrection"] = {"quick": True, "seconds": 0.2}
    output, wait = _new(), Wait()
    parameters = {"inputImageName": _volume(), "outputImageName": output}
    node = slicer.cli.run(slicer.modules.n4itkbiasfieldcorrection, None, parameters, update_display=False)
    wait.until(lambda: node.GetStatus() == node.Running, 20)
    slicer.mrmlScene.RemoveNode(output)
    wait.until(lambda: not node.IsBusy(), 20)
    assert len(cli.crashes) == 1


# --- parameter node -----


def test_a_living_wrapper_writes_its_defaults_back_when_the_scene_closes(standin, panel):
    import slicer

    parameters = panel.logic.getParameterNode()
    parameters.mapOpacity = 0.9
    slicer.mrmlScene.Clear(0)
    assert parameters.parameterNode.GetParameter("mapOpacity") == "0.5"


def test_another_wrapper_of_the_same_node_hears_of_a_change_one_change_late(standin, panel):
    from PCNSLSurvivalUI.choices.parameters import PanelParameters

    first = panel.logic.getParameterNode()
    second = PanelParameters(first.parameterNode)
    first.mapThreshold = 0.4
    assert (first.mapThreshold, second.mapThreshold) == (0.4, 0.3)
    first.mapOpacity = 0.8
    assert (second.mapThreshold, second.mapOpacity) == (0.4, 0.5)


def test_wrong_values_raise_on_assignment(standin, panel):
    parameters = panel.logic.getParameterNode()
    with pytest.raises(ValueError, match="within"):
        parameters.mapOpacity = 2.0
    with pytest.raises(TypeError):
        parameters.keepIntermediate = 1
    with pytest.raises(ValueError, match="one of"):
        parameters.device = "abacus"


def test_a_selector_bound_to_an_abstract_class_fails_as_in_slicer(standin):
    """``getNodeTypes`` makes an object of the class to ask for its name."""
    import slicer
    from slicer.parameterNodeWrapper import parameterNodeWrapper
    from slicer_standin.widgets import qMRMLNodeComboBox

    hints = {"__annotations__": {"outline": slicer.vtkMRMLDisplayableNode}}
    Parameters = parameterNodeWrapper(type("Parameters", (), hints))
    gui = types.SimpleNamespace(selector=qMRMLNodeComboBox())
    gui.selector.setProperty("SlicerParameterName", "outline")
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    with pytest.raises(TypeError, match="abstract"):
        Parameters(node).connectGui(gui)


def test_a_parameter_node_outlives_its_wrapper(standin):
    """Python's collector would clear the observer that only the node knows, and the next event end the interpreter."""
    import gc

    import slicer
    from PCNSLSurvivalUI.choices.parameters import forgetParameters, parametersOf

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    node_id = node.GetID()
    parametersOf(node)
    forgetParameters()
    del node
    gc.collect()
    slicer.mrmlScene.GetNodeByID(node_id).SetParameter("mapKind", "evidence")
