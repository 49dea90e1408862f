"""What is told of a scan as it was read: files, DICOM series, voxels and grid."""

from __future__ import annotations

from PCNSLSurvivalLib.core.messages.marked import marked as _

TEMPLATES = {
    "dicom.color": _("The {sequence} series holds color pictures (a screen capture). Give the original MR series."),
    "dicom.damaged_file": _("A file of the {sequence} series is damaged. Export the series again from the archive."),
    "dicom.no_images": _(
        "The {sequence} folder holds no DICOM images. Give the folder that directly contains the files of the "
        "{sequence} series, or a NIfTI, NRRD or MetaImage file."
    ),
    "dicom.not_parallel": _(
        "The slices of the {sequence} series are not parallel (a localizer or a rotating view). Choose the axial, "
        "sagittal or coronal series."
    ),
    "dicom.other_modality": _(
        "The {sequence} series was made by another modality ({modality}), not by MR. Choose the MR series."
    ),
    "dicom.several_series": _(
        "The {sequence} folder holds {count} DICOM series. Copy the files of the {sequence} series to a folder of "
        "its own and give that, or load the study in Slicer and choose the series there."
    ),
    "dicom.two_dimensional": _(
        "The {sequence} series holds a single two-dimensional image. Give the whole {sequence} series."
    ),
    "dicom.unevenly_spaced": _(
        "The slices of the {sequence} series are unevenly spaced ({least:.2f} to {most:.2f} mm apart): slices are "
        "missing or two series are mixed. Export the series again, complete and alone."
    ),
    "dicom.unreadable": _(
        "The {sequence} series cannot be read: a file is damaged, or its slices differ in size. Export the series "
        "again from the archive."
    ),
    "mask.not_found": _("The {volume} was not found. Check its file name."),
    "scan.color_file": _(
        "The {volume} file is a color or vector image, not an MR scan. Give the original scan, not a picture or an "
        "overlay made from it."
    ),
    "scan.complex_numbers": _("The {volume} file holds complex numbers. Save its magnitude and give that."),
    "scan.damaged_file": _(
        "The {volume} file is damaged or not what its ending says. Convert the scan again from DICOM, or give the "
        "folder of the DICOM series."
    ),
    "scan.few_slices": _(
        "{sequence} has too few slices ({count}) to be a volume of the head. Choose the whole series for {sequence}."
    ),
    "scan.looks_like_ct": _(
        "{sequence} looks like a CT in Hounsfield units (air near -1000, soft tissue near 40). This software reads "
        "MRI; choose the MR volume for {sequence}."
    ),
    "scan.not_found": _("The {sequence} scan was not found. Check the file or folder name given for {sequence}."),
    "scan.not_numbers": _(
        "{sequence} holds values that are not numbers (NaN or infinite) in {percent:.2g} % of its voxels. Export "
        "the scan again from its DICOM source."
    ),
    "scan.same_value": _(
        "{sequence} has the same value everywhere, so it shows nothing. Choose another file for {sequence}."
    ),
    "scan.sheared_axes": _(
        "The {volume} file states sheared or scaled axes, which is no scanner's grid. Resample it to a rectangular "
        "grid, for example in Slicer with 'Harden transform' and 'Resample Image (BRAINS)'."
    ),
    "scan.time_series": _(
        "The {volume} file holds {count} volumes (a time series or several echoes). Save the one to be used as a "
        "file of its own and give that."
    ),
    "scan.too_large_for_memory": _("The {volume} file does not fit into this computer's memory."),
    "scan.two_dimensional_file": _(
        "The {volume} file is a single two-dimensional image. Give the whole volume: one file with all slices, or "
        "the folder of the DICOM series."
    ),
    "scan.two_positions": _(
        "The {volume} file states two positions (sform and qform) that differ by up to {gap:.0f} mm; its sform was "
        "used. If slices or overlay look displaced, convert the scan from DICOM again."
    ),
    "scan.unknown_format": _(
        "The {sequence} scan is not in a format this software reads. Give NIfTI (.nii, .nii.gz), NRRD (.nrrd, "
        ".nhdr) or MetaImage (.mha, .mhd), or the folder of a DICOM series."
    ),
}
