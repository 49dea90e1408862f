"""``slicer.ScriptedLoadableModule``: the four base classes of a scripted module."""

from __future__ import annotations

import importlib
import sys
import unittest
from pathlib import Path
from typing import Any

import slicer


def _name(instance: Any, ending: str) -> str:
    return type(instance).__name__.removesuffix(ending)


class ScriptedLoadableModule:
    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__
        parent.title = ""
        parent.categories, parent.dependencies, parent.contributors = [], [], []
        parent.helpText = parent.acknowledgementText = ""
        parent.hidden = False

    def resourcePath(self, name: str) -> str:
        return _resource(self.moduleName, name)

    def getDefaultModuleDocumentationLink(self, *_arguments: Any) -> str:
        return ""


class ScriptedLoadableModuleWidget:
    def __init__(self, parent: Any = None) -> None:
        self.moduleName = _name(self, "Widget")
        self.developerMode = False
        self.parent = parent
        self.layout = parent.layout() if parent is not None else None

    def resourcePath(self, name: str) -> str:
        return _resource(self.moduleName, name)

    def setup(self) -> None:
        pass

    def cleanup(self) -> None:
        pass

    def onReload(self) -> None:
        # Slicer: cleanup, the module's file executed again, a new widget, setup; no enter.
        self.cleanup()
        importlib.reload(sys.modules[self.moduleName])
        new = getattr(sys.modules[self.moduleName], self.moduleName + "Widget")(self.parent)
        while self.parent.layout().count():
            item = self.parent.layout().takeAt(0)
            if item.widget() is not None:
                item.widget().deleteLater()
        new.setup()
        setattr(slicer.modules, self.moduleName + "Widget", new)


class ScriptedLoadableModuleLogic:
    def __init__(self, parent: Any = None) -> None:
        self.moduleName = _name(self, "Logic")

    def getParameterNode(self) -> Any:
        found = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if found is None:
            found = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
            found.UnRegister(None)
            found.SetSingletonTag(self.moduleName)
            found.SetName(self.moduleName)
            found = slicer.mrmlScene.AddNode(found)
            found.SetModuleName(self.moduleName)
        return found


class ScriptedLoadableModuleTest(unittest.TestCase):
    def delayDisplay(self, message: str, _requested: Any = None, msec: int = 100) -> None:
        slicer.app.processEvents()


def _resource(module_name: str, name: str) -> str:
    return str(Path(sys.modules[module_name].__file__).parent / "Resources" / name)
