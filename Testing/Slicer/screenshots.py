"""Pictures of the panel in its states and of the slice views, without a display: ``python screenshots.py FOLDER``.

The demonstration patient is predicted by the real command line; N4 and BRAINSFit are played by SimpleITK (see
``slicer_standin/cli_player.py``); slices are blended and drawn by Slicer's own MRML logics.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if not os.environ.get("DISPLAY"):
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE.parents[1])]

from made_database import DicomDatabase  # noqa: E402 — the environment above comes first
from made_scenes import Wait, step_buttons, wait_for_answer, write_dicom_of  # noqa: E402
from slicer_standin.application import start  # noqa: E402
from slicer_standin.views import render_slice  # noqa: E402

WIDTH = 430
VIEW = 480
GAP = 6


def _dark(application: Any) -> None:
    from PySide6 import QtGui

    palette = QtGui.QPalette()
    for role, color in {
        "Window": "#353535", "WindowText": "#f0f0f0", "Base": "#2a2a2a", "AlternateBase": "#353535", "Text": "#f0f0f0",
        "Button": "#3f3f3f", "ButtonText": "#f0f0f0", "Highlight": "#2a82da", "HighlightedText": "#ffffff",
        "ToolTipBase": "#f0f0f0", "ToolTipText": "#202020", "PlaceholderText": "#a0a0a0",
    }.items():  # fmt: skip
        palette.setColor(getattr(QtGui.QPalette.ColorRole, role), QtGui.QColor(color))
    for role in ("Text", "ButtonText", "WindowText"):
        palette.setColor(
            QtGui.QPalette.ColorGroup.Disabled, getattr(QtGui.QPalette.ColorRole, role), QtGui.QColor("#8a8a8a")
        )
    application.qapplication.setPalette(palette)


def _light(application: Any) -> None:
    application.qapplication.setPalette(application.qapplication.style().standardPalette())


def _load_patient() -> None:
    import SimpleITK as sitk
    import slicer

    from PCNSLSurvivalLib.core.terms import MRSequence
    from PCNSLSurvivalLib.imaging.geometry import Grid
    from PCNSLSurvivalLib.phantoms import demonstration_patient

    sequences = (MRSequence.T1GD, MRSequence.T1, MRSequence.T2)
    for sequence, image in demonstration_patient(sequences=sequences).scans.items():
        node = slicer.util.addVolumeFromArray(sitk.GetArrayFromImage(image), name=f"Demonstration {sequence.label}")
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(Grid.of(image).affine_ras))


def _look_again(widget: Any) -> None:
    """Open a section anew, as the user may: the panel brings all it shows in line with its width and its colors."""
    from PCNSLSurvivalUI.panel.panel import sections

    opened = next(section for section in sections(widget.ui) if section.checked)
    opened.setChecked(False)
    opened.setChecked(True)


def _shoot(application: Any, widget: Any, folder: Path, name: str, wait: Wait) -> None:
    """The panel as high as it wants to be, in the light and in the dark theme."""
    from PySide6 import QtWidgets

    parent = widget.parent
    for ending, theme in (("", _light), ("-dark", _dark)):
        theme(application)
        for _pass in range(2):  # what is drawn for a width may change the height
            parent.resize(WIDTH, 1200)
            wait.some(0.2)
            layout = QtWidgets.QWidget.layout(parent)
            layout.activate()
            width = max(WIDTH, layout.minimumSize().width())
            parent.resize(width, max(layout.sizeHint().height(), layout.heightForWidth(width)))
            wait.some(0.3)
            _look_again(widget)
            wait.some(0.2)
        QtWidgets.QWidget.grab(parent).save(str(folder / f"{name}{ending}.png"))
    _light(application)
    print(name, flush=True)


@contextmanager
def _only(widget: Any, *opened: Any) -> Iterator[None]:
    """These sections open, the others closed; afterwards as before."""
    from PCNSLSurvivalUI.panel.panel import sections

    before = {section: section.checked for section in sections(widget.ui)}
    for section in before:
        section.setChecked(section in opened)
    yield
    for section, checked in before.items():
        section.setChecked(checked)


@contextmanager
def _own_views(application: Any, *names: str) -> Iterator[list[Any]]:
    """The logics of slice views that a layout of the panel has."""
    import slicer

    known, logics = application.app.layoutManager().mrmlSliceLogics(), []
    for name in names:
        logics.append(slicer.vtkMRMLSliceLogic())
        logics[-1].SetMRMLApplicationLogic(application.app.applicationLogic())
        logics[-1].SetMRMLScene(slicer.mrmlScene)
        logics[-1].AddSliceNode(name).SetDimensions(VIEW, VIEW, 1)
        known.AddItem(logics[-1])
    yield logics
    for logic in logics:
        known.RemoveItem(logic)
        nodes = [logic.GetSliceNode(), logic.GetSliceCompositeNode()]
        logic.SetMRMLScene(None)
        for node in nodes:
            slicer.mrmlScene.RemoveNode(node)


def _resize(application: Any) -> None:
    """Another layout has given the slice views other sizes: back to those of the pictures."""
    for view in ("Red", "Green", "Yellow"):
        application.app.layoutManager().sliceWidget(view).sliceLogic().ResizeSliceNode(VIEW, VIEW)


def _clinic(application: Any, widget: Any, folder: Path, wait: Wait) -> None:
    """Every clinical finding given but one."""
    ui = widget.ui
    ui.ageEdit.text = "67"
    given = {"ecog": "2", "karnofsky": "60 %", "ldh": "elevated", "deepLesion": "yes", "steroids": "yes"}
    for name, words in (given | {"surgery": "biopsy"}).items():
        getattr(ui, f"{name}Selector").setCurrentText(words)
    with _only(widget, ui.scansSection, ui.clinicalSection):
        _shoot(application, widget, folder, "panel-clinic", wait)


def _sequences(application: Any, widget: Any, folder: Path, wait: Wait) -> None:
    """T1Gd with the map, T1 and T2 in linked views."""
    from PCNSLSurvivalUI.result.navigation import SEQUENCE_VIEWS

    from PCNSLSurvivalLib.core.terms import MRSequence

    shown = (MRSequence.T1, MRSequence.T2)
    red = application.app.layoutManager().sliceWidget("Red").sliceLogic()
    with _own_views(application, *(SEQUENCE_VIEWS[sequence] for sequence in shown)) as logics:
        widget.ui.sequencesButton.click()
        wait.some(0.5)
        _resize(application)
        for logic, name in zip((red, *logics), ("t1gd", *shown), strict=True):
            render_slice(logic, application.app.applicationLogic(), str(folder / f"slice-sequences-{name}.png"))
        widget.ui.fourUpButton.click()
        wait.some(0.2)
        _resize(application)


def _write_atlas(folder: Path) -> None:
    """An invented atlas of another virtual head: lobes and nuclei as boxes about the anterior commissure."""
    import numpy as np
    import SimpleITK as sitk

    from PCNSLSurvivalLib.core.terms import MRSequence
    from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid
    from PCNSLSurvivalLib.phantoms.patient import reference_patient

    patient = reference_patient(sequences=(MRSequence.T1,))
    scan, brain = patient.scans[MRSequence.T1], patient.brain_masks[MRSequence.T1]
    grid, pose = Grid.of(scan), patient.poses[MRSequence.T1]
    points = grid.index_to_lps(np.stack(np.meshgrid(*map(np.arange, grid.size), indexing="ij"), -1))
    turn, middle = np.reshape(pose.GetMatrix(), (3, 3)), np.array(pose.GetCenter())
    x, y, z = np.moveaxis((points - middle) @ turn.T + middle + pose.GetTranslation(), -1, 0)
    regions = {  # the later ones lie over the earlier ones; y toward posterior, z toward superior
        "Frontal_lobe": y < 10, "Parietal_lobe": (y >= 10) & (z > 20), "Occipital_lobe": (y > 60) & (z <= 20),
        "Temporal_lobe": (np.abs(x) > 25) & (y > -25) & (y <= 60) & (z < 5),
        "Cerebellum": (y > 25) & (z < -15), "Basal_ganglia": (np.abs(x) < 32) & (y > -25) & (y < 12) & (np.abs(z) < 18),
        "Thalamus": (np.abs(x) < 22) & (y >= 12) & (y < 35) & (np.abs(z) < 15),
    }  # fmt: skip
    labels, lines = np.zeros(grid.size, np.int16), []
    for name, inside in regions.items():
        for side, where in (("L", inside & (x > 0)), ("R", inside & (x <= 0))):
            lines.append(f"{len(lines) + 1} {name}_{side}")
            labels[where] = len(lines)
    inside = sitk.GetArrayFromImage(brain) > 0
    folder.mkdir(exist_ok=True)
    sitk.WriteImage(scan * sitk.Cast(brain, scan.GetPixelID()), str(folder / "invented_T1w.nii.gz"))
    volume = image_on_grid((labels.transpose(2, 1, 0) * inside).astype(np.int16), grid)
    sitk.WriteImage(volume, str(folder / "invented_dseg.nii.gz"))
    (folder / "names.txt").write_text("\n".join(lines), encoding="utf-8")


def _regions(application: Any, widget: Any, folder: Path, wait: Wait) -> None:
    """The names of an invented atlas, with the pointer on the largest focus."""
    import qt
    import slicer

    ui = widget.ui
    _write_atlas(folder / "atlas")
    if slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode") is None:
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLCrosshairNode")
    ask, qt.QFileDialog.getExistingDirectory = qt.QFileDialog.getExistingDirectory, lambda *_: str(folder / "atlas")
    ui.atlasButton.click()
    qt.QFileDialog.getExistingDirectory = ask
    wait.until(lambda: not ui.regionsButton.text.endswith("Cancel"), 900)
    focus = json.loads(widget.logic.getParameterNode().result)["lesion"]["foci"][0]
    slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode").SetCursorPositionRAS(focus["center_ras_mm"])
    print(ui.regionLabel.text, ui.regionPlacesLabel.text, sep="\n")
    with _only(widget, ui.resultSection, ui.mapSection):
        _shoot(application, widget, folder, "panel-regions", wait)
    ui.regionsButton.click()  # hidden again: the next results need no registration


def _read_first(application: Any, widget: Any, folder: Path, wait: Wait) -> None:
    """The reading mode: an estimate comes before the result."""
    ui = widget.ui
    ui.readFirstCheckBox.setChecked(True)
    ui.predictButton.click()
    wait.until(lambda: widget.logic.run is None, 900)
    with _only(widget, ui.scansSection, ui.readingSection):
        _shoot(application, widget, folder, "panel-read-first", wait)
    _views(application, folder, "read-first")
    ui.readFirstCheckBox.setChecked(False)


def _batch(application: Any, widget: Any, folder: Path, wait: Wait) -> None:
    """Three exams of a DICOM database: one predicted, one that cannot be read, one not chosen; some minutes."""
    import slicer

    ui = widget.ui
    with tempfile.TemporaryDirectory() as series:
        slicer.dicomDatabase = DicomDatabase(write_dicom_of(ui.t1gdSelector.currentNode(), Path(series) / "t1gd"))
        ui.scansSection.setChecked(False)  # the panel looks again
        ui.scansSection.setChecked(True)
        wait.until(lambda: ui.batchSection.isVisibleTo(widget.parent))
        ui.batchListButton.click()
        wait.until(lambda: ui.batchListButton.enabled)
        for row in (0, 1):
            for column in range(4):
                ui.batchTable.item(row, column).setSelected(True)
        ui.batchPredictButton.click()
        wait.until(lambda: ui.batchPredictButton.text != "Cancel", 900)
        with _only(widget, ui.batchSection):
            _shoot(application, widget, folder, "panel-batch", wait)
    del slicer.dicomDatabase


def _write_report(widget: Any, path: Path) -> None:
    from PCNSLSurvivalUI.result.report_files import writeReport
    from PCNSLSurvivalUI.scene.output_nodes import SceneOutputs

    writeReport(SceneOutputs(widget.logic.getParameterNode().parameterNode), path)


def _with_warnings(parameters: Any) -> None:
    """What a scan of another kind and a large brain outline look like in the panel."""
    from PCNSLSurvivalLib.core.messages import Message

    result = json.loads(parameters.result)
    large = Message("brain.too_large", ml=2100.0).to_json()
    found = {"measure": "brain_volume", "step": "brain_extraction", "sequence": None, "verdict": "check"}
    result["preprocessing"]["findings"].append({**found, "value": 2100.0, "unit": "mL", **large})
    furthest = Message("measure.fullness")
    values = {"cases": 24, "reference": "24 virtual patients", "furthest": furthest, "distance": 2.6}
    unlike = Message("familiarity.unlike", **values).to_json()
    result["familiarity"] = {"verdict": "unlike", **unlike}
    result["member_probabilities"] = [0.41, 0.48, 0.56, 0.63, 0.71]
    result["warnings"] += [large, unlike]
    parameters.result = json.dumps(result)


def _second_thoughts(application: Any, widget: Any, folder: Path, wait: Wait) -> None:
    """Each question asked of the real command line; some minutes."""
    ui = widget.ui
    for button in (ui.withoutLesionButton, ui.robustnessButton, ui.checkMapButton):
        button.click()
        print(ui.messageLabel.text)
        wait_for_answer(widget, 1800)
    for section in (ui.scansSection, ui.qualitySection, ui.reportSection):
        section.setChecked(False)
    _shoot(application, widget, folder, "panel-second-thoughts", wait)
    _views(application, folder, "checked")
    for section in (ui.scansSection, ui.qualitySection, ui.reportSection):
        section.setChecked(True)


def _two_dates(application: Any, widget: Any, folder: Path, wait: Wait) -> None:
    """The demonstration patient against itself with a turned head, in place of a second exam; some minutes."""
    import SimpleITK as sitk
    import slicer
    from PCNSLSurvivalUI.result.navigation import EARLIER_VIEW, LATER_VIEW

    from PCNSLSurvivalLib.core.terms import MRSequence
    from PCNSLSurvivalLib.imaging.geometry import Grid, resample
    from PCNSLSurvivalLib.phantoms import demonstration_patient

    ui = widget.ui
    ui.keepEarlierButton.click()
    scan = demonstration_patient(sequences=(MRSequence.T1GD,)).scans[MRSequence.T1GD]
    turned = resample(scan, Grid.of(scan), transform=sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.05, -0.04, 0.12))
    node = slicer.util.addVolumeFromArray(sitk.GetArrayFromImage(turned), name="Demonstration T1Gd, second exam")
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(Grid.of(turned).affine_ras))
    ui.t1gdSelector.setCurrentNode(node)
    ui.predictButton.click()
    wait.until(lambda: widget.logic.run is None, 900)
    ui.followUpButton.click()
    wait.until(lambda: not ui.followUpButton.text.endswith("Cancel"), 900)
    print(ui.messageLabel.text)
    ui.twoDatesSection.setChecked(True)
    _shoot(application, widget, folder, "panel-two-dates", wait)
    with _own_views(application, EARLIER_VIEW, LATER_VIEW) as logics:
        ui.examsButton.click()
        wait.some(0.2)
        for logic, name in zip(logics, ("earlier", "later"), strict=True):
            render_slice(logic, application.app.applicationLogic(), str(folder / f"slice-exam-{name}.png"))
        ui.examsButton.click()
    wait.some(0.2)
    _resize(application)
    ui.twoDatesSection.setChecked(False)


def _surfaces(folder: Path) -> None:
    """What the 3-D view shows, drawn without Slicer's own view."""
    import slicer
    import vtk

    renderer, window = vtk.vtkRenderer(), vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetSize(VIEW, VIEW)
    window.AddRenderer(renderer)
    for node in slicer.util.getNodesByClass("vtkMRMLModelNode"):
        if node.GetAttribute("PCNSLSurvival.output") and node.GetPolyData() is not None:
            mapper, actor = vtk.vtkPolyDataMapper(), vtk.vtkActor()
            mapper.SetInputData(node.GetPolyData())
            mapper.ScalarVisibilityOff()
            actor.SetMapper(mapper)
            actor.GetProperty().SetColor(node.GetDisplayNode().GetColor())
            actor.GetProperty().SetOpacity(node.GetDisplayNode().GetOpacity())
            renderer.AddActor(actor)
    camera = renderer.GetActiveCamera()
    camera.SetPosition(300, 600, 150)
    camera.SetViewUp(0, 0, 1)
    renderer.ResetCamera()
    window.Render()
    grabber, writer = vtk.vtkWindowToImageFilter(), vtk.vtkPNGWriter()
    grabber.SetInput(window)
    writer.SetInputConnection(grabber.GetOutputPort())
    writer.SetFileName(str(folder / "three-d.png"))
    writer.Write()
    window.Finalize()


