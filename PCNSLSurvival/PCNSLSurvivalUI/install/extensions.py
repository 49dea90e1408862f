"""SwissSkullStripper is an extension: when it is not installed, offer to install it or to do without it."""

from __future__ import annotations

from typing import Any, Literal

import qt
import slicer
from slicer.i18n import tr as _

EXTENSION = "SwissSkullStripper"
Answer = Literal["install", "built-in"]


def ask() -> Answer | None:
    """What the user wants instead of an absent SwissSkullStripper; None when nothing, or in a test."""
    if slicer.app.testingEnabled():
        return None
    box = qt.QMessageBox(slicer.util.mainWindow())
    box.setWindowTitle(_("PCNSL Survival"))
    box.setText(_("The brain extraction extension SwissSkullStripper is not installed."))
    box.setInformativeText(
        _("Slicer can install the extension and then restarts. You can also use the built-in brain extraction.")
    )
    install = None
    if _extensionsManager() is not None:
        install = box.addButton(_("Install the extension"), qt.QMessageBox.AcceptRole)
    builtIn = box.addButton(_("Use the built-in brain extraction"), qt.QMessageBox.ActionRole)
    box.addButton(_("Not now"), qt.QMessageBox.RejectRole)
    box.exec_()
    clicked = box.clickedButton()
    if clicked == builtIn:
        return "built-in"
    return "install" if install is not None and clicked == install else None


def install() -> bool:
    """Install the extension; Slicer asks for the restart itself. Whether it was installed."""
    manager = _extensionsManager()
    # Positional: restart, update.
    return bool(manager is not None and manager.installExtensionFromServer(EXTENSION, True, False))


def _extensionsManager() -> Any:
    """The extensions manager of this Slicer; None in builds without one."""
    find = getattr(slicer.app, "extensionsManagerModel", None)
    return None if find is None else find()
