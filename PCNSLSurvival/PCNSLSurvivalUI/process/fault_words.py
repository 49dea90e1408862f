"""What to say of a fault in work with files: free space on the disk only where the disk is full."""

from __future__ import annotations

import errno
import logging
import traceback

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalUI.messages import shown

_FULL = (errno.ENOSPC, errno.EDQUOT)


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
    action = (
        _("Free some space on the disk, then try again.")
        if full
        else _("Try again; if it happens again, please report it.")
    )
    return f"{what.format(reason=reason)} {action}"
