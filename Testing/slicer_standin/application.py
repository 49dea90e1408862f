"""``slicer.app``, ``slicer.modules``, the scene and the views: what the running application holds together."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import traceback
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import slicer
import vtk
from PySide6 import QtCore, QtWidgets

from slicer_standin import cli, parameter_node, records, sample_data_module, scripted_module, translation
from slicer_standin.pythonqt import run_slot, slot_errors
from slicer_standin.qt_module import QtModule
from slicer_standin.segment_editor import SegmentationsLogic, SegmentEditorModule
from slicer_standin.ui_loader import child_widget_variables, load_ui
from slicer_standin.views import LayoutManager
from slicer_standin.widgets import CTK_WIDGETS, QMRML_WIDGETS

messages: list[tuple[str, str]] = []
"""Every message box the module would have shown: (kind, text)."""
_VIEW_NAMES = ("Red", "Green", "Yellow")


class Application:
    """``slicer.app``; methods that the running application does not have do not exist here either."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.temporaryPath = str(home / "temporary")
        self.slicerHome = str(home)
        self.majorVersion, self.minorVersion = 5, 8
        self.applicationVersion = "5.8.1-stand-in"
        Path(self.temporaryPath).mkdir(parents=True)
        self._logic = slicer.vtkSlicerApplicationLogic()
        self.standin_testing = True
        self._at_startup: list[Any] = []
        self._layout_manager: LayoutManager | None = None
        self._render_pauses = 0
        self._module_manager = QtCore.QObject()
        self._settings = QtCore.QSettings(str(home / "settings.ini"), QtCore.QSettings.Format.IniFormat)

    def testingEnabled(self) -> bool:
        return self.standin_testing

    def connect(self, signal: str, slot: Any) -> bool:
        """Only ``startupCompleted()``, which ``StandIn.complete_startup`` emits."""
        self._at_startup.append(slot)
        return signal == "startupCompleted()"

    def processEvents(self) -> None:
        QtWidgets.QApplication.processEvents()

    def applicationLogic(self) -> Any:
        return self._logic

    def moduleManager(self) -> Any:
        return self._module_manager

    def mrmlScene(self) -> Any:
        return slicer.mrmlScene

    def pauseRender(self) -> None:
        self._render_pauses += 1
        for view in self._slice_views():
            view.pauseRender()

    def resumeRender(self) -> None:
        self._render_pauses -= 1
        for view in self._slice_views():
            view.resumeRender()

    def _slice_views(self) -> list[Any]:
        manager = self._layout_manager
        return [] if manager is None else [manager.sliceWidget(name).sliceView() for name in manager.sliceViewNames()]

    def layoutManager(self) -> LayoutManager | None:
        return self._layout_manager

    def userSettings(self) -> Any:
        return self._settings

    def openNodeModule(self, node: Any) -> bool:
        messages.append(("module of", node.GetName()))
        return True

    def palette(self) -> Any:
        return QtWidgets.QApplication.palette()


