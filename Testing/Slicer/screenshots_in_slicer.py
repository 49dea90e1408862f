"""Pictures of the running application, at 1920 x 1200, light and dark, in any installed Slicer.

    Slicer --no-splash --additional-module-paths REPOSITORY/PCNSLSurvival \
        --python-script REPOSITORY/Testing/Slicer/screenshots_in_slicer.py \
        FOLDER [--fast] [--atlas=ATLAS] [T1Gd [T1 [T2]]]

With ``--fast`` the built-in steps prepare the scans. ``ATLAS`` is the folder of an atlas (``screenshots.py`` leaves an
invented one in its ``atlas``); without it no region is named. Without scans the demonstration patient of Sample Data is
taken.
In place of a second exam the same scan is taken, turned and moved.
The window must fit on the screen; under a virtual one: ``xvfb-run -s "-screen 0 1920x1200x24" Slicer …``. Slicer quits
at the end; its exit code is 1 when something failed.
"""

import pathlib
import sys
import time
import traceback

import slicer

WIDTH, HEIGHT = 1920, 1200
STYLES = (("", "Light Slicer"), ("-dark", "Dark Slicer"))
LONGEST_RUN_S = 3600


def wait(seconds: float) -> None:
    """Let the application go on for a while."""
    wait_until(lambda: False, seconds, required=False)


def wait_until(condition, seconds: float, *, required: bool = True) -> None:
    """Let the application go on until something is so."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        slicer.app.processEvents()
        time.sleep(0.01)
    if required and not condition():
        raise RuntimeError(f"It did not become so within {seconds:.0f} s.")


def show_style(name: str) -> None:
    """Light or dark, as Slicer's settings would do it at the next start."""
    slicer.app.setStyle(name)
    slicer.app.setPalette(slicer.app.style().standardPalette())


def shoot(folder: pathlib.Path, name: str) -> None:
    """The main window in both styles."""
    window = slicer.util.mainWindow()
    for ending, style in STYLES:
        show_style(style)
        wait(0.5)
        slicer.util.forceRenderAllViews()
        wait(0.2)
        if not window.grab().save(str(folder / f"slicer-{name}{ending}.png")):
            raise RuntimeError(f"The picture of '{name}' could not be written into {folder}.")
    show_style(STYLES[0][1])
    print(f"slicer-{name}", flush=True)


def load(scans: list[str]) -> None:
    """The scans on the command line, or the demonstration patient."""
    if scans:
        for scan in scans:
            slicer.util.loadVolume(scan)
        return
    from PCNSLSurvivalUI.install import sample_data

    ended: list[object] = []
    sample_data.load(ended=ended.append)
    wait_until(lambda: ended, 900)
    if ended != [None]:
        raise RuntimeError(str(ended[0]))


