"""Every row of the table that is refused, whatever the kind of input."""

from __future__ import annotations

from catalogue import dicom_files, exports, model_folders, prepared_cohorts, same_scans, scan_files, tables

REFUSED = [
    row
    for kind in (scan_files, dicom_files, same_scans, exports, model_folders, prepared_cohorts, tables)
    for row in kind.REFUSED
]