class StandIn:
    """One running application; make it once in a process with ``start()``."""

    def __init__(self) -> None:
        self.qapplication = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["Slicer"])
        self.qapplication.setStyle("Fusion")
        self.home = Path(tempfile.mkdtemp(prefix="slicer_standin_"))
        _write_palettes(self.home / "share" / "ColorFiles")
        self.app = Application(self.home)
        scene = slicer.vtkMRMLScene()
        scene.RegisterNodeClass(slicer.vtkMRMLCommandLineModuleNode())
        slicer.mrmlScene = scene
        logic = self.app.applicationLogic()
        logic.SetHomeDirectory(str(self.home))
        logic.SetShareDirectory("share")
        logic.SetMRMLScene(scene)
        self.colors = slicer.vtkSlicerColorLogic()
        self.colors.SetMRMLApplicationLogic(logic)
        self.colors.SetMRMLScene(scene)
        logic.SetColorLogic(self.colors)
        logic.SetModuleLogic("Colors", self.colors)
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
        self.volumes = slicer.vtkSlicerVolumesLogic()
        self.volumes.SetMRMLApplicationLogic(logic)
        self.volumes.SetMRMLScene(scene)
        self.main_window: Any = None
        self._install()
        self.open_views()

    # --- names in the module ``slicer`` -------------------------------------------------------------
    def _install(self) -> None:
        qt = QtModule("qt")
        ctk = types.ModuleType("ctk")
        for name, widget in CTK_WIDGETS.items():
            setattr(ctk, name, widget)
        for name, widget in QMRML_WIDGETS.items():
            setattr(slicer, name, widget)
        self.qt = qt
        self.main_window = qt.QMainWindow()
        slicer.app = self.app
        slicer.cli = cli
        slicer.modules = types.SimpleNamespace(
            colors=_Module(self.colors),
            volumes=_Module(self.volumes),
            sampledata=_Module(None),
            sampleDataSources={},
            segmenteditor=SegmentEditorModule(),
        )
        slicer.vtkSlicerSegmentationsModuleLogic = SegmentationsLogic
        self.offer_cli_modules()
        slicer.ScriptedLoadableModule = scripted_module
        slicer.parameterNodeWrapper = parameter_node
        i18n = types.ModuleType("slicer.i18n")
        i18n.tr = translation.tr
        i18n.translate = lambda _context, text: translation.tr(text)
        slicer.i18n = i18n
        sys.modules.update(
            {
                "qt": qt, "ctk": ctk, "slicer.cli": cli, "slicer.i18n": i18n,
                "SampleData": sample_data_module,
                "slicer.ScriptedLoadableModule": scripted_module, "slicer.parameterNodeWrapper": parameter_node,
            }
        )  # fmt: skip
        util = slicer.util
        util.loadUI = lambda path: load_ui(path, qt)
        util.childWidgetVariables = child_widget_variables
        util.mainWindow = lambda: self.main_window
        util.errorDisplay = lambda text, *_a, **_k: messages.append(("error", text))
        util.warningDisplay = lambda text, *_a, **_k: messages.append(("warning", text))
        util.infoDisplay = lambda text, *_a, **_k: messages.append(("info", text))
        util.confirmOkCancelDisplay = util.confirmYesNoDisplay = lambda text, *_a, **_k: (
            messages.append(("question", text)) is not None
        )
        util.showStatusMessage = lambda *_a: False
        util.tempDirectory = self._temp_directory
        util.tryWithErrorDisplay = _try_with_error_display
        util.selectModule = self._select_module
        util.getModuleWidget = lambda name: getattr(slicer.modules, name + "Widget")

    def _select_module(self, name: str) -> None:
        messages.append(("module", name))
        if name == "SegmentEditor":
            slicer.modules.segmenteditor.enter()

    def offer_cli_modules(self, *names: str) -> None:
        """The CLI modules that are installed; all three when none is named."""
        for name in records.cli_parameters():
            slicer.modules.__dict__.pop(name, None)
            if not names or name in names:
                setattr(slicer.modules, name, cli.CLIModule(name, name))

    def _temp_directory(
        self, key: str = "__SlicerTemp__", tempDir: str | None = None, includeDateTime: bool = True
    ) -> str:
        return tempfile.mkdtemp(prefix=key, dir=self.app.temporaryPath)

    # --- views ---------------------------------------------------------------------------------------
    def open_views(self) -> None:
        if self.app._layout_manager is None:
            self.app._layout_manager = LayoutManager(self.app.applicationLogic(), _VIEW_NAMES)

    def close_views(self) -> None:
        """As with ``--no-main-window``: no layout manager and no views."""
        if self.app._layout_manager is not None:
            self.app._layout_manager.close()
            self.app._layout_manager = None

    def show_loaded(self, node: Any) -> None:
        """What Slicer does with the views when a volume was loaded from a file: Slicer's own logic does it.

        The views turn to the planes of the volume; a label map goes into the label layer, above all others.
        """
        selection = self.app.applicationLogic().GetSelectionNode()
        if node.IsA("vtkMRMLLabelMapVolumeNode"):
            selection.SetActiveLabelVolumeID(node.GetID())
        else:
            selection.SetActiveVolumeID(node.GetID())
        self.app.applicationLogic().PropagateVolumeSelection()

    def complete_startup(self) -> None:
        """Slicer has started: modules offer their sample data now."""
        slots, self.app._at_startup = self.app._at_startup, []
        for slot in slots:
            run_slot(slot, ())

    # --- the module ----------------------------------------------------------------------------------
    def open_module(self, module_file: Path) -> Any:
        """Load a scripted module from its file as Slicer does, and open its panel; the widget."""
        import importlib

        name = module_file.stem
        if str(module_file.parent) not in sys.path:
            sys.path.append(str(module_file.parent))
        module = importlib.import_module(name)
        description = getattr(module, name)(types.SimpleNamespace())
        assert description.parent.title, "a module without a title does not load"
        parent = _ModuleWidget()
        QtWidgets.QVBoxLayout(parent)
        widget = getattr(module, name + "Widget")(parent)
        widget.setup()
        parent.isEntered = True
        if hasattr(widget, "enter"):
            widget.enter()
        setattr(slicer.modules, name + "Instance", description)
        setattr(slicer.modules, name + "Widget", widget)
        return widget

    def close_module(self, widget: Any) -> None:
        """What happens when Slicer unloads the module."""
        import shiboken6

        current = getattr(slicer.modules, widget.moduleName + "Widget", widget)
        current.cleanup()
        for name in ("Widget", "Instance"):
            slicer.modules.__dict__.pop(widget.moduleName + name, None)
        shiboken6.delete(widget.parent)
        # The event loop of the application does so when it is idle, processEvents never.
        QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete.value)

    def reset(self) -> None:
        """A fresh scene, no running jobs, no kept messages."""
        cli.end_all()
        cli.plans.clear()
        cli.faults.clear()
        cli.crashes.clear()
        slot_errors.clear()
        messages.clear()
        self.offer_cli_modules()
        # Of panels of other tests, which may have been reloaded since.
        self.app._at_startup.clear()
        slicer.modules.sampleDataSources.clear()
        slicer.modules.segmenteditor = SegmentEditorModule()
        slicer.mrmlScene.Clear(0)
        self.app.standin_testing = True
        self.app._settings.remove("PCNSLSurvival/engines")

    def stop(self) -> None:
        """Detach the slice logics before the interpreter ends, otherwise VTK ends with a segmentation fault."""
        cli.end_all()
        self.close_views()
        slicer.mrmlScene.Clear(1)
        shutil.rmtree(self.home, ignore_errors=True)


