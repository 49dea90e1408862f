"""What to say of a fault in work with files: free space on the disk only where the disk is full."""

from __future__ import annotations

import errno
import logging
import traceback
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalUI.messages import shown

_FULL = (errno.ENOSPC, errno.EDQUOT)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def faultInWords(problem: Exception, what: str) -> str:
    """The sentences for the user: what happened, why, and what to do.

    Args:
        problem: What was raised; one of our errors says all itself.
        what: What did not work, as a translated clause with its place for the reason: "The scans could not be written
            ({reason})."
    """
    if isinstance(problem, PCNSLSurvivalError):
        return shown(problem)
    full = isinstance(problem, OSError) and problem.errno in _FULL
    if not full:
        # As text: a log handler that keeps the exception would keep the whole run with it.
        logging.error("%s", "".join(traceback.format_exception(problem)))
    reason = (problem.strerror if isinstance(problem, OSError) else None) or type(problem).__name__
    if full:
        action = _("Free some space on the disk, then try again.")
    elif isinstance(problem, OSError) and _isTemporaryFolderRefused(problem):
        action = _(
            "Choose a folder that you may write to under Edit > Application Settings > Modules > Temporary directory, "
            "then try again."
        )
    else:
        action = _("Try again; if it happens again, please report it.")
    return f"{what.format(reason=reason)} {action}"


def _isTemporaryFolderRefused(problem: OSError) -> bool:
    """Whether Slicer's folder of temporary files cannot be written; where it cannot, Slicer makes no folder in it."""
    if not isinstance(problem.filename, str) or not Path(problem.filename).is_relative_to(slicer.app.temporaryPath):
        return False
    return problem.errno in _REFUSED or (problem.errno == errno.ENOENT and not Path(problem.filename).parent.exists())
