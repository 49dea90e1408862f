"""Text of a DICOM file in the character set that the file states.

A description in Chinese, Japanese, Korean, Russian or Greek tells the sequence as an English one does, once it is read
with its own letters.

References:
    DICOM PS3.3, section C.12.1.1.2 (Specific Character Set), and PS3.5, section 6.1.
"""

from __future__ import annotations

import re

_SINGLE = {
    "13": "shift_jis",
    "100": "latin-1",
    "101": "iso8859-2",
    "109": "iso8859-3",
    "110": "iso8859-4",
    "126": "iso8859-7",
    "127": "iso8859-6",
    "138": "iso8859-8",
    "144": "iso8859-5",
    "148": "iso8859-9",
    "166": "tis-620",
    "192": "utf-8",
    "203": "iso8859-15",
}
"""Codec by the number of ``ISO_IR n`` and ``ISO 2022 IR n``."""
_WHOLE = {"GB18030": "gb18030", "GBK": "gbk"}
_AFTER_ESCAPE = {
    b"\x1b-A": "latin-1",
    b"\x1b-B": "iso8859-2",
    b"\x1b-C": "iso8859-3",
    b"\x1b-D": "iso8859-4",
    b"\x1b-F": "iso8859-7",
    b"\x1b-G": "iso8859-6",
    b"\x1b-H": "iso8859-8",
    b"\x1b-L": "iso8859-5",
    b"\x1b-M": "iso8859-9",
    b"\x1b-T": "tis-620",
    b"\x1b-b": "iso8859-15",
    b"\x1b)I": "shift_jis",
    b"\x1b$)A": "gb2312",
    b"\x1b$)C": "euc_kr",
}
"""Codec of what follows an escape sequence; the Japanese ones belong to the codec that reads them."""


def decoded(value: bytes, stated: str) -> str:
    """The text of an element.

    Args:
        value: Its bytes.
        stated: Specific Character Set of the file, several separated by backslashes; empty where it states none, and
            then UTF-8 is tried before Latin-1.

    Returns:
        The text; letters that the character set lacks are replaced.
    """
    first, *others = re.split(rb"(?=\x1b)", value)
    text = first.decode(_codec(stated.split("\\")[0], first), "replace")
    for part in others:
        escape = next((one for one in _AFTER_ESCAPE if part.startswith(one)), None)
        if escape is None:
            text += (part + b"\x1b(B").decode("iso2022_jp_2", "replace")
        else:
            text += part[len(escape) :].decode(_AFTER_ESCAPE[escape], "replace")
    return text


def _codec(stated: str, value: bytes) -> str:
    name = stated.strip().upper()
    number = re.fullmatch(r"ISO(?:_IR| 2022 IR) (\d+)", name)
    found = _WHOLE.get(name) or (_SINGLE.get(number[1]) if number else None)
    if found is not None:
        return found
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"