class _ModuleWidget(QMRML_WIDGETS["qMRMLWidget"]):
    standin_properties: ClassVar = {"isEntered": False}


class _Module:
    def __init__(self, logic: Any) -> None:
        self._logic = logic

    def logic(self) -> Any:
        return self._logic


@contextlib.contextmanager
def _try_with_error_display(message: str | None = None, show: bool = True, waitCursor: bool = False) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        messages.append(("error", f"{message or ''} {error}".strip()))
        traceback.print_exc()
        raise


def _write_palettes(folder: Path) -> None:
    """Slicer's file palettes are not in the wheel: tables under the same names, from matplotlib's own data."""
    import matplotlib

    folder.mkdir(parents=True)
    for name, source in (
        ("Inferno", "inferno"),
        ("Viridis", "viridis"),
        ("Magma", "magma"),
        ("Plasma", "plasma"),
        ("Cividis", "cividis"),
        ("DivergingBlueRed", "coolwarm"),
    ):
        colors = matplotlib.colormaps[source](range(256), bytes=True)
        lines = [f"{i} {i} {r} {g} {b} {a}" for i, (r, g, b, a) in enumerate(colors)]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


_running: list[StandIn] = []


def start() -> StandIn:
    """The one application of this process."""
    if not _running:
        _running.append(StandIn())
    return _running[0]


__all__ = ["StandIn", "messages", "start", "vtk"]
