"""The .ui file and the module's code use only what the running application was seen to have (records/*.json)."""

from __future__ import annotations

import ast
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from slicer_standin import records

from PCNSLSurvivalLib.core.terms import MRSequence

MODULE = Path(__file__).resolve().parents[2] / "PCNSLSurvival"
UI = MODULE / "Resources" / "UI" / "PCNSLSurvival.ui"
CODE = sorted([*MODULE.glob("*.py"), *(MODULE / "PCNSLSurvivalUI").rglob("*.py")])
# VTK classes outside MRML are the same in every Slicer; these are the methods of theirs that the module calls.
VTK = {
    "AddObserver", "RemoveObserver", "Modified", "GetMTime", "GetElement", "SetElement", "UnRegister", "GetClassName",
    "GetAddressAsString", "SetDimensions", "GetDimensions", "AllocateScalars", "GetPointData", "GetScalars",
    "SetFontSize", "SetShadow", "SetBold", "SetItalic", "SetFontFamilyToArial", "SetScalars", "WriteToMemoryOn",
    "SetInputData", "Write", "GetResult", "SetInput", "SetResliceTransform", "SetInterpolationModeToLinear",
    "SetInterpolationModeToNearestNeighbor",
    "SetOutputSpacing", "SetOutputOrigin", "SetOutputExtent", "Update", "GetOutput", "GetScalarType", "DeepCopy",
    "GetNthSegment", "GetNumberOfSegments", "AddEmptySegment", "RemoveAllSegments", "CreateRepresentation",
    "InsertNextValue", "GetExtent", "GetNumberOfPoints", "GetLabelValue", "GetRepresentation", "GetImageToWorldMatrix",
    "SetValue", "SetInputConnection", "GetOutputPort", "SetNumberOfIterations", "SetPassBand", "SetTransform",
    "AddInputData", "GetNumberOfInputConnections", "GetNthSegmentID", "GetSourceRepresentationName",
    "SetAndObservePolyData",  # of models, which the recorded inventory leaves out
}  # fmt: skip
# Qt classes without records of their own: value types that PythonQt wraps in every release.
VALUE_TYPES = {"QRectF", "QPointF", "QPolygon", "QPoint", "QPen", "QColor", "QPixmap", "QPainter", "QPalette"}


def _widgets() -> dict[str, str]:
    return {w.get("name"): w.get("class") for w in ET.parse(UI).iter("widget")}


def _bound() -> dict[str, str]:
    """The class of the widget that Slicer binds to each parameter."""
    return {
        p.findtext("string"): w.get("class")
        for w in ET.parse(UI).iter("widget")
        for p in w.findall("property")
        if p.get("name") == "SlicerParameterName"
    }


def _trees():
    return [(path.name, ast.parse(path.read_text(encoding="utf-8"))) for path in CODE]


