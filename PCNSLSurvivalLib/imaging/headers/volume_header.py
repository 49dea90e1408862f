"""What every format says of a volume, once read and bounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from PCNSLSurvivalLib.core.errors import UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.imaging.headers.regular_files import Volume
from PCNSLSurvivalLib.imaging.headers.stored_voxels import StoredVoxels, check_count


@dataclass(frozen=True, kw_only=True)
class VolumeHeader:
    """One 3-D scalar volume in a file.

    Attributes:
        source_format: "NIfTI", "NRRD" or "MetaImage".
        grid: Where its voxels lie.
        stored: Where their values lie.
        remarks: On anything odd that reading could resolve.
    """

    source_format: str
    grid: Grid
    stored: StoredVoxels
    remarks: tuple[Message, ...] = ()


def three_axes(dims: Sequence[int], volume: Volume) -> tuple[int, tuple[int, int, int]]:
    """The three axes of a volume among those stated.

    Args:
        dims: Voxels along every axis, at least one of each; axes of one around three others are dropped.
        volume: What the volume is, for messages.

    Returns:
        How many leading axes of one were dropped, and the size (I, J, K).

    Raises:
        UnreadableScanError: Fewer than three axes, or more than one volume.
    """
    check_count(prod(dims), volume)
    kept = list(dims)
    while len(kept) > 3 and kept[-1] == 1:
        kept.pop()
    dropped = 0
    while len(kept) > 3 and kept[0] == 1:
        kept.pop(0)
        dropped += 1
    if len(kept) > 3:
        raise several_volumes(volume, prod(kept[3:]))
    if len(kept) < 3 or min(kept) < 2:
        raise UnreadableScanError(Message("scan.two_dimensional_file", volume=volume))
    return dropped, (kept[0], kept[1], kept[2])


def several_volumes(volume: Volume, count: int) -> UnreadableScanError:
    """A file with more than one volume."""
    return UnreadableScanError(Message("scan.time_series", volume=volume, count=count))


def color(volume: Volume) -> UnreadableScanError:
    """A file with more than one value a voxel."""
    return UnreadableScanError(Message("scan.color_file", volume=volume))


def complex_numbers(volume: Volume) -> UnreadableScanError:
    """A file of complex voxels."""
    return UnreadableScanError(Message("scan.complex_numbers", volume=volume))


def unknown_storage(volume: Volume, what: str) -> UnreadableScanError:
    """A file whose voxels are stored in a way that is not read here."""
    return UnreadableScanError(Message("scan.unknown_storage", volume=volume, storage=what))


def orientation_unknown(volume: Volume) -> Message:
    """The remark on a file that does not say how its axes lie in the patient."""
    return Message("scan.orientation_unknown", volume=volume)


def elsewhere(volume: Volume) -> UnreadableScanError:
    """A header whose voxels are not in one file beside it."""
    return UnreadableScanError(Message("scan.voxels_elsewhere", volume=volume))
