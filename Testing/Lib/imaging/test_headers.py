"""Headers of every kind of nonsense end in a sentence, and sound ones are read as ITK reads them."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from catalogue.scan_builders import truth
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from made_dicom import write_classic, write_enhanced
from made_grids import grids, linear_ramp

from PCNSLSurvivalLib.core.errors import UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.dicom.elements import DamagedDicomError, NoDicomError, parse
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical
from PCNSLSurvivalLib.imaging.headers.grids import ShearedAxesError, rigid_grid
from PCNSLSurvivalLib.imaging.io import read_mask_file, read_scan, write_volume

_AFTER_FIRST_PART = 350
"""Behind the transfer syntax: a file that says it is packed costs a process of its own."""
BRAIN_MASK = Message("word.brain_mask")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("sound")
    for ending in ("nii", "nii.gz", "nrrd", "mha"):
        write_volume(truth(), folder / f"scan.{ending}")
    sitk.WriteImage(truth(), str(folder / "raw.nrrd"))
    sitk.WriteImage(truth(), str(folder / "raw.mha"))
    write_classic(truth()[:, :, :3], folder / "dicom")
    write_enhanced(truth()[:, :, :4], folder / "enhanced" / "x", [2, 0, 3, 1])
    found = {path.name: path.read_bytes() for path in folder.glob("*.*")}
    found["slice"], found["enhanced"] = (folder / "dicom/IM0001").read_bytes(), (folder / "enhanced/x").read_bytes()
    return found


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz", "scan.nrrd", "scan.mha", "raw.nrrd", "raw.mha"])
@hypothesis_settings(max_examples=40)
@given(data=st.data())
def test_a_file_with_bytes_replaced_is_read_or_refused(name, data, files, tmp_path_factory):
    content = bytearray(files[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, min(len(content), 700) - 1))
        new = data.draw(st.binary(min_size=1, max_size=8))
        content[at : at + len(new)] = new
    path = tmp_path_factory.getbasetemp() / f"changed-{name}"
    path.write_bytes(content[: data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))])
    try:
        image = read_scan(path, MRSequence.T1GD).image
    except UnreadableScanError:
        return
    assert image.GetNumberOfPixels() <= 24 * 20 * 12 * 2, "no more voxels than the file has bytes"
    assert np.isfinite(Grid.of(image).affine_lps).all()


@pytest.mark.parametrize("name", ["slice", "enhanced"])
@hypothesis_settings(max_examples=50)
@given(data=st.data())
def test_a_dicom_file_with_bytes_replaced_is_read_or_refused(name, data, files, tmp_path_factory):
    content = bytearray(files[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(_AFTER_FIRST_PART, min(len(content), 1500) - 1))
        new = data.draw(st.binary(min_size=1, max_size=6))
        content[at : at + len(new)] = new
    folder = tmp_path_factory.getbasetemp() / f"changed-{name}"
    if not folder.exists():
        folder.mkdir()
        if name == "slice":
            write_classic(truth()[:, :, :3], folder)
    (folder / "IM0001").write_bytes(content)
    try:
        image = read_scan(folder, MRSequence.T1GD).image
    except UnreadableScanError:
        return
    assert np.isfinite(Grid.of(image).affine_lps).all()


@hypothesis_settings(max_examples=150)
@given(
    elements=st.lists(
        st.tuples(
            st.sampled_from([0x0008, 0x0009, 0x0020, 0x0028, 0x5200, 0xFFFE]),
            st.sampled_from([0x0005, 0x0060, 0x0032, 0x1001, 0x9229, 0x9230, 0xE000, 0xE00D, 0xE0DD]),
            st.sampled_from([b"CS", b"DS", b"SQ", b"UN", b"OB", b"US", b"??"]),
            st.sampled_from([0, 2, 4, 100, 2**31, 0xFFFFFFFE, 0xFFFFFFFF]),
        ),
        max_size=40,
    )
)
def test_any_order_of_elements_is_parsed_or_refused(elements):
    content = bytes(128) + b"DICM"
    for group, element, kind, length in elements:
        long = kind in (b"SQ", b"UN", b"OB")
        if group == 0xFFFE:
            content += struct.pack("<HHI", group, element, length)
        else:
            content += struct.pack("<HH2s", group, element, kind)
            content += struct.pack("<HI", 0, length) if long else struct.pack("<H", length & 0xFFFF)
            content += bytes(length) if length <= 100 else b""
    with suppress(NoDicomError, DamagedDicomError):
        parse(content)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
@hypothesis_settings(max_examples=3)
@given(grid=grids())
def test_a_sound_file_is_read_as_itk_reads_it(ending, dtype, grid, tmp_path_factory):
    image = sitk.GetImageFromArray(np.random.default_rng(3).integers(0, 250, grid.size[::-1]).astype(dtype))
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin_lps_mm)
    image.SetDirection(grid.direction_lps)
    # ITK, asked for x.nii.gz, reads x.nii where both lie in one folder.
    path = tmp_path_factory.getbasetemp() / f"typed{ending.replace('.', '')}{ending}"
    write_volume(image, path)
    ours, itks = read_scan(path, MRSequence.T1GD).image, sitk.ReadImage(str(path), sitk.sitkFloat32)
    assert (sitk.GetArrayViewFromImage(ours) == sitk.GetArrayViewFromImage(itks)).all()
    assert Grid.of(ours).matches(Grid.of(itks), tolerance_mm=1e-3)


@hypothesis_settings(max_examples=8)
@given(grid=grids(), order=st.randoms(use_true_random=False))
def test_frames_and_slices_lie_at_their_places_on_any_grid(grid, order, tmp_path_factory):
    """Oblique, anisotropic, flipped and left-handed: a left-handed block comes back in the other order of slices."""
    image = sitk.Cast(linear_ramp(grid) * 50 + 20_000, sitk.sitkUInt16)
    folder = Path(tmp_path_factory.mktemp("frames"))
    frames = list(range(grid.size[2]))
    order.shuffle(frames)
    write_enhanced(image, folder / "enhanced" / "x", frames)
    write_classic(image, folder / "classic")
    for name in ("enhanced", "classic"):
        read = canonical(read_scan(folder / name, MRSequence.T1GD).image)
        assert Grid.of(read).matches(Grid.of(canonical(image)), tolerance_mm=0.02)
        assert (sitk.GetArrayFromImage(read) == sitk.GetArrayFromImage(canonical(image))).all()


@given(grid=grids(), digits=st.integers(2, 6))
def test_rounded_axes_move_no_voxel_by_a_quarter_of_itself(grid, digits):
    affine = grid.affine_lps.copy()
    affine[:3, :3] = np.round(affine[:3, :3] / grid.spacing_mm, digits) * grid.spacing_mm
    try:
        rigid = rigid_grid(affine, grid.size, MRSequence.T1GD)
    except ShearedAxesError:
        assert digits < 4, "four digits are enough for a block of 24 voxels"
        return
    corners = np.array(np.meshgrid(*[(0.0, n - 1.0) for n in grid.size])).reshape(3, -1).T
    moved = rigid.index_to_lps(corners) - (corners @ affine[:3, :3].T + affine[:3, 3])
    assert np.linalg.norm(moved, axis=1).max() < 0.25 * min(rigid.spacing_mm)
    axes = np.reshape(rigid.direction_lps, (3, 3))
    assert axes.T @ axes == pytest.approx(np.eye(3), abs=1e-9)


@given(grid=grids(), shear=st.floats(0.2, 1.0))
def test_sheared_axes_are_refused(grid, shear):
    affine = grid.affine_lps.copy()
    affine[:3, 1] += shear * affine[:3, 0] / grid.spacing_mm[0] * grid.spacing_mm[1]
    assume(shear * grid.spacing_mm[1] * (grid.size[1] - 1) / 4 > 0.6 * min(grid.spacing_mm))
    with pytest.raises(ShearedAxesError):
        rigid_grid(affine, grid.size, MRSequence.T1GD)


def test_a_probability_map_counts_from_one_half_and_says_so(tmp_path):
    block = sitk.Image(40, 40, 40, sitk.sitkFloat32)
    block[10:30, 10:30, 10:30] = 1.0
    sitk.WriteImage(sitk.DiscreteGaussian(block, 2.0), str(tmp_path / "soft.nrrd"))
    mask = read_mask_file(tmp_path / "soft.nrrd", BRAIN_MASK)
    assert int(sitk.GetArrayViewFromImage(mask.image).sum()) == pytest.approx(8000, abs=400)
    assert [remark.code for remark in mask.remarks] == ["mask.fractions"]
    sitk.WriteImage(block * 7, str(tmp_path / "labels.nrrd"))
    mask = read_mask_file(tmp_path / "labels.nrrd", BRAIN_MASK)
    assert int(sitk.GetArrayViewFromImage(mask.image).sum()) == 8000
    assert mask.remarks == ()
