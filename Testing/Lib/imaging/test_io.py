from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_files import write_series
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from made_dicom import write_classic
from made_grids import grids, linear_ramp
from scipy.ndimage import gaussian_filter

from PCNSLSurvivalLib.core.errors import OutputFolderError, UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.imaging.io import read_mask, read_mask_file, read_scan, write_volume

BRAIN_MASK = Message("word.brain_mask")
GRID = Grid((12, 10, 8), (0.9, 0.9, 5.5), (-40.0, 30.0, 12.0), (1, 0, 0, 0, 0.96, -0.28, 0, 0.28, 0.96))


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
@hypothesis_settings(max_examples=15)
@given(grid=grids())
def test_every_format_brings_back_values_and_grid(ending, grid, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / f"scan{ending}"
    write_volume(linear_ramp(grid), path)
    scan = read_scan(path, MRSequence.T1GD)
    assert Grid.of(scan.image).matches(grid, tolerance_mm=5e-3)
    assert sitk.GetArrayFromImage(scan.image) == pytest.approx(sitk.GetArrayFromImage(linear_ramp(grid)), abs=1e-4)
    assert scan.remarks == ()


def test_integers_become_float_and_a_fourth_axis_of_one_is_dropped(tmp_path):
    image = sitk.JoinSeries([sitk.Cast(linear_ramp(GRID), sitk.sitkInt16)])
    path = tmp_path / "scan.nii.gz"
    sitk.WriteImage(image, str(path))
    scan = read_scan(path, MRSequence.T1)
    assert scan.image.GetDimension() == 3
    assert scan.image.GetPixelID() == sitk.sitkFloat32
    assert scan.image.GetSize() == GRID.size


def test_dicom_series_equals_the_volume_it_was_written_from(tmp_path):
    volume = sitk.Cast(linear_ramp(GRID) + 200.0, sitk.sitkInt16)
    write_series(volume, tmp_path)
    scan = read_scan(tmp_path, MRSequence.T1GD)
    assert scan.source_format == "DICOM"
    assert Grid.of(scan.image).matches(GRID, tolerance_mm=0.02)
    assert (sitk.GetArrayFromImage(scan.image) == sitk.GetArrayFromImage(volume)).all()


def test_a_compressed_file_is_not_taken_for_its_uncompressed_neighbor(tmp_path):
    write_volume(linear_ramp(GRID), tmp_path / "scan.nii")
    write_volume(linear_ramp(GRID) + 50.0, tmp_path / "scan.nii.gz")
    difference = (
        read_scan(tmp_path / "scan.nii.gz", MRSequence.T1GD).image
        - read_scan(tmp_path / "scan.nii", MRSequence.T1GD).image
    )
    assert sitk.GetArrayFromImage(difference) == pytest.approx(50.0, abs=1e-3)


def test_two_positions_in_one_header_are_remarked(tmp_path):
    import nibabel

    path = tmp_path / "scan.nii.gz"
    write_volume(linear_ramp(GRID), path)
    loaded = nibabel.load(path)
    moved = loaded.affine.copy()
    moved[:3, 3] += 20.0
    loaded.set_sform(moved, 1)
    loaded.set_qform(loaded.get_qform(), 1)
    nibabel.save(loaded, path)
    scan = read_scan(path, MRSequence.T2)
    (remark,) = scan.remarks
    assert (remark.code, remark.values["volume"]) == ("scan.two_positions", MRSequence.T2)
    assert remark.values["gap"] == pytest.approx(20.0, abs=0.1)
    # The remark says the sform counts; hold it to that.
    assert Grid.of(scan.image).affine_ras == pytest.approx(moved, abs=1e-2)


def _color(folder: Path) -> Path:
    sitk.WriteImage(sitk.Compose(*[sitk.Cast(linear_ramp(GRID), sitk.sitkUInt8)] * 3), str(folder / "x.nrrd"))
    return folder / "x.nrrd"


def _time_series(folder: Path) -> Path:
    sitk.WriteImage(sitk.JoinSeries([linear_ramp(GRID)] * 3), str(folder / "x.nii.gz"))
    return folder / "x.nii.gz"


def _flat(folder: Path) -> Path:
    sitk.WriteImage(linear_ramp(GRID)[:, :, 3], str(folder / "x.nii.gz"))
    return folder / "x.nii.gz"


def _single_slice(folder: Path) -> Path:
    sitk.WriteImage(linear_ramp(GRID)[:, :, 3:4], str(folder / "x.mha"))
    return folder / "x.mha"


def _damaged(folder: Path) -> Path:
    write_volume(linear_ramp(GRID), folder / "x.nii.gz")
    whole = (folder / "x.nii.gz").read_bytes()
    (folder / "x.nii.gz").write_bytes(whole[: len(whole) // 3])
    return folder / "x.nii.gz"


def _text(folder: Path) -> Path:
    (folder / "x.nrrd").write_text("this is no scan")
    return folder / "x.nrrd"


def _unknown_ending(folder: Path) -> Path:
    (folder / "x.png").write_bytes(b"")
    return folder / "x.png"


def _sheared(folder: Path) -> Path:
    import nibabel

    affine = np.eye(4)
    affine[0, 1] = 0.6
    image = nibabel.Nifti1Image(np.zeros((5, 5, 5), np.float32), affine)
    image.set_qform(None, 0)
    nibabel.save(image, folder / "x.nii")
    return folder / "x.nii"


def _two_series(folder: Path) -> Path:
    volume = sitk.Cast(linear_ramp(GRID), sitk.sitkInt16)
    write_series(volume, folder, series=1)
    write_series(volume, folder, series=2)
    return folder


def _missing_slice(folder: Path) -> Path:
    write_series(sitk.Cast(linear_ramp(GRID), sitk.sitkInt16), folder)
    sorted(folder.glob("*.dcm"))[4].unlink()
    return folder


def _ct_series(folder: Path) -> Path:
    write_series(sitk.Cast(linear_ramp(GRID), sitk.sitkInt16), folder, modality="CT")
    return folder


@pytest.mark.parametrize(
    ("make", "code", "values"),
    [
        (lambda folder: folder / "absent.nii.gz", "scan.not_found", {}),
        (_unknown_ending, "scan.unknown_format", {}),
        (_color, "scan.color_file", {}),
        (_time_series, "scan.time_series", {"count": 3}),
        (_flat, "scan.two_dimensional_file", {}),
        (_single_slice, "scan.two_dimensional_file", {}),
        (_damaged, "scan.damaged_file", {}),
        (_text, "scan.damaged_file", {}),
        (_sheared, "scan.sheared_axes", {}),
        (lambda folder: folder, "dicom.no_images", {}),
        (_two_series, "dicom.several_series", {"count": 2}),
        (
            _missing_slice,
            "dicom.unevenly_spaced",
            {"least": pytest.approx(5.5), "most": pytest.approx(11.0)},
        ),
        (_ct_series, "dicom.other_modality", {"modality": "CT"}),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_is_no_scan_is_refused_without_its_path(make, code, values, tmp_path):
    path = make(tmp_path)
    with pytest.raises(UnreadableScanError) as problem:
        read_scan(path, MRSequence.T1GD)
    message = problem.value.message
    assert message.code == code
    name = "sequence" if "sequence" in message.values else "volume"
    assert message.values == {name: MRSequence.T1GD, **values}
    assert str(tmp_path) not in str(problem.value)


def test_a_mask_is_one_wherever_the_file_is_not_zero(tmp_path):
    write_volume(sitk.Cast(linear_ramp(GRID) > 3.0, sitk.sitkInt16) * 7, tmp_path / "mask.nrrd")
    mask = sitk.GetArrayFromImage(read_mask(tmp_path / "mask.nrrd", BRAIN_MASK))
    assert set(np.unique(mask)) == {0, 1}
    with pytest.raises(UnreadableScanError) as problem:
        read_mask(tmp_path / "absent.nrrd", BRAIN_MASK)
    assert problem.value.message == Message("mask.not_found", volume=BRAIN_MASK)


def test_a_volume_that_a_full_disk_cut_short_is_not_taken_for_written(tmp_path, monkeypatch):
    image = sitk.Image(20, 20, 20, sitk.sitkInt16) + sitk.AdditiveGaussianNoise(sitk.Image(20, 20, 20, sitk.sitkInt16))
    write_volume(image, tmp_path / "whole.nii.gz")
    write = sitk.WriteImage

    def cut_short(image, path, useCompression):
        write(image, path, useCompression=useCompression)
        content = (tmp_path / "cut.nii.gz").read_bytes()
        (tmp_path / "cut.nii.gz").write_bytes(content[: len(content) // 2])

    monkeypatch.setattr(sitk, "WriteImage", cut_short)
    with pytest.raises(OutputFolderError) as problem:
        write_volume(image, tmp_path / "cut.nii.gz")
    assert problem.value.message.code == "files.volume_cut_short"


def test_many_labels_in_a_mask_are_told(tmp_path):
    """Regions of 4 x 4 x 4 voxels, as an atlas has them."""
    blocks = np.kron(np.random.default_rng(2).integers(0, 90, (5, 6, 7)), np.ones((4, 4, 4))).astype(np.int16)
    write_volume(sitk.GetImageFromArray(blocks), tmp_path / "mask.nrrd")
    (remark,) = read_mask_file(tmp_path / "mask.nrrd", BRAIN_MASK).remarks
    assert remark == Message("mask.many_labels", volume=BRAIN_MASK, count=len(np.unique(blocks)) - 1)


@pytest.mark.parametrize("width", [1, 2])
def test_small_lesions_with_a_number_each_are_labels(width, tmp_path):
    numbers = np.zeros((6, 8, 60), np.uint8)
    for number in range(15):
        numbers[2, 3:6, 4 * number : 4 * number + width] = number + 1
    write_volume(sitk.GetImageFromArray(numbers), tmp_path / "mask.nrrd")
    read = read_mask_file(tmp_path / "mask.nrrd", BRAIN_MASK)
    assert read.remarks == (Message("mask.many_labels", volume=BRAIN_MASK, count=15),)
    assert (sitk.GetArrayViewFromImage(read.image) == (numbers > 0)).all()


@pytest.mark.parametrize("highest", [60, 100, 190])
@pytest.mark.parametrize("blur", [0.5, 2.0, 5.0])
def test_percentages_are_no_labels(blur, highest, tmp_path):
    """Whole numbers around a ball whose edge is blurred."""
    ball = np.linalg.norm(np.indices((40, 40, 40)) - 20.0, axis=0) < 12
    percents = np.rint(highest * gaussian_filter(ball.astype(float), blur)).astype(np.uint8)
    write_volume(sitk.GetImageFromArray(percents), tmp_path / "mask.nrrd")
    with pytest.raises(UnreadableScanError) as refused:
        read_mask_file(tmp_path / "mask.nrrd", BRAIN_MASK)
    assert refused.value.message.code == "mask.graded"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("T1_gd.nrrd", None),
        ("scan.nrrd", None),
        ("T1_post_corrected.nrrd", None),
        ("AX_DWI_POST_GAD.nrrd", "scan.other_image"),
        ("T1_gd_subtraction.nrrd", "scan.other_image"),
        ("Anna_Herz.nrrd", None),  # may be a patient's name
        ("T1_pre.nrrd", "scan.other_sequence"),
    ],
)
def test_a_file_that_names_itself_no_t1gd_is_read_with_a_remark(name, told, tmp_path):
    write_volume(linear_ramp(GRID), tmp_path / name)
    remarks = read_scan(tmp_path / name, MRSequence.T1GD).remarks
    assert [remark.code for remark in remarks] == ([told] if told else [])


def test_a_projection_is_read_with_a_remark(tmp_path):
    """The header says what no name tells."""

    def project(data, k):
        data.ImageType = ["DERIVED", "SECONDARY", "PROJECTION IMAGE", "MIP"]

    write_classic(sitk.Cast(linear_ramp(GRID), sitk.sitkInt16), tmp_path / "scan", project)
    assert [remark.code for remark in read_scan(tmp_path / "scan", MRSequence.T1GD).remarks] == ["scan.other_image"]


def _count_from(first: int):
    def number(data, k):
        data.InstanceNumber = k + first

    return number


def _state(images: int):
    def state(data, k):
        data.ImagesInAcquisition = images

    return state


@pytest.mark.parametrize(
    ("change", "gone", "missing"),
    [
        (None, [0], 1),
        (None, [0, 1], 2),
        (_state(8), [7], 1),
        (_state(8), [0, 7], 2),
        (None, [], 0),
        (_state(8), [], 0),
        (_state(16), [], 0),  # two volumes in one acquisition
        (_count_from(201), [], 0),  # numbers that run on
        (_count_from(0), [], 0),
    ],
)
def test_slices_missing_at_an_end_are_told_where_the_headers_count_them(tmp_path, change, gone, missing):
    paths = write_classic(sitk.Cast(linear_ramp(GRID), sitk.sitkInt16), tmp_path / "scan", change)
    for k in gone:
        paths[k].unlink()
    remarks = read_scan(tmp_path / "scan", MRSequence.T1GD).remarks
    here = 8 - len(gone)
    told = Message("dicom.missing_ends", sequence=MRSequence.T1GD, count=here, missing=missing)
    assert remarks == ((told,) if missing else ())