def main(folder: pathlib.Path, scans: list[str], *, fast: bool, atlas: str) -> None:
    """Write every picture into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    window = slicer.util.mainWindow()
    window.showNormal()
    window.resize(WIDTH, HEIGHT)
    window.move(0, 0)
    slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    slicer.util.selectModule("PCNSLSurvival")
    panel = slicer.util.getModuleWidget("PCNSLSurvival")
    ui = panel.ui
    wait(1)
    shoot(folder, "empty")
    load(scans)
    wait(1)
    ui.guessButton.click()
    if fast:
        ui.preparationSelector.setCurrentIndex(1)
        ui.preparationSelector.activated(1)
    ui.proposeLesionCheckBox.setChecked(True)
    shoot(folder, "ready")
    ui.predictButton.click()
    wait(5)
    shoot(folder, "running")
    wait_until(lambda: panel.logic.run is None, LONGEST_RUN_S)
    if ui.messageLabel.text:
        print(ui.messageLabel.text, flush=True)
    wait(1)
    shoot(folder, "result")
    predicted = ui.mapSelector.currentIndex
    times = {
        "class": lambda: ui.mapSelector.setCurrentIndex(1 - predicted),
        "class again": lambda: ui.mapSelector.setCurrentIndex(predicted),
        "threshold": lambda: setattr(ui.thresholdSlider, "value", 0.5),
        "hotspot": lambda: ui.nextCellButton.click(),
        "opacity": lambda: setattr(ui.opacitySlider, "value", 0.6),
    }
    for name, change in times.items():
        begin = time.perf_counter()
        change()
        slicer.util.forceRenderAllViews()
        print(f"{name}: {time.perf_counter() - begin:.3f} s with drawing", flush=True)
        wait(0.3)
    ui.mapSelector.setCurrentIndex(2)
    shoot(folder, "evidence")
    ui.mapSelector.setCurrentIndex(predicted)
    ui.sideBySideButton.click()
    wait(1)
    shoot(folder, "side-by-side")
    ui.fourUpButton.click()
    wait(0.5)
    look_at_steps(folder, panel)
    ui.sequencesButton.click()
    wait(1)
    shoot(folder, "sequences")
    ui.fourUpButton.click()
    wait(0.5)
    if atlas:
        name_regions(folder, panel, atlas)
    open_only(panel, ui.clinicalSection, ui.lesionSection)
    ui.ageEdit.text = "67"
    shoot(folder, "clinic-and-lesion")
    open_only(panel, ui.advancedSection)
    shoot(folder, "advanced")
    open_only(panel, ui.batchSection)
    ui.batchListButton.click()
    shoot(folder, "batch")
    ui.batchSection.setChecked(False)
    two_dates(folder, panel)
    read_first(folder, panel)
    ui.closeResultButton.click()
    wait(0.5)
    shoot(folder, "closed")


def predict(panel) -> None:
    """Click, and wait for the end."""
    panel.ui.predictButton.click()
    wait_until(lambda: panel.logic.run is None, LONGEST_RUN_S)
    if panel.ui.messageLabel.text:
        print(panel.ui.messageLabel.text, flush=True)
    wait(1)


def open_only(panel, *sections) -> None:
    """Close every section but these."""
    from PCNSLSurvivalUI.panel.panel import sections as all_sections

    for section in all_sections(panel.ui):
        section.setChecked(section in sections)
    wait(0.3)


def look_at_steps(folder: pathlib.Path, panel) -> None:
    """A step of the preparation, two of them in turn, and the repair of the brain outline."""
    ui = panel.ui
    open_only(panel, ui.resultSection, ui.qualitySection)
    slicer.util.findChild(ui.qualityPlace, "output.corrected").click()
    wait(0.5)
    slicer.util.findChild(ui.qualityPlace, "output.mask").click()
    wait(0.5)
    shoot(folder, "brain-outline")
    ui.flickerButton.click()
    wait(0.1)
    shoot(folder, "alternation")
    ui.flickerButton.click()
    ui.repairButton.click()
    wait(1)
    shoot(folder, "repair")
    slicer.util.selectModule("PCNSLSurvival")
    ui.goOnButton.click()
    wait_until(lambda: panel.logic.run is None, LONGEST_RUN_S)
    wait(0.5)


def name_regions(folder: pathlib.Path, panel, atlas: str) -> None:
    """The names of an atlas, with the pointer on the strongest hotspot."""
    ui, settings, name = panel.ui, slicer.app.userSettings(), "PCNSLSurvival/atlasFolder"
    before = settings.value(name) or ""
    settings.setValue(name, atlas)
    ui.regionsButton.click()
    wait_until(lambda: not ui.regionsButton.text.endswith("Cancel"), LONGEST_RUN_S)
    red = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed").GetSliceToRAS()
    crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    crosshair.SetCursorPositionRAS([red.GetElement(axis, 3) for axis in range(3)])
    print(ui.regionLabel.text, ui.regionPlacesLabel.text, sep="\n", flush=True)
    open_only(panel, ui.mapSection)
    shoot(folder, "regions")
    ui.regionsButton.click()  # the names stay hidden at the next start
    settings.setValue(name, before)


def two_dates(folder: pathlib.Path, panel) -> None:
    """The shown exam against the same scan, turned and moved."""
    import numpy as np
    import vtk

    ui = panel.ui
    ui.keepEarlierButton.click()
    earlier = ui.t1gdSelector.currentNode()
    turned = np.eye(4)
    angle = 0.12
    turned[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turned[:3, 3] = (6.0, -4.0, 8.0)
    own = vtk.vtkMatrix4x4()
    earlier.GetIJKToRASMatrix(own)
    later = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, earlier, "T1Gd, second exam")
    later.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(turned @ slicer.util.arrayFromVTKMatrix(own)))
    ui.t1gdSelector.setCurrentNode(later)
    predict(panel)
    ui.followUpButton.click()
    wait_until(lambda: not ui.followUpButton.text.endswith("Cancel"), LONGEST_RUN_S)
    print(ui.followUpLabel.text, flush=True)
    open_only(panel, ui.resultSection, ui.twoDatesSection)
    shoot(folder, "two-dates")
    ui.examsButton.click()
    wait(1)
    shoot(folder, "exams")
    ui.examsButton.click()
    wait(1)
    shoot(folder, "after-exams")


def read_first(folder: pathlib.Path, panel) -> None:
    """The reading mode: the estimate comes before the result."""
    ui = panel.ui
    ui.readFirstCheckBox.setChecked(True)
    open_only(panel, ui.scansSection)
    predict(panel)
    shoot(folder, "read-first")
    ui.estimateSlider.value = 70.0
    ui.confidenceSelector.setCurrentIndex(3)
    ui.revealButton.click()
    wait(1)
    shoot(folder, "revealed")
    ui.readFirstCheckBox.setChecked(False)


if __name__ == "__main__":
    try:
        if len(sys.argv) < 2:
            raise SystemExit(__doc__)
        words = [word for word in sys.argv[1:] if word[:2] != "--"]
        chosen = next((word.partition("=")[2] for word in sys.argv if word.startswith("--atlas=")), "")
        main(pathlib.Path(words[0]), words[1:], fast="--fast" in sys.argv, atlas=chosen)
        slicer.util.exit(0)
    except Exception:
        traceback.print_exc()
        slicer.util.exit(1)
