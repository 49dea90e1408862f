"""The MR sequence that a name, a DICOM header or a file beside the scan tells, and the choice among several series."""
