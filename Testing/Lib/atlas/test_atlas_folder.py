"""The folder of an atlas: what it must hold, and that template, labels, names and sides fit each other."""

from __future__ import annotations

import dataclasses
import hashlib
import os

import numpy as np
import pytest
import SimpleITK as sitk
from made_atlas import TEMPLATE_GRID, label_at, made_atlas, name_of, voxel_points

from PCNSLSurvivalLib.atlas.atlas_folder import read_atlas
from PCNSLSurvivalLib.core.errors import AtlasError, UnreadableScanError
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid


def _refused(folder):
    with pytest.raises(AtlasError) as error:
        read_atlas(folder)
    return error.value.message


def test_every_voxel_gets_the_name_of_its_place(tmp_path):
    folder = made_atlas(tmp_path / "atlas")
    for beside in ("README.txt", "LICENSE.txt", ".hidden.txt", "template_description.json"):
        (folder / beside).write_text("not a table")
    atlas = read_atlas(folder)
    assert atlas.name == "made_dseg"
    assert atlas.remarks == ()
    numbers = sitk.GetArrayFromImage(atlas.labels)
    labels = label_at(voxel_points(Grid.of(atlas.labels))).transpose(2, 1, 0)
    kji = np.argwhere(numbers > 0)[::997]
    assert [atlas.names[numbers[tuple(at)] - 1] for at in kji] == [name_of(int(labels[tuple(at)])) for at in kji]
    assert atlas.sha256["names"] == hashlib.sha256((folder / "names.txt").read_bytes()).hexdigest()


def test_the_order_of_the_voxels_of_the_two_files_does_not_matter(tmp_path):
    """SRI24's head and its stripped twin have opposite x axes, and the same place in mm."""
    folder = made_atlas(tmp_path / "atlas")
    plain = read_atlas(folder)
    file = str(folder / "made_dseg.nii.gz")
    sitk.WriteImage(sitk.DICOMOrient(sitk.ReadImage(file), "RAS"), file)
    turned = read_atlas(folder)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(turned.labels), sitk.GetArrayFromImage(plain.labels))


def test_labels_beside_the_template_are_refused(tmp_path):
    x, y, z = TEMPLATE_GRID.origin_lps_mm
    moved = dataclasses.replace(TEMPLATE_GRID, origin_lps_mm=(x + 1.5, y, z))
    assert _refused(made_atlas(tmp_path / "moved", labels_grid=moved)).code == "atlas.grid"
    coarse = dataclasses.replace(TEMPLATE_GRID, size=(24, 29, 25), spacing_mm=(6.0, 6.0, 6.0))
    assert _refused(made_atlas(tmp_path / "coarse", labels_grid=coarse)).code == "atlas.grid"


@pytest.mark.parametrize(
    "named", ["{side}-Block_{label}", "Block{label}_{letter}", "{side}Block{label}", "Block{side}"]
)
def test_regions_named_left_must_lie_on_the_left(named, tmp_path):
    """Odd labels are on the left."""
    lines = [
        f"{label} " + named.format(label=label, side=side, letter=side[0])
        for label in range(1, 250)
        for side in (("Right", "Left")[label % 2],)
    ]
    assert _refused(made_atlas(tmp_path / "atlas", mirrored=True, table="\n".join(lines))).code == "atlas.mirrored"
    assert read_atlas(made_atlas(tmp_path / "straight", table="\n".join(lines))).names


@pytest.mark.parametrize(
    ("axis", "names", "code"),
    [
        (1, ("Frontal_Sup", "Occipital_Mid"), "atlas.back_to_front"),
        (1, ("gyrus frontalis", "polus occipitalis"), "atlas.back_to_front"),
        (2, ("Cerebelum_Crus1", "Parietal_Inf"), "atlas.upside_down"),
        (2, ("Cerebellum-Cortex", "ctx-superiorfrontal"), "atlas.upside_down"),
        (2, ("front of the pons", "Cerebellar_Peduncle_Sup"), None),
        (1, ("front_of_precuneus", "Occipital_Sup"), None),
    ],
)
def test_lobes_must_lie_where_their_names_say(axis, names, code, tmp_path):
    """The first name belongs to the half with the lower coordinate in LPS; with the names exchanged it is refused,
    unless they name no lobe."""
    folder = made_atlas(tmp_path / "atlas")
    path = folder / "made_dseg.nii.gz"
    labels = sitk.ReadImage(str(path))
    beyond = voxel_points(Grid.of(labels))[..., axis].transpose(2, 1, 0) > 0
    halves = np.where(sitk.GetArrayFromImage(labels) > 0, 1 + beyond, 0).astype(np.int16)
    sitk.WriteImage(image_on_grid(halves, Grid.of(labels)), str(path))
    (folder / "names.txt").unlink()
    for order in (names, names[::-1]):
        (folder / "names.tsv").write_text(
            "index\tname\n" + "\n".join(f"{n}\t{name}" for n, name in enumerate(order, 1))
        )
        if order is names or code is None:
            assert read_atlas(folder).names == order
        else:
            assert _refused(folder).code == code


def test_a_tract_between_two_lobes_has_no_side(tmp_path):
    table = "\n".join(f"{label} Fronto-occipital_{label}" for label in range(1, 250))
    assert read_atlas(made_atlas(tmp_path / "atlas", table=table)).names


