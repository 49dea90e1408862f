"""Every scan file of the catalogue: NIfTI, NRRD, MetaImage, masks, and what can stand in the place of a file."""

from __future__ import annotations

from catalogue.mask_files import MASKS
from catalogue.meta_files import META, META_READ, meta
from catalogue.nifti_files import NIFTI, NIFTI_READ, SIDECARS
from catalogue.nrrd_files import NRRD, NRRD_READ, nrrd
from catalogue.places import OUTPUTS, PATHS, PLACES
from catalogue.rows import Row
from catalogue.scan_builders import PREDICT, nifti

REFUSED = [
    *(Row(row.name, row.build, row.says, PREDICT) for row in (*NIFTI, *NRRD, *META, *PLACES)),
    *MASKS,
    *OUTPUTS,
    *PATHS,
]

READ = [*NIFTI_READ, *SIDECARS, *NRRD_READ, *META_READ]

UNKNOWN_ORIENTATION = [
    Row("NIfTI whose two codes are 0", nifti(sform=0, qform=0), "left and right"),
    Row(
        "NRRD with spacings alone",
        nrrd(space_directions=None, space=None, space_origin=None, spacings="4 3 5.5"),
        "left and right",
    ),
    Row(
        "NRRD with spacings in centimeters",
        nrrd(space_directions=None, space=None, space_origin=None, spacings=".4 .3 .55", units='"cm" "cm" "cm"'),
        "left and right",
    ),
    Row("NRRD in a space without a patient", nrrd(space="scanner-xyz"), "left and right"),
    Row("MetaImage without directions", meta(TransformMatrix=None), "left and right"),
]
