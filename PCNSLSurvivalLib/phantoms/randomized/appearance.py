"""How a random head looks: contrast of the tissues, resolution, shading, noise, ghosts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.phantoms.anatomy.shapes import Volume
from PCNSLSurvivalLib.phantoms.random_fields import smooth_noise
from PCNSLSurvivalLib.phantoms.randomized.structures import Structure

# Relaxivity of a gadolinium chelate in plasma, per ms and mmol/L.
_R1 = 4.3e-3


@dataclass(frozen=True, kw_only=True)
class T1Weighting:
    """Timing of one T1-weighted sequence, and what of it depends on the field strength.

    Attributes:
        kind: Spin echo, spoiled gradient echo, or gradient echo after an inversion.
        tr_ms, te_ms, flip_deg, ti_ms: Timing; those that the kind does not have are not used.
        white_t1_ms: T1 of white matter, 550 at 1.5 T to 950 at 3 T.
    """

    kind: Literal["spin_echo", "gradient_echo", "inversion"]
    tr_ms: float
    te_ms: float
    flip_deg: float
    ti_ms: float
    white_t1_ms: float

    def relative(self, t1_ms: float, *, protons: float = 0.8, gadolinium_mmol_l: float = 0.0) -> float:
        """Signal relative to white matter, by the equations of ``phantoms.scanner.signal``.

        Args:
            t1_ms: T1 before contrast agent.
            protons: Visible protons relative to water.
            gadolinium_mmol_l: Concentration of a gadolinium chelate.
        """
        white = self._signal(1.0 / self.white_t1_ms, 0.72, 0.0)
        return self._signal(1.0 / t1_ms + _R1 * gadolinium_mmol_l, protons, gadolinium_mmol_l) / white

    def _signal(self, rate: float, protons: float, gadolinium: float) -> float:
        decay = protons * math.exp(-self.te_ms * (1.0 / 90.0 + 5.2e-3 * gadolinium))
        regained = math.exp(-self.tr_ms * rate)
        if self.kind == "spin_echo":
            return decay * (1.0 - regained)
        if self.kind == "inversion":
            return decay * abs(1.0 - 2.0 * math.exp(-self.ti_ms * rate) + regained)
        angle = math.radians(self.flip_deg)
        return decay * math.sin(angle) * (1.0 - regained) / (1.0 - math.cos(angle) * regained)


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Signal of the tissues relative to white matter.

    Attributes:
        weighting: The sequence it comes from; lesions take their signal from it too.
        gray, fluid: Gray matter and cerebrospinal fluid.
        structures: Signal of each normal structure that is visible.
        veins: Signal of the small veins.
        gamma: Exponent of the display curve.
    """

    weighting: T1Weighting
    gray: float
    fluid: float
    structures: Mapping[Structure, float]
    veins: float
    gamma: float


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """What the scanner did.

    Attributes:
        slice_mm: Slice thickness.
        slice_axis: Array axis (k, j, i) along which slices are stacked.
        blur_mm: Standard deviation of the in-plane blur.
        shading: Standard deviation of the logarithm of the bias field that is left after its correction.
        noise: Standard deviation of the noise, relative to white matter.
        ghosts: Share of the signal in each ghost.
    """

    slice_mm: float
    slice_axis: int
    blur_mm: float
    shading: float
    noise: float
    ghosts: float


def draw_weighting(draw: np.random.Generator) -> T1Weighting:
    """Draw one of the T1-weighted sequences in use, from 1.5 to 3 T."""
    kinds: tuple[Literal["spin_echo", "gradient_echo", "inversion"], ...] = ("spin_echo", "gradient_echo", "inversion")
    kind = kinds[int(draw.integers(3))]
    tr_ms = {
        "spin_echo": draw.uniform(350, 800),
        "gradient_echo": draw.uniform(6, 30),
        "inversion": draw.uniform(1500, 2500),
    }
    return T1Weighting(
        kind=kind,
        tr_ms=float(tr_ms[kind]),
        te_ms=float(draw.uniform(8, 17) if kind == "spin_echo" else draw.uniform(2, 6)),
        flip_deg=float(draw.uniform(12, 35)),
        ti_ms=float(draw.uniform(750, 1150)),
        white_t1_ms=float(draw.uniform(550, 950)),
    )


