"""The color scale of activation maps: brighter always means more, also for color-blind eyes and in gray print."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.class_colors import OVER_ONE_YEAR, UP_TO_ONE_YEAR, in_hex

# Nine points of matplotlib's "inferno" (CC0), whose lightness rises evenly (van der Walt and Smith 2015). The
# darkest tenth is left out: on a dark brain it looks like no activation.
_POINTS = np.array(
    [
        (40, 11, 84),
        (81, 18, 124),
        (120, 28, 109),
        (159, 42, 99),
        (198, 60, 75),
        (229, 92, 48),
        (248, 135, 14),
        (249, 188, 38),
        (252, 255, 164),
    ],
    dtype=np.float64,
)


def activation_rgb(value: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Colors of activations.

    Args:
        value: (...) activation, 0 to 1; beyond is clipped.

    Returns:
        (..., 3) red, green, blue, 0 to 255.
    """
    position = np.clip(value, 0.0, 1.0) * (len(_POINTS) - 1)
    points = np.arange(len(_POINTS))
    channels = [np.interp(position, points, _POINTS[:, channel]) for channel in range(3)]
    return np.round(np.stack(channels, axis=-1)).astype(np.uint8)


def evidence_rgb(value: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Colors of signed evidence: orange against, blue for; distinguishable by color-blind readers.

    Args:
        value: (...) share of the full scale, -1 to 1; beyond is clipped.

    Returns:
        (..., 3) red, green, blue, 0 to 255.
    """
    position = np.clip(value, -1.0, 1.0)
    channels = [
        np.interp(position, (-1.0, 0.0, 1.0), points)
        for points in zip(UP_TO_ONE_YEAR, (255, 255, 255), OVER_ONE_YEAR, strict=True)
    ]
    return np.round(np.stack(channels, axis=-1)).astype(np.uint8)


def evidence_stops() -> list[tuple[float, str]]:
    """The signed scale as (position 0 to 1, "#rrggbb") for a color bar, full scale against on the left."""
    values = np.linspace(-1.0, 1.0, 9)
    return [(float((v + 1) / 2), in_hex(evidence_rgb(np.array(v)))) for v in values]


def gradient_stops() -> list[tuple[float, str]]:
    """The scale as (position 0 to 1, "#rrggbb") for a color bar."""
    positions = np.linspace(0.0, 1.0, len(_POINTS))
    return [(float(p), in_hex(activation_rgb(np.array(p)))) for p in positions]
