"""DICOM series, from the bytes of their files to one volume."""
