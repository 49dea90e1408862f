"""PCNSL Survival: the door between 3D Slicer and the panel; wiring only."""

import pathlib
import sys
import time

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

try:
    import PCNSLSurvivalLib  # noqa: F401
except ModuleNotFoundError:  # a source checkout: the library lies beside the module's folder
    sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))

from PCNSLSurvivalUI.choices.model_list import installedModels
from PCNSLSurvivalUI.choices.parameters import chosenVolumes, forgetParameters, parametersOf
from PCNSLSurvivalUI.install import packages, sample_data
from PCNSLSurvivalUI.panel.logic import PanelLogic
from PCNSLSurvivalUI.panel.panel import PanelView
from PCNSLSurvivalUI.panel.panel_height import PanelHeight
from PCNSLSurvivalUI.run import slicer_modules
from PCNSLSurvivalUI.run.engines import BUILT_IN, SLICER
from PCNSLSurvivalUI.scene.output_nodes import storedResult
from PCNSLSurvivalUI.sections.scans_section import addSelectors
from PCNSLSurvivalUI.self_tests import DisplayTests

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import EXTRACTORS, is_brain_extractor_installed


class PCNSLSurvival(ScriptedLoadableModule):
    """What Slicer shows about the module."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("PCNSL Survival")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        self.parent.dependencies = []
        self.parent.contributors = ["PCNSLSurvival contributors"]
        self.parent.helpText = (
            _(
                "Predicts from the post-contrast T1 MRI whether a patient with primary CNS lymphoma (PCNSL) survives "
                "more than one year. The Grad-CAM map of the prediction lies on the slices."
            )
            + "<p>"
            + _(
                "Choose the T1Gd volume, press the prediction button, and read the probability, its warnings and the "
                "map. Sample Data offers a demonstration patient, which is a virtual head."
            )
            + f"</p><p><b>{_('Research use only. Not for clinical decisions.')}</b> "
            + _("The bundled model has no prognostic value.")
            + f"</p><p>{_('No data leave this computer.')}</p>"
        )
        self.parent.acknowledgementText = _(
            "Method after She et al., Deep learning-based overall survival prediction model in patients with rare "
            "cancer: a case study for primary central nervous system lymphoma. Int J CARS 18:1849-1856, 2023, "
            "doi:10.1007/s11548-023-02886-2. Built-in brain extraction: {extractors}. License: Apache 2.0."
        ).format(extractors=", ".join(f"{e.package} ({e.reference}, {e.license} license)" for e in EXTRACTORS.values()))
        slicer.app.connect("startupCompleted()", self.onStartupCompleted)

    def onStartupCompleted(self):
        """Offer the demonstration patient in the module Sample Data."""
        if hasattr(slicer.modules, "sampledata"):
            sample_data.register(pathlib.Path(self.resourcePath("Icons/PCNSLSurvival.png")))


class PCNSLSurvivalWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.view = None

    def setup(self):
        """Build the panel from its .ui file and connect it."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/PCNSLSurvival.ui"))
        self.layout.addWidget(uiWidget)
        self.layout.addStretch(1)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        addSelectors(uiWidget, self.ui)
        self.logic = PCNSLSurvivalLogic()
        self.view = PanelView(self.ui, self.logic)
        self.height = PanelHeight(self.parent)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.StartImportEvent, self.onSceneStartImport)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEndImport)
        self.ui.predictButton.connect("clicked(bool)", self.onPredictButton)
        self.ui.guessButton.connect("clicked(bool)", self.onGuessButton)
        self.ui.closeResultButton.connect("clicked(bool)", self.onCloseResultButton)
        self.ui.addModelButton.connect("clicked(bool)", self.onAddModelButton)
        self.ui.brainExtractorButton.connect("clicked(bool)", self.onBrainExtractorButton)
        self.view.bind(self.logic.getParameterNode())

    def cleanup(self):
        """Slicer unloads or reloads the module."""
        self.logic.cancel()
        self.logic.kept.forget()
        sample_data.cancel()
        self.removeObservers()
        self.height.close()
        self.view.close()

    def enter(self):
        """The user opens the panel."""
        self.view.bind(self.logic.getParameterNode())
        self.view.listenToKeys(True)
        self.height.watch()

    def exit(self):
        """The user leaves the panel; a run goes on."""
        self.view.listenToKeys(False)
        self.height.close()

    def onReload(self):
        """Reload every file of the module, not only this one."""
        for name in [name for name in sys.modules if name.split(".")[0] in ("PCNSLSurvivalUI", "PCNSLSurvivalLib")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def onSceneStartClose(self, caller, event):
        """Stop the run and let go of the scene before it goes."""
        self.logic.cancel()
        self.logic.kept.forget()
        self.view.leaveScene()
        forgetParameters()

    def onSceneEndClose(self, caller, event):
        """Start afresh when the panel is open."""
        if self.parent.isEntered:
            self.view.bind(self.logic.getParameterNode())

    def onSceneStartImport(self, caller, event):
        """Let go of the scene while another comes into it: its choices are there before its volumes and views."""
        self.view.leaveScene()

    def onSceneEndImport(self, caller, event):
        """A scene was opened: show the result it holds."""
        self.view.unbind()
        forgetParameters()
        self.view.bind(self.logic.getParameterNode())

    def onPredictButton(self, checked=False):
        """Predict overall survival for the chosen T1Gd, or cancel the run under way."""
        self.view.predictOrCancel()

    def onGuessButton(self, checked=False):
        """Choose the scans by the names and DICOM headers of the loaded volumes."""
        self.view.guess()

    def onCloseResultButton(self, checked=False):
        """Give the slice views back as they were before the result."""
        self.view.closeResult()

    def onAddModelButton(self, checked=False):
        """Choose a model folder on this computer."""
        self.view.models.add()

    def onBrainExtractorButton(self, checked=False):
        """Bring the networks of the built-in brain extraction onto this computer."""
        self.view.brainExtractor.fetch()


class PCNSLSurvivalLogic(ScriptedLoadableModuleLogic, PanelLogic):
    """What the panel can do, without any widget; for scripts as well."""

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        PanelLogic.__init__(self)

    def getParameterNode(self):
        """The choices stored in the scene; one shared object, so that every user of it sees each change."""
        return parametersOf(super().getParameterNode())


class PCNSLSurvivalTest(DisplayTests, ScriptedLoadableModuleTest):
    """Runs in Slicer (ctest, Self Tests, ``Slicer --testing``) and, unchanged, in the stand-in."""

    def setUp(self):
        """Start from an empty scene."""
        slicer.mrmlScene.Clear(0)

    def runTest(self):
        """Run all tests, for Self Tests and Reload and Test."""
        for name in sorted(name for name in dir(self) if name.startswith("test_")):
            self.setUp()
            getattr(self, name)()

    def test_rolesAreGuessedFromNames(self):
        """T1Gd words are looked for before T1."""
        logic = PCNSLSurvivalLogic()
        parameters = logic.getParameterNode()
        nodes = {
            name: slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
            for name in ("T1", "T1 post Gd", "T2", "FLAIR")
        }
        logic.guess(parameters)
        self.assertIs(parameters.t1gdVolume, nodes["T1 post Gd"])
        self.assertIs(parameters.t1Volume, nodes["T1"])
        self.assertIs(parameters.t2Volume, nodes["T2"])
        self.assertIs(parameters.flairVolume, nodes["FLAIR"])
        self.assertEqual(logic.doubts(parameters), "")
        parameters.t1gdVolume = nodes["T1"]
        self.assertIn("without contrast", logic.doubts(parameters))

    def test_whatCannotRunIsRefusedInWords(self):
        """Without a T1Gd nothing starts, and nothing is left in the scene."""
        logic = PCNSLSurvivalLogic()
        with self.assertRaisesRegex(PCNSLSurvivalError, "Choose a T1Gd"):  # noqa: PT027 — Slicer has no pytest
            logic.startPrediction(logic.getParameterNode(), None, _nothing, _nothing, _nothing)
        self.assertIsNone(logic.run)
        self.assertEqual(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"), [])

    def test_theDemonstrationPatientIsPredicted(self):
        """From Sample Data to two results; skipped where the packages or a brain extraction are not installed."""
        logic = PCNSLSurvivalLogic()
        parameters = logic.getParameterNode()
        parameters.brainEngine = SLICER if slicer_modules.isInstalled(slicer_modules.SWISS) else BUILT_IN
        if is_brain_extractor_installed():
            parameters.brainEngine = BUILT_IN
        absent = packages.missing([*packages.requirements(), sample_data.ANATOMY])
        if absent or (parameters.brainEngine == BUILT_IN and not is_brain_extractor_installed()):
            self.skipTest(f"not installed: {', '.join(absent) or 'a brain extraction'}")
        self.addCleanup(logic.kept.forget)
        self.addCleanup(logic.cancel)
        made = []
        sample_data.load(ended=made.append)
        self.waitUntil(lambda: made, seconds=600)
        self.assertEqual(made, [None])
        logic.guess(parameters)
        scans = chosenVolumes(parameters)
        before = {role: slicer.util.arrayFromVolume(node).copy() for role, node in scans.items()}
        self.assertEqual(len(before), 4)
        # T1Gd alone first, then with T1 and T2: BRAINSFit follows the second prediction.
        for others in (False, True):
            parameters.t1Volume = scans[MRSequence.T1] if others else None
            parameters.t2Volume = scans[MRSequence.T2] if others else None
            parameters.flairVolume = None
            ended = []
            logic.startPrediction(parameters, installedModels()[0], _nothing, _nothing, ended.append)
            self.waitUntil(lambda ended=ended: ended, seconds=1800)
            self.assertEqual(ended, [None])
        probability = storedResult(parameters.result)["probability_over_one_year"]
        self.assertTrue(0.0 < probability < 1.0)
        for role, node in scans.items():
            self.assertTrue((slicer.util.arrayFromVolume(node) == before[role]).all())
            self.assertIsNone(node.GetTransformNodeID())
        self.assertEqual(slicer.util.getNodesByClass("vtkMRMLCommandLineModuleNode"), [])
        self.assertIsNotNone(slicer.util.getNode("T2 aligned with T1Gd").GetImageData())

    def waitUntil(self, condition, seconds):
        """Handle events until something is so: a script in testing mode has no event loop of its own."""
        end = time.monotonic() + seconds
        while not condition():
            slicer.app.processEvents()
            time.sleep(0.01)
            self.assertLess(time.monotonic(), end)


def _nothing(*_arguments):
    """A caller that does not listen, and has no parts to show."""
    return ()
