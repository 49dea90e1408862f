"""One scan of a virtual head: signal, slices, coil shading, noise, and every truth behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid, resample
from PCNSLSurvivalLib.phantoms.anatomy.head import Head
from PCNSLSurvivalLib.phantoms.anatomy.tissues import Tissue
from PCNSLSurvivalLib.phantoms.random_fields import refine, smooth_noise, stream
from PCNSLSurvivalLib.phantoms.scanner.protocol import SequenceProtocol, Vector
from PCNSLSurvivalLib.phantoms.scanner.signal import signal_of

# Head point that lies in the middle of the coil.
_COIL_CENTER_LPS_MM = (0.0, 12.0, 5.0)
_PER_255 = np.float32(1 / 255)


@dataclass(frozen=True)
class VirtualScan:
    """A scan and its truths, all on the scan's own grid.

    Attributes:
        image: 3-D ``int16``, scanner units.
        brain_mask: ``uint8``, 1 where at least half of the voxel is brain.
        lesion_mask: ``uint8``, 1 where at least half of the voxel is tumor (enhancing or necrotic).
        bias_field: ``float32``; the ideal signal was multiplied by it. Geometric mean 1 inside the brain.
        pose: Rigid transform from LPS points of this scan to LPS points of the head frame.
        noise_sigma: Standard deviation of the noise of each receive channel, in scanner units.
    """

    image: sitk.Image
    brain_mask: sitk.Image
    lesion_mask: sitk.Image
    bias_field: sitk.Image
    pose: sitk.Euler3DTransform
    noise_sigma: float


def acquire(
    head: Head, sequence: MRSequence, protocol: SequenceProtocol, *, seed: int, on: Grid | None = None
) -> VirtualScan:
    """Scan a virtual head once.

    Every voxel integrates the tissue over its slice thickness, so that partial volume comes from geometry.
    The shading multiplies the signal; noise is that of a magnitude image (Rician).

    Args:
        head: The person and disease.
        sequence: Which sequence this is; with ``seed`` it names the random numbers.
        protocol: Timing, grid, pose, shading and noise.
        seed: Source of shading, texture and noise.
        on: Grid to scan on, instead of the one the protocol plans around the head.

    References:
        Gudbjartsson and Patz, The Rician distribution of noisy MRI data, Magn Reson Med 34(6), 1995.
        doi:10.1002/mrm.1910340618
    """
    pose = head_pose(protocol)
    grid = on or scan_grid(protocol, pose)
    ideal = _through_slices(_signal_image(head, protocol, seed), grid, pose, protocol.slice_mm)
    ideal = _with_ghosts(ideal, protocol.ghosting)
    brain = _through_slices(image_on_grid(head.brain, head.grid), grid, pose, protocol.slice_mm) * _PER_255
    lesion = _through_slices(image_on_grid(head.lesion, head.grid), grid, pose, protocol.slice_mm) * _PER_255
    bias = _bias_field(grid, pose, brain, protocol, stream(seed, "bias", sequence))
    sigma = signal_of(Tissue.WHITE_MATTER, protocol) * protocol.gain / protocol.snr
    draw = stream(seed, "noise", sequence)
    real, imaginary = (draw.standard_normal(ideal.shape, dtype=np.float32) * np.float32(sigma) for _ in range(2))
    magnitude = np.hypot(ideal * bias * np.float32(protocol.gain) + real, imaginary)
    return VirtualScan(
        image=image_on_grid(np.rint(np.clip(magnitude, 0, 32767)).astype(np.int16), grid),
        brain_mask=image_on_grid((brain >= 0.5).astype(np.uint8), grid),
        lesion_mask=image_on_grid((lesion >= 0.5).astype(np.uint8), grid),
        bias_field=image_on_grid(bias, grid),
        pose=pose,
        noise_sigma=float(sigma),
    )


def stripped(scan: VirtualScan) -> sitk.Image:
    """The scan with exact 0 outside the true brain, as shared cohorts come."""
    return sitk.Mask(scan.image, scan.brain_mask)


def head_pose(protocol: SequenceProtocol) -> sitk.Euler3DTransform:
    """The transform from LPS points in the scanner to LPS points of the head frame."""
    pose = sitk.Euler3DTransform()
    pose.SetCenter(_COIL_CENTER_LPS_MM)
    pose.SetRotation(*(float(np.deg2rad(angle)) for angle in protocol.rotation_deg))
    pose.SetTranslation(protocol.translation_mm)
    return pose


def scan_grid(protocol: SequenceProtocol, pose: sitk.Euler3DTransform) -> Grid:
    """The voxel grid of a scan in the scanner, tilted as planned, ending just above the head."""
    tilt = sitk.Euler3DTransform()
    tilt.SetRotation(*(float(np.deg2rad(angle)) for angle in protocol.angulation_deg))
    direction = np.reshape(tilt.GetMatrix(), (3, 3))
    height = protocol.matrix[2] * protocol.voxel_mm[2]
    center_head: Vector = (0.0, 2.0, protocol.top_mm - height / 2)
    center = np.asarray(pose.GetInverse().TransformPoint(center_head))
    half = (np.asarray(protocol.matrix) - 1) / 2 * np.asarray(protocol.voxel_mm)
    origin = center - direction @ half
    return Grid(protocol.matrix, protocol.voxel_mm, (origin[0], origin[1], origin[2]), tuple(direction.ravel()))


def _signal_image(head: Head, protocol: SequenceProtocol, seed: int) -> sitk.Image:
    signal = np.zeros(head.brain.shape, np.float32)
    for tissue, fraction in head.fractions.items():
        if value := signal_of(tissue, protocol):
            signal += fraction * np.float32(value / 255)
    # Living tissue is not uniform: a fine texture of 1.5 % that moves with the head.
    signal *= 1.0 + np.float32(0.015) * smooth_noise(head.grid, stream(seed, "texture"), scale_mm=3.0)
    return image_on_grid(signal, head.grid)


def _through_slices(image: sitk.Image, grid: Grid, pose: sitk.Transform, slice_mm: float) -> NDArray[np.float32]:
    """Integrate over the slice thickness: the mean of samples at most 1 mm apart."""
    steps = max(1, int(np.ceil(slice_mm - 0.25)))
    normal = np.reshape(grid.direction_lps, (3, 3))[:, 2]
    total = np.zeros(grid.size[::-1], np.float32)
    for offset in (np.arange(steps) + 0.5) / steps * slice_mm - slice_mm / 2:
        x, y, z = np.asarray(grid.origin_lps_mm) + offset * normal
        layer = Grid(grid.size, grid.spacing_mm, (x, y, z), grid.direction_lps)
        total += sitk.GetArrayFromImage(resample(image, layer, transform=pose))
    return cast(NDArray[np.float32], total / np.float32(steps))


def _with_ghosts(ideal: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Faint copies of the head along the phase-encoding direction, as pulsation and restlessness leave them."""
    if not share:
        return ideal
    step = ideal.shape[1] // 5
    copies = np.roll(ideal, step, axis=1) + np.roll(ideal, -step, axis=1)
    return cast(NDArray[np.float32], (1 - share) * ideal + np.float32(share) * copies)


