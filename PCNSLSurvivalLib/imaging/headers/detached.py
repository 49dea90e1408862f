"""The file of voxels that a detached header names: one file, in the header's own folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from PCNSLSurvivalLib.core.errors import UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.headers.regular_files import Volume, kind_of, size_of_regular
from PCNSLSurvivalLib.imaging.headers.volume_header import elsewhere


def data_file_beside(header: Path, stated: str, volume: Volume) -> Path:
    """The file of voxels, a regular one beside its header.

    A header that came from elsewhere could name any file of this computer, so no folder may stand in it; nor a
    pattern such as ``slice%03d.raw``, which readers hand to ``printf``, nor a list.

    Args:
        header: The .nhdr or .mhd file.
        stated: What it names.
        volume: What the volume is, for messages.

    Raises:
        UnreadableScanError: Another folder, a pattern or a list is named, or the file is not there.
    """
    plain = stated.removeprefix("./")
    parts = {PurePosixPath(plain).name, PureWindowsPath(plain).name}
    listed = plain.upper().split()[:1] == ["LIST"]
    if not plain or parts != {plain} or plain in (".", "..") or "%" in plain or "\0" in plain or listed:
        raise elsewhere(volume)
    data = header.with_name(plain)
    if kind_of(data) == "absent":
        raise UnreadableScanError(Message("scan.voxels_not_found", volume=volume))
    size_of_regular(data, volume)
    return data