def test_labels_that_float32_cannot_tell_apart_are_refused(tmp_path):
    folder = made_atlas(tmp_path / "atlas")
    file = str(folder / "made_dseg.nii.gz")
    labels = sitk.Cast(sitk.ReadImage(file), sitk.sitkUInt32)
    apart = labels + 2**24 * sitk.Cast(labels > 0, sitk.sitkUInt32)
    table = [line.split(maxsplit=1) for line in (folder / "names.txt").read_text().splitlines()[1:]]
    (folder / "names.txt").write_text("\n".join(f"{int(label) + 2**24} {rest}" for label, rest in table))
    sitk.WriteImage(apart, file)
    assert len(read_atlas(folder).names) == len(table)
    sitk.WriteImage(sitk.Cast(apart, sitk.sitkFloat32), file)
    assert _refused(folder).code == "atlas.labels_rounded"


def test_names_without_sides_say_nothing_that_a_mirror_could_change(tmp_path):
    table = "\n".join(f"{label} Block_{label}" for label in range(1, 250))
    assert read_atlas(made_atlas(tmp_path / "atlas", mirrored=True, table=table)).names


def test_labels_without_a_name_are_counted_and_too_many_refused(tmp_path):
    folder = made_atlas(tmp_path / "atlas")
    lines = (folder / "names.txt").read_text().splitlines()
    (folder / "names.txt").write_text("\n".join(lines[:-3]))
    (remark,) = read_atlas(folder).remarks
    assert (remark.code, remark.values["count"]) == ("atlas.unnamed", 3)
    (folder / "names.txt").write_text("1 Somewhere\n9999 Nowhere\n")
    assert _refused(folder).code == "atlas.few_names"


def test_what_the_folder_must_hold(tmp_path):
    assert _refused(tmp_path / "absent").code == "atlas.no_folder"
    folder = made_atlas(tmp_path / "atlas")
    (folder / "more.tsv").write_text("index\tname\n1\tA\n")
    assert dict(_refused(folder).values) == {"volumes": 2, "tables": 2}
    (folder / "more.tsv").unlink()
    (folder / "made_T1w.nii.gz").rename(tmp_path / "template.nii.gz")
    assert dict(_refused(folder).values) == {"volumes": 1, "tables": 1}
    sitk.WriteImage(sitk.ReadImage(str(folder / "made_dseg.nii.gz")), str(folder / "twice.nii.gz"))
    assert _refused(folder).code == "atlas.no_template"
    for name in ("made_dseg", "twice"):
        sitk.WriteImage(sitk.ReadImage(str(tmp_path / "template.nii.gz")), str(folder / f"{name}.nii.gz"))
    assert _refused(folder).code == "atlas.no_labels"


def test_labels_must_be_whole_numbers(tmp_path):
    folder = made_atlas(tmp_path / "atlas")
    file = str(folder / "made_dseg.nii.gz")
    labels = sitk.Cast(sitk.ReadImage(file), sitk.sitkFloat32)
    sitk.WriteImage(labels, file)
    assert read_atlas(folder).names, "whole numbers stored as floats"
    for wrong in (labels * 0.5, labels - 1.0):
        sitk.WriteImage(wrong, file)
        assert _refused(folder).code == "atlas.labels_not_numbers"


@pytest.mark.parametrize("file", ["made_T1w.nii.gz", "made_dseg.nii.gz"])
def test_values_that_are_no_numbers_are_told(tmp_path, file):
    """Some programs write NaN outside the brain; a registration told of other failures, or the labels were not seen."""
    path = str(made_atlas(tmp_path / "atlas") / file)
    image = sitk.Cast(sitk.ReadImage(path), sitk.sitkFloat32)
    values = sitk.GetArrayFromImage(image)
    values[values == 0] = np.nan
    sitk.WriteImage(image_on_grid(values, Grid.of(image)), path)
    assert _refused(tmp_path / "atlas").code == "atlas.not_numbers"


def test_labels_with_one_name_are_one_region(tmp_path):
    """Tables without sides name both halves alike; "A; within 6 mm also A" says nothing."""
    folder = made_atlas(tmp_path / "atlas", table="\n".join(f"{label} Block_{label // 40}" for label in range(1, 250)))
    atlas = read_atlas(folder)
    assert len(set(atlas.names)) == len(atlas.names)
    assert sitk.GetArrayFromImage(atlas.labels).max() == len(atlas.names)


def test_a_name_that_is_not_utf8_is_written_with_the_codes_of_its_bytes(tmp_path):
    folder = made_atlas(tmp_path / "atlas")
    (folder / "made_dseg.nii.gz").rename(os.fsdecode(os.fsencode(folder) + b"/r\xe9gions.NII.gz"))
    assert read_atlas(folder).name == "r\\udce9gions"


def test_the_damaged_file_of_the_two_is_named(tmp_path):
    folder = made_atlas(tmp_path / "atlas")
    (folder / "made_dseg.nii.gz").write_bytes(b"no volume" * 100)
    with pytest.raises(UnreadableScanError, match=r"^The made_dseg\.nii\.gz file is damaged"):
        read_atlas(folder)


@pytest.mark.parametrize("method", ["iterdir", "read_bytes"])
def test_a_folder_or_table_that_may_not_be_read_is_told_as_such(tmp_path, monkeypatch, method):
    """Root may read everything, so the refusal of the system is imitated."""
    folder = made_atlas(tmp_path / "atlas")

    def refuse(path):
        raise PermissionError(path)

    monkeypatch.setattr(type(folder), method, refuse)
    assert _refused(folder).code == "atlas.not_permitted"