def _views(application: Any, folder: Path, name: str) -> None:
    for view in ("Red", "Green", "Yellow"):
        logic = application.app.layoutManager().sliceWidget(view).sliceLogic()
        render_slice(logic, application.app.applicationLogic(), str(folder / f"slice-{name}-{view.lower()}.png"))


def _overview(folder: Path) -> None:
    """Panel and slice views side by side, as they stand in the application."""
    from PySide6 import QtGui

    panel = QtGui.QImage(str(folder / "panel-overview.png"))
    height = max(panel.height(), 3 * VIEW + 2 * GAP)
    picture = QtGui.QImage(panel.width() + 2 * (VIEW + GAP), height, QtGui.QImage.Format.Format_RGB32)
    picture.fill(QtGui.QColor("#202020"))
    painter = QtGui.QPainter(picture)
    painter.fillRect(0, 0, panel.width(), height, panel.pixelColor(2, 2))
    painter.drawImage(0, 0, panel)
    shown = ("grad-cam-red", "grad-cam-yellow", "grad-cam-green", "cells-green", "cells-red", "evidence-red")
    for place, name in enumerate(shown):
        image = QtGui.QImage(str(folder / f"slice-{name}.png"))
        painter.drawImage(panel.width() + GAP + place % 2 * (VIEW + GAP), place // 2 * (VIEW + GAP), image)
    painter.end()
    picture.save(str(folder / "overview.png"))


def main(folder: Path) -> None:
    """Write every picture into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    application = start()
    application.reset()
    wait = Wait()
    for view in ("Red", "Green", "Yellow"):
        application.app.layoutManager().sliceWidget(view).mrmlSliceNode().SetDimensions(VIEW, VIEW, 1)
    widget = application.open_module(HERE.parents[1] / "PCNSLSurvival" / "PCNSLSurvival.py")
    widget.parent.show()
    ui = widget.ui
    _shoot(application, widget, folder, "panel-empty", wait)
    _load_patient()
    ui.guessButton.click()
    ui.brainEngineSelector.setCurrentText("Built in")
    _shoot(application, widget, folder, "panel-ready", wait)
    _clinic(application, widget, folder, wait)
    ui.proposeLesionCheckBox.setChecked(True)
    ui.predictButton.click()
    wait.until(lambda: widget.logic.run is None or _running(widget, "prediction", "brain_extraction"), 900)
    _shoot(application, widget, folder, "panel-running", wait)
    wait.until(lambda: widget.logic.run is None, 900)
    print(ui.messageLabel.text)
    _write_report(widget, folder / "report.html")
    _shoot(application, widget, folder, "panel-result", wait)
    _views(application, folder, "grad-cam")
    _surfaces(folder)
    _sequences(application, widget, folder, wait)
    _regions(application, widget, folder, wait)
    for section in (ui.scansSection, ui.qualitySection, ui.reportSection):
        section.setChecked(False)
    _shoot(application, widget, folder, "panel-overview", wait)
    for section in (ui.scansSection, ui.qualitySection, ui.reportSection):
        section.setChecked(True)
    _second_thoughts(application, widget, folder, wait)
    ui.smoothSelector.setCurrentIndex(1)
    _views(application, folder, "cells")
    ui.smoothSelector.setCurrentIndex(0)
    ui.mapSelector.setCurrentIndex(1)
    _views(application, folder, "other-class")
    ui.mapSelector.setCurrentIndex(2)
    _shoot(application, widget, folder, "panel-evidence", wait)
    _views(application, folder, "evidence")
    _overview(folder)
    for role in ("output.mask", "output.aligned.t2", "output.input"):
        step_buttons(widget)[role].click()
        _views(application, folder, role.removeprefix("output.").replace(".", "-"))
    _two_dates(application, widget, folder, wait)
    _read_first(application, widget, folder, wait)
    _batch(application, widget, folder, wait)
    _with_warnings(widget.logic.getParameterNode())
    _shoot(application, widget, folder, "panel-warning", wait)
    ui.brainEngineSelector.setCurrentText("Slicer module")
    application.offer_cli_modules("n4itkbiasfieldcorrection", "brainsfit")
    ui.advancedSection.setChecked(True)
    ui.predictButton.click()
    _shoot(application, widget, folder, "panel-failed", wait)
    application.close_module(widget)
    application.reset()
    application.stop()


def _running(widget: Any, *names: str) -> bool:
    steps = [widget.logic.run.steps.find(name) for name in names]
    return any(step is not None and step.state == "running" for step in steps)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
