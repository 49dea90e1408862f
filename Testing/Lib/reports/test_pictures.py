"""A radiologist must find right on the left, and the marker where it is."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import SimpleITK as sitk
from made_grids import rotation_matrix

from PCNSLSurvivalLib.imaging.geometry import Grid, canonical, image_on_grid
from PCNSLSurvivalLib.reports.colors import activation_rgb, gradient_stops
from PCNSLSurvivalLib.reports.pictures import (
    FAINTEST,
    axial_strip,
    make_display,
    orthogonal_views,
    png_bytes,
    strongest_point_lps_mm,
)

# A marker toward the patient's right, front and top: in LPS that is (-x, -y, +z).
MARKER_LPS_MM = np.array([-35.0, -45.0, 30.0])

DIRECTIONS = {
    "axial": np.eye(3),
    "oblique thick axial": rotation_matrix((1, 2, 0), 14),
    "sagittal, flipped": np.array([[0, 0, -1.0], [1, 0, 0], [0, -1, 0]]),
}


def _display(direction: np.ndarray, *, empty: bool = False):
    """A round brain with a bright marker whose activation sits on the marker, in any voxel order."""
    spacing = np.array([2.0, 2.0, 4.0])
    size = np.array([100, 100, 50])
    origin = -direction @ ((size - 1) / 2 * spacing)
    grid = Grid(tuple(int(n) for n in size), tuple(spacing), tuple(origin), tuple(direction.ravel()))
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.size], indexing="ij"), axis=-1)
    points = grid.index_to_lps(index).transpose(2, 1, 0, 3)
    brain = np.linalg.norm(points, axis=-1) < 80
    distance = np.linalg.norm(points - MARKER_LPS_MM, axis=-1)
    scan = image_on_grid((100.0 * brain + 400.0 * (distance < 16)).astype(np.float32), grid)
    activation = np.where(brain, np.exp(-((distance / 20) ** 2)), 0) * (not empty)
    return make_display(
        canonical(scan),
        canonical(image_on_grid(activation.astype(np.float32), grid)),
        canonical(image_on_grid(brain.astype(np.uint8), grid)),
    )


def _pixels(address: str, tmp_path) -> np.ndarray:
    """Decode with a reader that is not ours."""
    (tmp_path / "view.png").write_bytes(base64.b64decode(address.removeprefix("data:image/png;base64,")))
    return sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "view.png")))


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_views_follow_the_radiological_convention(direction, tmp_path):
    display = _display(direction)
    point = strongest_point_lps_mm(display)
    assert point == pytest.approx(MARKER_LPS_MM, abs=3.0)
    expected = {"Axial": ("R", "A"), "Coronal": ("R", "S"), "Sagittal": ("A", "S")}
    for view in orthogonal_views(display, point):
        gray, overlay = _pixels(view.gray, tmp_path), _pixels(view.overlay, tmp_path)
        assert gray.shape == (view.height, view.width)
        row, column = np.argwhere(gray > 250).mean(axis=0)
        # The marker lies near the edges whose letters the picture carries, under the cross, and under the color.
        assert (view.edges[0], view.edges[2]) == expected[view.title]
        assert column < view.width / 2 - 10
        assert row < view.height / 2 - 10
        assert (column + 0.5, row + 0.5) == pytest.approx(view.crosshair, abs=3.0)
        strongest = np.argwhere(overlay[..., 3] >= overlay[..., 3].max() - 1).mean(axis=0)
        assert (row, column) == pytest.approx(tuple(strongest), abs=3.0)


def test_slice_positions_are_those_of_the_scanner():
    axial, coronal, sagittal = orthogonal_views(_display(np.eye(3)), MARKER_LPS_MM)
    # RAS: right-anterior-superior counts positive toward left's opposite, front and top.
    assert axial.position_mm == pytest.approx(30.0, abs=1.0)
    assert coronal.position_mm == pytest.approx(45.0, abs=1.0)
    assert sagittal.position_mm == pytest.approx(35.0, abs=1.0)


def test_the_strip_runs_from_inferior_to_superior_through_the_scans_own_slices():
    positions = [view.position_mm for view in axial_strip(_display(np.eye(3)))]
    assert positions == sorted(positions)
    assert len(positions) <= 24
    assert positions[0] == pytest.approx(-78, abs=4.1)
    assert positions[-1] == pytest.approx(78, abs=4.1)


def test_an_empty_map_colors_nothing_and_points_to_the_middle_of_the_brain(tmp_path):
    display = _display(np.eye(3), empty=True)
    point = strongest_point_lps_mm(display)
    assert point == pytest.approx(np.zeros(3), abs=3.0)
    for view in orthogonal_views(display, point):
        assert _pixels(view.overlay, tmp_path)[..., 3].max() == 0


def test_brighter_always_means_more():
    rgb = activation_rgb(np.linspace(0, 1, 200)).astype(float) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > -1e-3).all()
    assert luminance[-1] - luminance[0] > 0.8
    assert [position for position, _ in gradient_stops()] == sorted(position for position, _ in gradient_stops())
    assert 0 < FAINTEST < 1


def test_png_is_read_back_by_another_program(tmp_path):
    colored = np.random.default_rng(3).integers(0, 256, (7, 11, 4), dtype=np.uint8)
    (tmp_path / "colored.png").write_bytes(png_bytes(colored))
    assert (sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "colored.png"))) == colored).all()
