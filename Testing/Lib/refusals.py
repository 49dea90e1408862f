"""What a test expects of an error: its code and values, not its wording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.messages import Message, Value


@contextmanager
def refused(
    error: type[PCNSLSurvivalError], code: str, /, **values: object
) -> Iterator[pytest.ExceptionInfo[PCNSLSurvivalError]]:
    """What stands in this block is refused with this code and, among others, these values."""
    with pytest.raises(error) as told:
        yield told
    message = told.value.message
    assert message is not None, f"a plain sentence: {told.value}"
    assert (message.code, {name: message.values.get(name) for name in values}) == (code, values)


def refusal(code: str, /, **values: Value) -> str:
    """The line by which a command refuses with this code and these values."""
    return f"pcnsl-survival: {Message(code, **values)}\n"
