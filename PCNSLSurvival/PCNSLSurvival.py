"""PCNSL Survival: the door between 3D Slicer and the panel; wiring only."""

import pathlib
import sys

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

from PCNSLSurvivalUI.parameters import PanelParameters, contrastAgent
from PCNSLSurvivalUI.volume_roles import doubt_about, guess_roles

from PCNSLSurvivalLib.terms import RESEARCH_USE_ONLY, Sequence


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
                "Predicts overall survival beyond one year of patients with primary CNS lymphoma (PCNSL) from the "
                "post-contrast T1 MRI, and shows on the slices what the prediction looked at."
            )
            + f"<p><b>{RESEARCH_USE_ONLY}</b></p>"
        )
        self.parent.acknowledgementText = _(
            "Method after She et al., 2023: deep learning on post-contrast T1 for one-year survival of PCNSL."
        )


class PCNSLSurvivalWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._guiTag = None

    def setup(self):
        """Build the panel from its .ui file and connect it."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/PCNSLSurvival.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        self.logic = PCNSLSurvivalLogic()
        uiWidget.setMRMLScene(slicer.mrmlScene)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.ui.guessButton.connect("clicked(bool)", self.onGuessButton)
        self.initializeParameterNode()

    def cleanup(self):
        """Slicer unloads or reloads the module."""
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self):
        """The user opens the panel."""
        self.initializeParameterNode()

    def exit(self):
        """The user leaves the panel."""

    def onReload(self):
        """Reload every file of the module, not only this one."""
        for name in [name for name in sys.modules if name.split(".")[0] in ("PCNSLSurvivalUI", "PCNSLSurvivalLib")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def onSceneStartClose(self, caller, event):
        """Drop everything that belongs to the scene before it goes."""
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        """Start afresh when the panel is open."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        """Bind the panel to the choices stored in the scene."""
        if self._parameterNode is None:
            self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, parameters):
        """Exchange the stored choices that the widgets show; None unbinds."""
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(self._parameterNode, "ModifiedEvent", self.onParametersModified)
        self._parameterNode = parameters
        if parameters is not None:
            self._guiTag = parameters.connectGui(self.ui)
            self.addObserver(parameters, "ModifiedEvent", self.onParametersModified)
        self.onParametersModified()

    def onParametersModified(self, caller=None, event=None):
        """Show a word on every choice that looks wrong."""
        self.ui.scansNote.text = self.logic.doubts(self._parameterNode)

    def onGuessButton(self, checked=False):
        """Choose T1Gd, T1 and T2 by the names of the loaded volumes."""
        with slicer.util.tryWithErrorDisplay(_("The volumes were not chosen.")):
            found = self.logic.guess(self._parameterNode)
            if not found:
                self.ui.scansNote.text = _("No loaded volume has a name that speaks of T1Gd, T1 or T2.")


class PCNSLSurvivalLogic(ScriptedLoadableModuleLogic):
    """What the panel can do, without any widget."""

    def getParameterNode(self):
        """The choices stored in the scene."""
        return PanelParameters(super().getParameterNode())

    def guess(self, parameters):
        """Fill the roles that a volume's name speaks of; which roles were found."""
        nodes = [
            node
            for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
            if node.GetClassName() == "vtkMRMLScalarVolumeNode" and not node.GetHideFromEditors()
        ]
        found = guess_roles([node.GetName() for node in nodes], [contrastAgent(node) for node in nodes])
        attributes = {Sequence.T1GD: "t1gdVolume", Sequence.T1: "t1Volume", Sequence.T2: "t2Volume"}
        chosen = {role: nodes[place] for role, place in found.items() if role in attributes}
        for role, node in chosen.items():
            setattr(parameters, attributes[role], node)
        return list(chosen)

    def doubts(self, parameters):
        """A sentence for every chosen volume whose name speaks of another sequence."""
        if parameters is None:
            return ""
        chosen = [
            (Sequence.T1GD, parameters.t1gdVolume),
            (Sequence.T1, parameters.t1Volume),
            (Sequence.T2, parameters.t2Volume),
        ]
        sentences = [
            doubt_about(role, node.GetName(), contrastAgent(node)) for role, node in chosen if node is not None
        ]
        ids = [node.GetID() for _role, node in chosen if node is not None]
        if len(set(ids)) < len(ids):
            sentences.append(_("One volume is chosen twice. Choose another for one of the roles."))
        return " ".join(sentence for sentence in sentences if sentence)


class PCNSLSurvivalTest(ScriptedLoadableModuleTest):
    """Runs in Slicer's Self Tests and, unchanged, in the stand-in."""

    def setUp(self):
        """Start from an empty scene."""
        slicer.mrmlScene.Clear(0)

    def runTest(self):
        """Run all tests, for Self Tests and Reload and Test."""
        self.setUp()
        self.test_rolesAreGuessedFromNames()

    def test_rolesAreGuessedFromNames(self):
        """T1Gd words are looked for before T1."""
        logic = PCNSLSurvivalLogic()
        parameters = logic.getParameterNode()
        nodes = {
            name: slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
            for name in ("T1", "T1 post Gd", "T2")
        }
        logic.guess(parameters)
        self.assertIs(parameters.t1gdVolume, nodes["T1 post Gd"])
        self.assertIs(parameters.t1Volume, nodes["T1"])
        self.assertIs(parameters.t2Volume, nodes["T2"])
        self.assertEqual(logic.doubts(parameters), "")
        parameters.t1gdVolume = nodes["T1"]
        self.assertIn("without contrast", logic.doubts(parameters))
