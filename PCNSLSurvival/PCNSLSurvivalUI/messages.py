"""Messages of the library in the user's language: code and values become a sentence here.

The templates are literals in ``PCNSLSurvivalLib/core/messages/``, where Slicer's translation tool reads them, and
are looked up under the name of their table.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from slicer.i18n import translate

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.messages import Message


def shown(told: Message | PCNSLSurvivalError | Mapping[str, Any] | None) -> str:
    """The sentence to show.

    Args:
        told: A message, an error, or what a result or a progress line keeps of one: code, values and English
            sentence. A code that this version does not know is shown by its sentence.
    """
    if told is None:
        return ""
    message = told if isinstance(told, Message) else _messageOf(told)
    if message is not None:
        return message.text(translate)
    return str(told if isinstance(told, PCNSLSurvivalError) else told.get("sentence", ""))


def plainToolTip(text: str) -> str:
    """A tool tip that shows a text as it stands: Qt takes one with a tag in it, of a DICOM header say, for markup."""
    return f"<p>{html.escape(text)}</p>" if "<" in text else text


def _messageOf(told: PCNSLSurvivalError | Mapping[str, Any]) -> Message | None:
    return told.message if isinstance(told, PCNSLSurvivalError) else Message.from_json(told)