def _bias_field(
    grid: Grid,
    pose: sitk.Euler3DTransform,
    brain: NDArray[np.float32],
    protocol: SequenceProtocol,
    draw: np.random.Generator,
) -> NDArray[np.float32]:
    """Smooth receive shading: brighter near the coil, with a random slope and curvature."""
    coil = np.asarray(pose.GetInverse().TransformPoint(_COIL_CENTER_LPS_MM))
    coarse = grid.with_spacing((16.0, 16.0, 16.0))
    k, j, i = np.meshgrid(*[np.arange(n) for n in coarse.size[::-1]], indexing="ij")
    r = (coarse.index_to_lps(np.stack([i, j, k], -1)) - coil) / 90.0
    slope, curve = draw.normal(0.0, 1.0, 3), np.abs(draw.normal(1.0, 0.4, 3))
    log_field = r @ (slope * (0.5, 0.8, 0.6)) + (r * r) @ (curve * (0.8, 0.8, -0.3))
    log_field += 0.5 * np.sin(1.5 * r[..., 1] + draw.uniform(0, 6)) * np.cos(r[..., 2])
    sampled = refine(log_field.astype(np.float32), coarse, grid, cubic=True)
    inside = sampled[brain >= 0.5]
    scaled = (sampled - inside.mean()) * (protocol.bias_amplitude / inside.std())
    return cast(NDArray[np.float32], np.exp(np.clip(scaled, -1.0, 1.0)).astype(np.float32))
