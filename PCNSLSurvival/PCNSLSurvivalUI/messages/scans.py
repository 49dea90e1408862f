"""What the library says of a scan as it was read: files, DICOM series, voxels and grid.

Each stands here as a literal, so that Slicer's tools find it for translation; see ``translation``.
"""

from __future__ import annotations

from collections.abc import Callable

from slicer.i18n import tr


def sentences(_: Callable[[str], str]) -> tuple[str, ...]:
    """The sentences, with names for the values in them.

    Args:
        _: What to do with each; ``str`` for English.
    """
    return (
        _("The slices of {name} lie {distance} mm apart."),
        _(
            "The slices of {name} lie {distance} mm apart, so small lesions can fall between them. Use a series with "
            "thinner slices if there is one."
        ),
        _("The scanned block of {name} is {shortest} mm or more along every axis."),
        _(
            "{name} covers only {shortest} mm along one axis, less than a brain. Check that it is a scan of the whole "
            "head and not a localizer or a part of a series."
        ),
    )


def translated(sentence: str) -> str:
    """One of them in the user's language; asked for here, because Slicer looks it up under this file's name."""
    return tr(sentence)
