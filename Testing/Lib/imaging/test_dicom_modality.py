"""The modality of a DICOM file is the stated one; the class of the image tells it where nothing, or MR, is stated."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from made_dicom import MR, write_classic

from PCNSLSurvivalLib.core.errors import UnreadableScanError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.dicom.frames import read_dicom_file
from PCNSLSurvivalLib.imaging.io import read_scan

CT, PET, NUCLEAR = (f"1.2.840.10008.5.1.4.1.1.{number}" for number in ("2", "128", "20"))


@pytest.mark.parametrize(
    ("stated", "sop_class", "modality"),
    [
        ("", CT, "CT"),
        (None, PET, "PT"),
        ("", NUCLEAR, "NM"),
        ("", MR, "MR"),
        ("MR", CT, "CT"),
        ("MR", PET, "PT"),
        ("MR", MR, "MR"),
        ("CT", MR, "CT"),
        ("NM", PET, "NM"),
        ("CT", PET, "CT"),
        ("OT", CT, "OT"),
    ],
)
def test_the_class_tells_the_modality_where_none_or_mr_is_stated(stated, sop_class, modality, tmp_path):
    def change(data, k):
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = sop_class
        data.Modality = stated
        if stated is None:
            del data.Modality

    volume = sitk.GetImageFromArray(np.arange(5 * 16 * 16, dtype=np.int16).reshape(5, 16, 16))
    paths = write_classic(volume, tmp_path / "series", change)
    assert [read_dicom_file(path).modality for path in paths] == [modality] * 5
    if modality == "MR":
        assert read_scan(tmp_path / "series", MRSequence.T1GD).image.GetSize() == (16, 16, 5)
    else:
        with pytest.raises(UnreadableScanError) as refused:
            read_scan(tmp_path / "series", MRSequence.T1GD)
        assert refused.value.message.code == "dicom.other_modality"
        assert refused.value.message.values["modality"] == modality