def _chain(node: ast.AST) -> list[str]:
    """``slicer.app.layoutManager`` as its names; empty for anything else."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return [node.id, *reversed(names)] if isinstance(node, ast.Name) else []


# --- the .ui file -----------------------------------------------------------------------------------------------


def test_every_widget_class_and_property_is_one_that_slicer_has():
    faults = []
    for widget in ET.parse(UI).iter("widget"):
        kind = widget.get("class")
        known = records.properties(kind)
        if not known:
            faults.append(f"{kind}: no such widget class in the records")
            continue
        for entry in widget.findall("property"):
            name = entry.get("name")
            if name == "SlicerParameterName":
                if entry.get("stdset") != "0":
                    faults.append(f"{widget.get('name')}: a dynamic property needs stdset=0")
            elif name not in known:
                faults.append(f"{kind} has no property {name}")
            elif not known[name][1]:
                faults.append(f"{kind}.{name} cannot be written")
    assert not faults


def test_every_mrml_selector_gets_the_scene_and_lists_no_children():
    tree = ET.parse(UI)
    connected = set()
    for connection in tree.iter("connection"):
        sender, signal, receiver, slot = (connection.findtext(k) for k in ("sender", "signal", "receiver", "slot"))
        assert signal in records.signals(_widgets()[sender])
        assert slot.split("(")[0] in records.callables(_widgets()[receiver])
        connected.add(receiver)
    selectors = {w.get("name"): w for w in tree.iter("widget") if w.get("class") == "qMRMLNodeComboBox"}
    assert connected == set(selectors)
    for name, selector in selectors.items():
        kept = {entry.get("name"): entry for entry in selector.findall("property")}
        assert kept["showChildNodeTypes"].findtext("bool") == "false", f"{name} would list label maps"
        assert kept["nodeTypes"].find("stringlist") is not None


def test_every_control_has_a_tool_tip():
    controls = {"QPushButton", "QComboBox", "QCheckBox", "QTableWidget", "ctkSliderWidget", "qMRMLNodeComboBox"}
    controls |= {"ctkCollapsibleButton", "QProgressBar"}
    bare = [
        widget.get("name")
        for widget in ET.parse(UI).iter("widget")
        if widget.get("class") in controls and "toolTip" not in [p.get("name") for p in widget.findall("property")]
    ]
    assert bare == []


def test_every_bound_parameter_exists_and_has_a_widget_that_slicer_can_bind(application):
    import typing

    from PCNSLSurvivalUI.choices import parameters

    source = (MODULE / "PCNSLSurvivalUI" / "choices" / "parameters.py").read_text(encoding="utf-8")
    names = {
        node.target.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    names |= set(parameters.VOLUMES.values())
    bound = _bound()
    assert set(bound) <= names
    assert set(bound.values()) <= {"qMRMLNodeComboBox", "QCheckBox", "ctkSliderWidget"}
    assert typing.get_type_hints(parameters.isComplete)["return"] is bool


def test_each_sequence_has_a_selector_like_that_of_t1gd(standin, panel):
    """The rows made in Python: labels, tool tips, scene and choice, in the order of the vocabulary."""
    import slicer

    ui = panel.ui
    form = ui.scansSection.layout()
    rows = [form.itemAt(row, form.ItemRole.LabelRole) for row in range(form.rowCount())]
    assert [item.widget().text for item in rows if item is not None] == [
        f"{sequence.label}:" for sequence in MRSequence
    ]
    for sequence in MRSequence:
        selector = getattr(ui, f"{sequence}Selector")
        properties = {name: getattr(selector, name) for name in ("nodeTypes", "showChildNodeTypes", "noneEnabled")}
        assert properties == {
            "nodeTypes": ("vtkMRMLScalarVolumeNode",),
            "showChildNodeTypes": False,
            "noneEnabled": True,
        }
        assert not selector.addEnabled
        assert not selector.removeEnabled
        assert selector.toolTip
        assert selector.property("SlicerParameterName") == f"{sequence}Volume"
        assert selector.mrmlScene() is slicer.mrmlScene


def test_each_step_with_engines_has_its_choice_its_selector_and_its_seconds(application):
    import typing

    from PCNSLSurvivalUI.choices.parameters import ENGINE_CHOICES, PanelParameters
    from PCNSLSurvivalUI.run.engines import SKIP, SLICER
    from PCNSLSurvivalUI.run.tasks import TASKS

    from PCNSLSurvivalLib.core.terms import DONE_BY_OTHERS

    assert {kind.step for kind in TASKS} == set(ENGINE_CHOICES)
    assert {step for step, choice in ENGINE_CHOICES.items() if SLICER in choice.engines} <= set(DONE_BY_OTHERS)
    for kind in TASKS:
        choice = ENGINE_CHOICES[kind.step]
        assert choice.name in typing.get_type_hints(PanelParameters)
        assert _widgets()[f"{choice.name}Selector"] == "QComboBox"
        assert {*kind.seconds, SKIP} == set(choice.engines)


NOT_IN_THE_PANEL = {
    "runtime", "precision", "tta", "target", "block", "method", "lesion_labels",
    # Asked of a result that is shown, by words of their own (second_thoughts/).
    "check_explanation", "without_lesion", "robustness", "other_brain_mask",
}  # fmt: skip
"""A new option has a control, as ``chosenOptions`` says, or stands here."""


def test_every_option_of_a_prediction_is_set_by_the_panel_or_named_here(panel):
    """What the panel sets is read back from its words by our command line."""
    from dataclasses import fields
    from types import SimpleNamespace

    from PCNSLSurvivalUI.choices.parameters import ENGINE_CHOICES, chosenOptions
    from PCNSLSurvivalUI.run.engines import SKIP
    from PCNSLSurvivalUI.run.request import RunFiles, RunRequest

    from PCNSLSurvivalLib.cli.__main__ import command_line_parser
    from PCNSLSurvivalLib.cli.options.case import case_options
    from PCNSLSurvivalLib.core.terms import MRSequence
    from PCNSLSurvivalLib.inference.case_options import CaseOptions

    parameters = panel.logic.getParameterNode()
    for name, kind in _bound().items():
        if kind == "QCheckBox":
            setattr(parameters, name, True)
    parameters.device = "cpu"
    request = RunRequest(
        volumes={},
        model=SimpleNamespace(path="model"),
        engines=dict.fromkeys(ENGINE_CHOICES, SKIP),
        options=chosenOptions(parameters),
    )
    reached = set()
    for mask in (None, Path("mask")):
        given = dict.fromkeys(("alignment", "prepared", "compared", "clinical", "lesion"), Path("file"))
        files = RunFiles(scans={role: Path(role) for role in MRSequence}, brainMask=mask, **given)
        asked = case_options(command_line_parser().parse_args(request.commandLine(files, Path("out"), Path("kept"))))
        reached |= {one.name for one in fields(asked) if getattr(asked, one.name) != one.default}
    assert {one.name for one in fields(CaseOptions)} - reached == NOT_IN_THE_PANEL


# --- the code -----------------------------------------------------------------------------------------------------


def test_imports_between_the_rooms_of_the_panel_point_one_way_and_no_room_is_crowded():
    above = ["panel", "sections", "choices", "regions", "result run batch two_dates"]
    floors = [*above, "second_thoughts", "install", "process scene", "messages event_loop"]
    floor = {room: number for number, rooms in enumerate(floors) for room in rooms.split()}
    upward = []
    for path in sorted((MODULE / "PCNSLSurvivalUI").glob("*/*.py")):
        room = path.parent.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = getattr(node, "module", None) or ""
            target = named.partition("PCNSLSurvivalUI.")[2].split(".")[0]
            if isinstance(node, ast.ImportFrom) and target and target != room and floor[target] <= floor[room]:
                upward.append(f"{room}/{path.name} imports {named}")
    assert not upward
    files = {room.name: len(list(room.glob("*.py"))) - 1 for room in (MODULE / "PCNSLSurvivalUI").iterdir()}
    assert max(files.values()) <= 15, files


def test_nothing_is_put_off_by_a_timer_that_slicer_keeps_until_it_ends():
    """``soon`` lets go of what it has called."""
    assert [path.name for path in CODE if "QTimer.singleShot" in path.read_text(encoding="utf-8")] == ["event_loop.py"]


def test_names_in_qt_slicer_and_its_parts_exist():
    known = {
        ("slicer", "util"): set(records.api()["slicer_util"]),
        ("slicer", "cli"): set(records.api()["slicer_cli"]),
        ("slicer", "modules"): set(records.api()["slicer_modules"]),
        ("slicer", "app"): records.callables("slicer.app") | set(records.api()["classes"]["slicer.app"]["properties"]),
        ("slicer", "mrmlScene"): records.vtk_methods("vtkMRMLScene") | set(_constants("vtkMRMLScene")) | VTK,
    }
    # dicomDatabase exists in builds with DICOM, which the recorded one was not; the code asks before using it.
    names = set(records.api()["slicer_names"]) | {"util", "dicomDatabase"}
    faults = []
    for file, tree in _trees():
        for node in ast.walk(tree):
            chain = _chain(node)
            if len(chain) < 2:
                continue
            if chain[0] == "qt" and chain[1] not in records.qt_names():
                faults.append(f"{file}: qt.{chain[1]}")
            if chain[0] == "qt" and len(chain) > 2 and chain[1] not in ("Qt", *VALUE_TYPES):
                entry = records.api()["classes"].get(chain[1])
                if entry and chain[2] not in records.callables(chain[1]) | _enums(chain[1]):
                    faults.append(f"{file}: {'.'.join(chain[:3])}")
            if chain[0] == "slicer" and chain[1] not in names and chain[1] not in records.api()["vtk"]:
                faults.append(f"{file}: slicer.{chain[1]}")
            part = known.get(tuple(chain[:2]))
            if part is not None and len(chain) > 2 and chain[2] not in part:
                faults.append(f"{file}: {'.'.join(chain[:3])}")
    assert not sorted(set(faults))


def _constants(name: str) -> list[str]:
    return records.api()["vtk"][name]["constants"]


def _enums(name: str) -> set[str]:
    found: set[str] = set()
    current = name
    while current in records.api()["classes"]:
        entry = records.api()["classes"][current]
        for enumeration in entry.get("enums", []):
            found |= set(enumeration) if isinstance(enumeration, list) else {enumeration}
        current = entry["base"]
    return found


def test_signals_that_are_connected_exist():
    signals = {form for name in records.api()["meta"] for form in records.api()["meta"][name]["signals"]}
    # The record of the layout manager has names only; the argument is that of qMRMLLayoutManager.h of Slicer 5.8.1.
    assert "layoutChanged" in records.callables("slicer.app.layoutManager()")
    signals.add("layoutChanged(int)")
    faults = [
        f"{file}: {node.args[0].value}"
        for file, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "connect"
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value not in signals
    ]
    assert faults == []


def test_methods_of_mrml_nodes_exist():
    known = {method for name in records.api()["vtk"] for method in records.api()["vtk"][name]["methods"]} | VTK
    known |= {constant for name in records.api()["vtk"] for constant in records.api()["vtk"][name]["constants"]}
    ours = {"Path", "StringIO", "Thread", "Popen", "PeekNamedPipe"} | {
        node.name for _file, tree in _trees() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    }
    faults = [
        f"{file}: {node.func.attr}"
        for file, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr[0].isupper()
        and file != "worker.py"
        and node.func.attr not in known | ours
        and _chain(node.func)[:1] not in (["qt"], ["slicer"], ["PyTorchUtils"])
    ]
    assert sorted(set(faults)) == []


def test_widgets_are_used_as_pythonqt_offers_them():
    """``ui.name.attribute``: the widget exists; a property is never called, a method never read as a value."""
    widgets, faults = _widgets(), []
    for file, tree in _trees():
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        for node in ast.walk(tree):
            chain = _chain(node)
            place = next((i for i, name in enumerate(chain) if name in ("ui", "_ui")), None)
            if place is None or len(chain) <= place + 2:
                continue
            name, attribute = chain[place + 1], chain[place + 2]
            if len(chain) > place + 3 and chain[place + 2] != attribute:
                continue
            if name not in widgets:
                faults.append(f"{file}: no widget {name} in the .ui file")
                continue
            kind = widgets[name]
            if attribute in records.properties(kind):
                if id(node) in called and len(chain) == place + 3:
                    faults.append(f"{file}: {kind}.{attribute} is a property and cannot be called")
            elif attribute not in records.callables(kind):
                faults.append(f"{file}: {kind} has no {attribute}")
    assert not sorted(set(faults))


def test_qt_methods_get_no_keyword_arguments():
    faults = [
        f"{file}:{node.lineno}"
        for file, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.keywords and set(_chain(node.func)[:2]) & {"qt", "ui", "_ui"}
    ]
    assert faults == []


def test_nothing_heavy_is_imported_in_the_application():
    """torch, MONAI and our layers above them are for the child process, but for its options and where a browser is."""
    heavy = {"torch", "monai", "safetensors", "nilearn", "onnxruntime"}
    ours = {f"PCNSLSurvivalLib.{room}" for room in ("inference", "reports", "cli")}
    light = {"PCNSLSurvivalLib.inference.case_options", "PCNSLSurvivalLib.reports.pdf"}
    faults = []
    for file, tree in _trees():
        if file == "worker.py":
            continue
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""] if node.module not in light else []
            rooms = {n: ".".join(n.split(".")[:2]) for n in names}
            faults += [f"{file}: {n}" for n, room in rooms.items() if n.split(".")[0] in heavy or room in ours]
    assert faults == []


def test_the_panel_loads_without_torch(tmp_path):
    """A fresh interpreter opens the panel; torch and MONAI are not in ``sys.modules`` afterwards."""
    import subprocess
    import sys

    script = (
        "import sys; sys.path[:0] = [sys.argv[1]]\n"
        "from pathlib import Path\n"
        "from slicer_standin.application import start\n"
        "standin = start()\n"
        "widget = standin.open_module(Path(sys.argv[2]))\n"
        "assert not {'torch', 'monai'} & set(sys.modules)\n"
        "standin.close_module(widget); standin.stop(); print('fine')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(MODULE.parent / "Testing"), str(MODULE / "PCNSLSurvival.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "fine" in done.stdout, done.stderr


# --- the tests ------------------------------------------------------------------------------------------------------


def _private_parts(source: str) -> list[str]:
    """Names with an underscore that code takes from anything but itself: read, imported or replaced."""
    of_named_tuples = {"_replace", "_asdict", "_fields", "_make"}
    found = []
    for node in ast.walk(ast.parse(source)):
        names: list[object] = []
        if isinstance(node, ast.Attribute) and not (
            isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        ):
            names = [node.attr]
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in (
            "setattr",
            "getattr",
            "delattr",
        ):
            names = [word.value for word in node.args[1:2] if isinstance(word, ast.Constant)]
        found += [
            f"{node.lineno}: {name}"
            for name in names
            if isinstance(name, str)
            and name.startswith("_")
            and not name.endswith("__")
            and name not in of_named_tuples
        ]
    return found


def test_tests_reach_the_panel_as_its_users_and_scripts_do():
    """Widgets, nodes, sentences, public names: what is private may change without a change of any test."""
    for reaches in ("panel.view._map", "setattr(panel, '_map', 1)", "from PCNSLSurvivalUI.panel import _map"):
        assert _private_parts(reaches) == ["1: _map"]
    assert _private_parts("self._wait(row._replace(mark='x').__class__, _own, getattr(panel, name))") == []
    ours = [
        *Path(__file__).parent.glob("*.py"),
        MODULE / "PCNSLSurvival.py",
        MODULE / "PCNSLSurvivalUI" / "self_tests.py",
    ]
    parts = {path.name: _private_parts(path.read_text(encoding="utf-8")) for path in sorted(ours)}
    assert {name: found for name, found in parts.items() if found} == {}


# --- CLI modules -----------------------------------------------------------------------------------------------------


def test_a_thin_t1gd_is_sampled_alike_for_scans_of_any_slice_thickness(standin):
    """BRAINSFit samples the fixed scan: a tenth of its ten million voxels takes minutes more and is no more exact."""
    import numpy as np
    import slicer
    from PCNSLSurvivalUI.run.slicer_modules import registrationParameters

    thin, thick = (slicer.util.addVolumeFromArray(np.zeros((4, 8, 8), np.float32)) for _scan in range(2))
    thick.SetSpacing(0.9, 0.9, 5.5)
    shares = [
        registrationParameters(fixed, moving, moving, None)["samplingPercentage"]
        for fixed, moving in ((thin, thin), (thin, thick), (thick, thin))
    ]
    assert shares == [0.02, 0.02, 0.1]


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (0.9, 0.9, 5.5)], ids=["isotropic", "thick slices"])
def test_cli_parameters_have_the_modules_names_and_types(standin, spacing_mm):
    import numpy as np
    import slicer
    from PCNSLSurvivalUI.run import slicer_modules

    from PCNSLSurvivalLib.preprocessing.recipe import RECIPE

    node = slicer.util.addVolumeFromArray(np.zeros((26, 256, 256), np.float32))
    node.SetSpacing(*spacing_mm)
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    given = {
        "n4itkbiasfieldcorrection": slicer_modules.biasFieldParameters(node, node, node, RECIPE.bias_field, mask),
        "brainsfit": slicer_modules.registrationParameters(node, node, node, transform),
        "swissskullstripper": slicer_modules.brainParameters(node, node, mask),
    }
    for module, parameters in given.items():
        table = records.cli_parameters()[module]
        assert set(parameters) <= set(table)
        assert {name for name, entry in table.items() if entry.get("required")} <= set(parameters)
        for name, value in parameters.items():
            entry = table[name]
            if entry["tag"] == "image":
                label = entry["type"] == "label"
                assert value.IsA("vtkMRMLLabelMapVolumeNode" if label else "vtkMRMLScalarVolumeNode")
            elif entry["tag"] == "transform":
                assert value.IsA("vtkMRMLLinearTransformNode")
            else:
                kind = {"integer": int, "float": float, "double": float, "boolean": bool}.get(entry["tag"], str)
                assert type(value) is kind, name
                if "choices" in entry:
                    assert value in entry["choices"]
    # N4 ignores a single number of iterations; what it gets is thinned already.
    assert "," in given["n4itkbiasfieldcorrection"]["numberOfIterations"]
    assert given["n4itkbiasfieldcorrection"]["shrinkFactor"] == 1
