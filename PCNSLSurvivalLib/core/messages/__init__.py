"""What this software tells its user, as data: a code and values; the sentence is made where it is shown."""

from PCNSLSurvivalLib.core.messages.message import Message, Translate, Value

__all__ = ["Message", "Translate", "Value"]
