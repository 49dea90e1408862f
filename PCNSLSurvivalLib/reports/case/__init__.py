"""The report of one case: page, key images, DICOM."""
