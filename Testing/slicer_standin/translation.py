"""The user's language: none, as in an untranslated Slicer; a test may set another one before the panel opens."""

from __future__ import annotations

from collections.abc import Callable

language: Callable[[str], str] = str


def tr(text: str) -> str:
    """``slicer.i18n.tr``, which .ui files go through as well."""
    return language(text)
