"""Messages about scans as they are read: files, DICOM series, voxels and grid."""

from __future__ import annotations

from PCNSLSurvivalLib.core.marked import marked as _

TEMPLATES = {
    "dicom.color": _("The {sequence} series holds color pictures or screen captures. Give the original MR series."),
    "dicom.damaged_file": _("A file of the {sequence} series is damaged. Export the series again from the archive."),
    "dicom.damaged_pixels": _(
        "The pixels of the {sequence} series cannot be read: a file is damaged, or its pixels do not fit its "
        "header. Export the series again from the archive."
    ),
    "dicom.differing_slices": _(
        "The slices of the {sequence} series differ in size or pixel spacing: two series are mixed. Export the "
        "series again, alone."
    ),
    "dicom.impossible_header": _(
        "The headers of the {sequence} series hold impossible positions, directions, spacings or scales. "
        "Export the series again from the archive."
    ),
    "dicom.left_out": _("Some files in the {sequence} folder are not slices of the series and were left out: {files}."),
    "dicom.localizers_only": _(
        "The {sequence} folder holds localizer images only. Give the folder of the {sequence} series itself."
    ),
    "dicom.missing_ends": _(
        "The {sequence} series has {count} slices here, and the numbers in its DICOM headers indicate {missing} more. "
        "Check that its first and last slices are all there."
    ),
    "dicom.missing_parts": _(
        "The scanner stored the {sequence} series in {stated} files, of which {count} can be read here. Export it "
        "again from the archive, complete."
    ),
    "dicom.mixed_acquisitions": _(
        "The slices of the {sequence} series differ in {what}: two volumes are mixed. Export the one to be used again, "
        "complete and alone."
    ),
    "dicom.mosaic": _(
        "The {sequence} series is a mosaic: each file shows many slices side by side, as in functional series. "
        "Give the T1-weighted series of the anatomy."
    ),
    "dicom.no_identifiers": _(
        "The {sequence} series does not say to which study, series and frame of reference it belongs, so nothing "
        "can be placed beside it. Export the series again from the archive."
    ),
    "dicom.no_images": _(
        "The {sequence} folder holds no DICOM images. Give the folder that directly contains the files of the "
        "{sequence} series, or a NIfTI, NRRD or MetaImage file."
    ),
    "dicom.no_pixels": _(
        "The {sequence} folder holds DICOM files, but none with the pixels of a scan: reports, segmentations or "
        "computed maps. Give the folder that directly contains the files of the {sequence} series."
    ),
    "dicom.no_place": _(
        "In the {sequence} series, {count} of {total} slices state no position, orientation or pixel spacing, so "
        "their place is unknown. Export the series again from the archive, complete with its headers."
    ),
    "dicom.no_series_to_export_beside": _(
        "The T1Gd folder does not hold exactly one DICOM series of single slices. Give the folder of the series "
        "that the result was made from, with --dicom-series where T1Gd is another file of it."
    ),
    "dicom.not_fetched": _("A file of the {sequence} series {reason}"),
    "dicom.not_parallel": _(
        "The slices of the {sequence} series are not parallel (a localizer or a rotating view). Choose the axial, "
        "sagittal or coronal series."
    ),
    "dicom.other_modality": _(
        "The {sequence} series was made by another modality ({modality}), not by MR. Choose the MR series."
    ),
    "dicom.quadruped": _(
        "The {sequence} series shows an animal: its header states the directions of a quadruped. This software reads "
        "scans of people."
    ),
    "dicom.repeated_numbers": _(
        "{count} slices of the {sequence} series have the instance number of another slice: two series may be mixed. "
        "Check that it shows one head, from end to end."
    ),
    "dicom.several_series": _(
        "The {sequence} folder holds {count} DICOM series. Copy the files of the {sequence} series to a folder of "
        "its own and give that. Or load the study in Slicer and choose the series there."
    ),
    "dicom.several_volumes": _(
        "The {sequence} series holds {count} slices at {places} positions: several volumes (echoes, time points or "
        "reconstructions) are mixed. Export the one to be used alone."
    ),
    "dicom.sideways": _(
        "The slices of the {sequence} series are not stacked at right angles. They are offset by up to {gap:.1f} mm (a "
        "tilted gantry or a sheared block). Choose another reconstruction, or load the series in Slicer, which can "
        "straighten it, and predict there."
    ),
    "dicom.two_dimensional": _(
        "The {sequence} series holds a single two-dimensional image. Give the whole {sequence} series."
    ),
    "dicom.two_frames_of_reference": _(
        "The slices of the {sequence} series lie in more than one frame of reference: two sessions are mixed. "
        "Export the series again, alone."
    ),
    "dicom.two_patients": _(
        "The files of the {sequence} series state more than one patient or study. Export the series again from the "
        "archive, into a folder of its own."
    ),
    "dicom.unevenly_spaced": _(
        "The slices of the {sequence} series are unevenly spaced ({least:.2f} to {most:.2f} mm apart): slices are "
        "missing or two series are mixed. Export the series again, complete and alone."
    ),
    "dicom.value_table": _(
        "The {sequence} series states its values by a table (Modality LUT), as in derived series. Choose the "
        "series as the scanner made it."
    ),
    "dicom.wide_apart": _(
        "The slices of the {sequence} series lie {found:.1f} mm apart, but its headers state {stated:.1f} mm: slices "
        "may be missing. Check that the series is complete."
    ),
    "grid.bias_field_mask": _(
        "The mask for the bias field of {sequence} does not line up voxel by voxel with {sequence}. In Slicer, "
        "resample it to {sequence} with 'Resample Image (BRAINS)', then try again."
    ),
    "grid.brain_mask_on_map": _(
        "The brain mask does not line up voxel by voxel with the grid of the map. In Slicer, resample it to the "
        "grid of the map with 'Resample Image (BRAINS)', then try again."
    ),
    "grid.brain_mask_on_t1gd": _(
        "The brain mask does not line up voxel by voxel with T1Gd. In Slicer, resample it to T1Gd with 'Resample "
        "Image (BRAINS)', then try again."
    ),
    "grid.lesion_mask_on_t1gd": _(
        "The lesion mask does not line up voxel by voxel with T1Gd. In Slicer, resample it to T1Gd with 'Resample "
        "Image (BRAINS)', then try again."
    ),
    "grid.t1gd_on_map": _(
        "The T1Gd does not line up voxel by voxel with the map of this result. In Slicer, resample it to the map of "
        "this result with 'Resample Image (BRAINS)', then try again."
    ),
    "grid.t1gd_series_on_map": _(
        "The T1Gd series does not line up voxel by voxel with the map of this result. In Slicer, resample it to the "
        "map of this result with 'Resample Image (BRAINS)', then try again."
    ),
    "mask.empty": _(
        "No voxel lies inside the {volume}: its highest value is {highest:.3g}. A label counts from 1, a probability "
        "from 0.5. Choose another file."
    ),
    "mask.fractions": _("The {volume} holds fractions, which were taken for probabilities: a voxel counts from 0.5."),
    "mask.graded": _(
        "The {volume} holds whole numbers up to {highest:.0f} that change from voxel to voxel, like percentages or an "
        "interpolated mask. Save it as 0 and 1, or as probabilities between 0 and 1."
    ),
    "mask.many_labels": _("The {volume} holds {count} labels, and every voxel with one counts as inside."),
    "mask.no_mask": _(
        "The {volume} holds neither labels nor probabilities between 0 and 1. Give a mask, not a scan or a map."
    ),
    "mask.not_found": _("The {volume} was not found. Check its file name."),
    "mask.not_numbers": _(
        "The {volume} holds values that are not numbers in {count} of its voxels. Save it again as labels."
    ),
    "scan.already_stripped": _("T1Gd is skull-stripped: brain extraction and bias field correction were skipped."),
    "scan.analyze_format": _(
        "The {volume} file is in Analyze format, which does not state left and right. Convert the scan from DICOM "
        "to NIfTI."
    ),
    "scan.block": _("Field of view of {sequence}: at least {mm:.0f} mm in every direction."),
    "scan.cannot_be_read": _("The {volume} file cannot be read ({reason}). Copy it to this computer."),
    "scan.color_file": _(
        "The {volume} file is a color or vector image, not an MR scan. Give the original scan, not a picture or an "
        "overlay made from it."
    ),
    "scan.complex_numbers": _("The {volume} file holds complex numbers. Save its magnitude and give that."),
    "scan.damaged_file": _(
        "The {volume} file is damaged or not what its ending says. Convert the scan again from DICOM, or give the "
        "folder of the DICOM series."
    ),
    "scan.few_gray_levels": _(
        "Half of the brain in {sequence} has only {count} different values. The scan was stored too coarsely, such as "
        "in 8 bits beside a few bright spots. Give the scan as the scanner stored it."
    ),
    "scan.few_slices": _(
        "{sequence} has too few slices ({count}) to be a volume of the head. Choose the whole series for {sequence}."
    ),
    "scan.file_not_found": _("The {volume} file was not found. Check the file name given for {volume}."),
    "scan.gray_levels": _("Gray levels within the interquartile range of the brain in {sequence}: {count}."),
    "scan.impossible_voxel_size": _(
        "The {volume} file states voxels of {edges} mm, which no scanner produces. Convert the scan again from "
        "DICOM, which states the true size."
    ),
    "scan.inverted": _(
        "The header of {volume} multiplies its values by a negative number, so bright and dark are swapped. Check "
        "that the scan looks as it should."
    ),
    "scan.leading_axis_dropped": _(
        "The {volume} file begins with an axis of length one, which was left out; its other axes were taken to lie "
        "as its header states. Check left and right, or convert the scan from DICOM again."
    ),
    "scan.long_text": _(
        "The {volume} file stores its voxels as text, which is read up to {megabytes} MB. Save it as NIfTI."
    ),
    "scan.looks_like_ct": _(
        "{sequence} looks like a CT in Hounsfield units (air near -1000, soft tissue near 40). This software reads "
        "MRI; choose the MR volume for {sequence}."
    ),
    "scan.looks_like_labels": _(
        "{sequence} looks like a mask or a map of labels: neighboring voxels have the same value. Choose the MR scan "
        "for {sequence}."
    ),
    "scan.no_img_file": _("The {volume} header has no .img file beside it. Give both files in one folder."),
    "scan.no_possible_place": _(
        "The {volume} file states an impossible position in the patient. Convert the scan again from DICOM."
    ),
    "scan.no_regular_file": _(
        "A folder, pipe or device stands where the file of {volume} is expected. Give a regular file."
    ),
    "scan.no_voxel_size": _(
        "The {volume} file does not state the size of its voxels. Convert the scan again from DICOM."
    ),
    "scan.noisy": _(
        "{sequence} is very noisy: its SNR in the brain is only {ratio:.1f}. Use another series if available."
    ),
    "scan.not_fetched": _("The {volume} file {reason}"),
    "scan.not_found": _("The {sequence} scan was not found. Check the file or folder name given for {sequence}."),
    "scan.not_numbers": _(
        "{sequence} holds values that are not numbers (NaN or infinite) in {count} of its {total} voxels. Export "
        "the scan again from its DICOM source."
    ),
    "scan.not_permitted": _("The {volume} file cannot be read: permission denied. Ask its owner for read access."),
    "scan.numbers_in_order": _("No sign of integer overflow in {sequence}."),
    "scan.orientation_unknown": _(
        "The {volume} file does not state how it lies in the patient: left and right, front and back are unknown. "
        "Its axes were taken to run to the patient's left, back and head. Convert the scan from DICOM again."
    ),
    "scan.other_agent": _(
        "The contrast agent of {sequence} is {agent}, not gadolinium. Models trained with gadolinium may not apply: "
        "other tissue enhances, and at other times."
    ),
    "scan.other_image": _(
        "The {sequence} scan may not be an anatomical {sequence} of the brain: {reason}. Is it the right scan?"
    ),
    "scan.other_modality": _(
        "The {volume} file states that it was made by another modality ({modality}), not by MR. Choose the MR scan."
    ),
    "scan.other_sequence": _("The {sequence} scan may be a {seen}: {reason}. Is it the right scan?"),
    "scan.same_scan": _(
        "{other} and {sequence} are the same scan: their voxels agree. Give each sequence its own scan, or leave out "
        "one of the two."
    ),
    "scan.same_value": _("{sequence} has the same value in all voxels. Choose another file for {sequence}."),
    "scan.sheared_axes": _(
        "The {volume} file states sheared or scaled axes, which no scanner produces. Resample it to a rectangular "
        "grid, for example in Slicer with 'Harden transform' and 'Resample Image (BRAINS)'."
    ),
    "scan.signal_to_noise": _("SNR of {sequence}: {ratio:.0f}."),
    "scan.skull_found": _(
        "T1Gd is marked as skull-stripped, but shows skull and scalp, or noise around the brain. Remove this setting "
        "(in Slicer under Advanced, on the command line --already-stripped)."
    ),
    "scan.skull_unclear": _(
        "It is unclear whether T1Gd shows skull and scalp, so the brain was extracted. If the scan is already "
        "skull-stripped, mark it so (in Slicer under Advanced, on the command line --already-stripped)."
    ),
    "scan.slice_out_of_order": _(
        "At {places} of {count} places, first at {place} mm, a slice of {sequence} resembles the slice two further on "
        "more than its neighbor. The patient may have moved, or slices may be exchanged. Look at the scan there in all "
        "three planes."
    ),
    "scan.slices_all_different": _("No slice of {sequence} repeats the slice before it."),
    "scan.slices_apart": _("Slice spacing of {sequence}: {mm:.1f} mm."),
    "scan.slices_in_disorder": _(
        "The slices of {sequence} are out of order. At {places} of {count} places, a slice resembles the "
        "slice two further on more than its neighbor. They were stored in the wrong order, or the patient moved "
        "between them. Convert the scan again from DICOM, and check it in all three planes."
    ),
    "scan.slices_in_order": _("The slices of {sequence} are in order."),
    "scan.slices_repeated": _(
        "{sequence} has slices that are exact copies of the slice before (number: {count}). Missing slices were "
        "filled, or the scan was enlarged without interpolation. Give the scan as acquired."
    ),
    "scan.slices_scaled": _(
        "Most slices of {sequence} have the same brightest value, mean or spread. They were scaled separately, or "
        "bright values were clipped, as in pictures for a screen. The brightness of tissues may not be comparable. "
        "Give the scan as the scanner stored it, for example as DICOM."
    ),
    "scan.slices_unscaled": _(
        "No sign that the slices of {sequence} were scaled separately, or their bright values clipped."
    ),
    "scan.small_block": _(
        "The field of view of {sequence} is only {mm:.0f} mm in one direction, less than a brain. Check that it is "
        "a whole-head scan and not a localizer or part of a series."
    ),
    "scan.statistical_map": _(
        "The {volume} file says that it holds a statistical map, not a scan. Is it the right file?"
    ),
    "scan.thick_slices": _(
        "Slice spacing of {sequence}: {mm:.1f} mm. Small lesions can be missed between slices. Use a series with "
        "thinner slices if available."
    ),
    "scan.time_series": _(
        "The {volume} file holds {count} volumes (a time series or several echoes). Save the one to be used as a "
        "file of its own and give that."
    ),
    "scan.too_large_for_memory": _("The {volume} file does not fit into this computer's memory."),
    "scan.too_many_voxels": _(
        "The {volume} file states more than {millions} million voxels, which no scan of a head has. Resample it to "
        "voxels of at least 0.5 mm, or convert it again from DICOM."
    ),
    "scan.two_dimensional_file": _(
        "The {volume} file is a single two-dimensional image. Give the whole volume: one file with all slices, or "
        "the folder of the DICOM series."
    ),
    "scan.two_img_files": _(
        "The {volume} header has two files of voxels beside it, {one} and {other}, whose contents differ. Keep the "
        "right one in this folder."
    ),
    "scan.two_positions": _(
        "The {volume} file states two positions (sform and qform) that differ by up to {gap:.0f} mm; its {used} was "
        "used. If slices or overlay look displaced, convert the scan from DICOM again."
    ),
    "scan.two_voxel_sizes": _(
        "The {volume} file states two sizes of its voxels: {used} mm in its sform, which was used, and {other} mm. "
        "If the head looks too large or too small, convert the scan from DICOM again."
    ),
    "scan.unknown_format": _(
        "The {volume} file is not in a format this software reads. Give NIfTI (.nii, .nii.gz, .hdr with .img), NRRD "
        "(.nrrd, .nhdr) or MetaImage (.mha, .mhd), or the folder of a DICOM series."
    ),
    "scan.unknown_storage": _(
        "The {volume} file stores its voxels in a way that is not read here ({storage}). Save it as NIfTI and give "
        "that."
    ),
    "scan.unknown_unit": _(
        "The {volume} file states its lengths in a unit that is not read here ({unit}). Convert the scan again from "
        "DICOM, or save it as NIfTI."
    ),
    "scan.voxels_elsewhere": _(
        "The {volume} header names voxels in another folder, by a pattern or in several files. Give a volume in one "
        "file, or a header with one file of voxels beside it."
    ),
    "scan.voxels_not_found": _(
        "The file of voxels that the header of {volume} names was not found beside it. Copy both files together."
    ),
    "scan.wrapped": _(
        "Neighboring voxels of {sequence} differ by nearly 65536: its integers overflowed, or were read with the "
        "wrong sign or byte order. Convert the scan again from DICOM, as 32-bit or floating-point numbers."
    ),
    "scan.wrong_length": _(
        "The {volume} file is damaged: its header states {needed} bytes of voxels, and the file is shorter or longer. "
        "Copy or download it again, or convert the scan again from DICOM."
    ),
}
