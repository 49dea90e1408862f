"""The virtual scanner: protocol, signal, acquisition, DICOM."""
