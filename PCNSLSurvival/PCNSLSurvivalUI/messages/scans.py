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
        _(
            "The {name} folder holds no DICOM images. Give the folder that directly contains the files of the {name} "
            "series, or a NIfTI, NRRD or MetaImage file."
        ),
        _(
            "The {name} folder holds {count} DICOM series. Copy the files of the {name} series to a folder of its own "
            "and give that, or load the study in Slicer and choose the series there."
        ),
        _(
            "The {name} series cannot be read: a file is damaged, or its slices differ in size. Export the series "
            "again from the archive."
        ),
        _("The {name} series holds color pictures (a screen capture). Give the original MR series."),
        _("The {name} series holds a single two-dimensional image. Give the whole {name} series."),
        _("A file of the {name} series is damaged. Export the series again from the archive."),
        _("The {name} series was made by another modality ({modality}), not by MR. Choose the MR series."),
        _(
            "The slices of the {name} series are not parallel (a localizer or a rotating view). Choose the axial, "
            "sagittal or coronal series."
        ),
        _(
            "The slices of the {name} series are unevenly spaced ({least} to {most} mm apart): slices are missing or "
            "two series are mixed. Export the series again, complete and alone."
        ),
        _("The {name} scan was not found. Check the file or folder name given for {name}."),
        _(
            "The {name} scan is not in a format this software reads. Give NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr) "
            "or MetaImage (.mha, .mhd), or the folder of a DICOM series."
        ),
        _("The {name} was not found. Check its file name."),
        _("A volume could not be written whole. Free room on the disk of --out and try again."),
        _(
            "The {name} file is a color or vector image, not an MR scan. Give the original scan, not a picture or an "
            "overlay made from it."
        ),
        _(
            "The {name} file holds {count} volumes (a time series or several echoes). Save the one to be used as a "
            "file of its own and give that."
        ),
        _(
            "The {name} file is a single two-dimensional image. Give the whole volume: one file with all slices, or "
            "the folder of the DICOM series."
        ),
        _("The {name} file holds complex numbers. Save its magnitude and give that."),
        _(
            "The {name} file states two positions (sform and qform) that differ by up to {gap} mm; its sform was "
            "used. If slices or overlay look displaced, convert the scan from DICOM again."
        ),
        _(
            "The {name} file states sheared or scaled axes, which is no scanner's grid. Resample it to a rectangular "
            "grid, for example in Slicer with 'Harden transform' and 'Resample Image (BRAINS)'."
        ),
        _("The {name} file does not fit into this computer's memory."),
        _(
            "The {name} file is damaged or not what its ending says. Convert the scan again from DICOM, or give the "
            "folder of the DICOM series."
        ),
        _(
            "{name} holds values that are not numbers (NaN or infinite) in {share} % of its voxels. Export the scan "
            "again from its DICOM source."
        ),
        _("{name} has the same value everywhere, so it shows nothing. Choose another file for {name}."),
        _(
            "{name} looks like a CT in Hounsfield units (air near -1000, soft tissue near 40). This software reads "
            "MRI; choose the MR volume for {name}."
        ),
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
        _("brain mask"),
        _("lesion mask"),
    )


def translated(sentence: str) -> str:
    """One of them in the user's language; asked for here, because Slicer looks it up under this file's name."""
    return tr(sentence)
