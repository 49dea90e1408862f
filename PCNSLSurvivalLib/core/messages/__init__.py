"""Messages to the user as data: a code and values; the sentence is made where it is shown."""

from __future__ import annotations

from PCNSLSurvivalLib.core.messages.message import Message, Translate, Value, step_words
from PCNSLSurvivalLib.core.terms import OSClass

__all__ = ["Message", "Translate", "Value", "os_class_words", "step_words"]


def os_class_words(os_class: OSClass) -> Message:
    """An OS class as a value of a message."""
    return Message("class.over_one_year" if os_class is OSClass.OVER_ONE_YEAR else "class.up_to_one_year")