def draw_contrast(draw: np.random.Generator) -> Contrast:
    """T1-weighted contrast after gadolinium, from flat to strong."""
    weighting = draw_weighting(draw)
    gray_t1 = weighting.white_t1_ms * draw.uniform(1.35, 1.85)
    gray = weighting.relative(float(gray_t1), protons=0.83) * float(np.exp(draw.normal(0.0, 0.05)))
    structures: dict[Structure, float] = {}
    for kind in Structure:
        if draw.uniform() < (0.25 if kind in (Structure.DURA, Structure.PLEXUS) else 0.08):
            continue
        dose = float(np.exp(draw.uniform(np.log(0.15), np.log(1.2))))
        signal = weighting.relative(1300.0, protons=float(draw.uniform(0.55, 0.85)), gadolinium_mmol_l=dose)
        # Fast blood gives no signal in a spin echo.
        fast = kind in (Structure.ARTERY, Structure.SINUS) and weighting.kind == "spin_echo"
        structures[kind] = float(draw.uniform(0.05, 0.4)) if fast and draw.uniform() < 0.6 else signal
    fluid = weighting.relative(float(draw.uniform(3300, 4300)), protons=0.95) * draw.uniform(0.7, 1.8)
    veins = weighting.relative(1400.0, protons=0.75, gadolinium_mmol_l=float(draw.uniform(0.2, 1.2)))
    return Contrast(
        weighting=weighting,
        gray=float(np.clip(gray, 0.45, 1.1)),
        fluid=float(np.clip(fluid, 0.05, 0.8 * gray)),
        structures=structures,
        veins=veins,
        gamma=float(np.exp(draw.normal(0.0, 0.12))),
    )


def draw_acquisition(draw: np.random.Generator) -> Acquisition:
    """Half 3-D scans of about 1 mm, half slices of 2 to 7 mm."""
    thick = draw.uniform() < 0.45
    return Acquisition(
        slice_mm=float(draw.uniform(2.0, 7.0)) if thick else 1.0,
        slice_axis=int(draw.choice(3, p=(0.8, 0.1, 0.1))) if thick else 0,
        blur_mm=float(draw.choice((0.0, draw.uniform(0.3, 1.3)))),
        shading=float(10 ** draw.uniform(-2.0, -0.85)),
        noise=float(10 ** draw.uniform(-2.3, -1.15)),
        ghosts=float(draw.uniform(0.01, 0.06)) if draw.uniform() < 0.12 else 0.0,
    )


def acquire(signal: Volume, grid: Grid, acquisition: Acquisition, draw: np.random.Generator) -> Volume:
    """Send the ideal signal through the scanner.

    Args:
        signal: (K, J, I) relative to white matter.
        grid: Its grid.
        acquisition: What the scanner does.
        draw: Source of shading and noise.

    Returns:
        (K, J, I) magnitude, still on ``grid``; noise and slices as they were acquired.
    """
    spacing = np.asarray(grid.spacing_mm[::-1])
    shading = np.float32(acquisition.shading) * smooth_noise(grid, draw, scale_mm=60.0, cubic=True)
    seen = signal * np.exp(shading)
    if acquisition.ghosts:
        axis = int(draw.integers(1, 3))
        step = int(draw.integers(seen.shape[axis] // 8, seen.shape[axis] // 2))
        copies = np.roll(seen, step, axis) + np.roll(seen, -step, axis)
        seen = (1 - acquisition.ghosts) * seen + np.float32(acquisition.ghosts) * copies
    axis = acquisition.slice_axis
    for n in range(3):
        sigma = acquisition.blur_mm / spacing[n]
        if n == axis and acquisition.slice_mm > spacing[n]:
            sigma = float(np.hypot(sigma, acquisition.slice_mm / 2.6 / spacing[n]))
        if sigma > 0.15:
            seen = ndimage.gaussian_filter1d(seen, sigma, axis=n, truncate=2.5)
    index: np.ndarray | None = None
    if acquisition.slice_mm > spacing[axis]:
        step_voxels = acquisition.slice_mm / spacing[axis] * draw.uniform(1.0, 1.2)
        count = seen.shape[axis]
        index = np.arange(draw.uniform(0, step_voxels) - step_voxels, count + step_voxels, step_voxels)
        seen = _along(seen, axis, np.clip(index, 0, count - 1))
    seen = np.abs(seen + np.float32(acquisition.noise) * draw.standard_normal(seen.shape, dtype=np.float32))
    if index is not None:
        back = (np.arange(signal.shape[axis]) - index[0]) / (index[1] - index[0])
        seen = _along(seen, axis, back)
    return np.asarray(seen, np.float32)


def _along(values: Volume, axis: int, index: np.ndarray) -> Volume:
    """Interpolate linearly along one axis."""
    first = np.clip(np.floor(index).astype(int), 0, values.shape[axis] - 2)
    shape = [1, 1, 1]
    shape[axis] = len(index)
    weight = np.clip(index - first, 0, 1).astype(np.float32).reshape(shape)
    below, above = np.take(values, first, axis), np.take(values, first + 1, axis)
    return np.asarray(below + weight * (above - below), np.float32)
