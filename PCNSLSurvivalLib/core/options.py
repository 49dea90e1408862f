"""Options of a prediction: fields of a frozen dataclass, each the one home of what the command line says of it.

The commands that offer an option, the words that hand it to another process, the record in a result and its
repetition by ``verify`` follow from the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_KEY = "option"


@dataclass(frozen=True, kw_only=True)
class Option:
    """What there is to say of one field."""

    help: str
    """As ``--help`` shows it."""
    commands: tuple[str, ...]
    """The commands that offer it; none where it can only be given in Python."""
    flag: str = ""
    """On the command line; the name of the field if left out."""
    metavar: str = "FILE"
    """Of a path."""
    choices: tuple[str, ...] | Mapping[str, Any] = ()
    """The words that may be given, or what each of them stands for; those of the type if left out."""
    heading: str = ""
    """Of the part of ``--help`` in which it stands."""
    changes_result: bool = True
    repeated: bool = True
    """Whether ``verify`` takes it from the result; a file is always given again."""


def option(default: Any, help_text: str, commands: tuple[str, ...], **more: Any) -> Any:
    """A field that is an option.

    Args:
        default: Off, or nothing.
        help_text: As ``--help`` shows it.
        commands: Names of the commands that offer it.
        **more: Of ``Option``.
    """
    return field(default=default, metadata={_KEY: Option(help=help_text, commands=commands, **more)})


def option_of(one: Field[Any]) -> Option:
    """What a field says of its option."""
    told: Option = one.metadata[_KEY]
    return told


def flag_of(one: Field[Any]) -> str:
    """The option as it is written on the command line: ``--brain-mask``."""
    return option_of(one).flag or f"--{one.name.replace('_', '-')}"


def words_of(options: DataclassInstance) -> list[str]:
    """The words of a command line that give these options; what is as by default needs none.

    Raises:
        ValueError: No command offers an option that was given.
    """
    words: list[str] = []
    for one in fields(options):
        told, value = option_of(one), getattr(options, one.name)
        if value == one.default:
            continue
        if not told.commands:
            raise ValueError(f"no command offers {one.name}")
        words.append(flag_of(one))
        if isinstance(told.choices, Mapping):
            words.append(next(word for word, meant in told.choices.items() if meant == value))
        elif value is not True:
            words.append(str(value))
    return words
