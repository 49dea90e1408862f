"""MetaImage files: refused ones, and odd ones that are read."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from catalogue.nrrd_files import PLAIN, latin
from catalogue.rows import Build, Row
from catalogue.scan_builders import DAMAGED, ELSEWHERE, SHORT_OR_LONG, changed, flip, truth, written


def meta(name: str = "scan.mha", **fields: str | None) -> Build:
    """A MetaImage file written field by field; see ``nrrd``."""

    def build(folder: Path) -> Path:
        image = truth()
        header: dict[str, str | None] = {
            "ObjectType": "Image",
            "NDims": "3",
            "BinaryData": "True",
            "BinaryDataByteOrderMSB": "False",
            "CompressedData": "False",
            "TransformMatrix": " ".join(repr(float(x)) for x in np.reshape(image.GetDirection(), (3, 3)).T.ravel()),
            "Offset": " ".join(repr(float(x)) for x in image.GetOrigin()),
            "ElementSpacing": "4 3 5.5",
            "DimSize": "24 20 12",
            "ElementType": "MET_SHORT",
        }
        given = dict(fields)
        voxels, data = given.pop("voxels", None), given.pop("ElementDataFile", "LOCAL")
        header |= given
        lines = "".join(f"{key} = {value}\n" for key, value in header.items() if value is not None)
        content = PLAIN if voxels is None else voxels.encode("latin-1")
        last = "" if data is None else f"ElementDataFile = {data}\n"
        (folder / name).write_bytes((lines + last).encode() + (content if name.endswith(".mha") else b""))
        (folder / "scan.raw").write_bytes(content)
        return folder / name

    return build


_ZLIB = zlib.compress(PLAIN)

META = [
    *(Row(f"{text} MetaImage axes", meta(NDims=text), DAMAGED) for text in ("99", "-1", "0", "x")),
    Row("MetaImage cut", meta(voxels=latin(PLAIN[:-9])), SHORT_OR_LONG),
    Row("MetaImage one byte long", meta(voxels=latin(PLAIN + b"\0")), SHORT_OR_LONG),
    Row("MetaImage packed with one damaged byte", meta(CompressedData="True", voxels=latin(flip(_ZLIB))), DAMAGED),
    Row("MetaImage packed and cut, no length", meta(CompressedData="True", voxels=latin(_ZLIB[:-500])), DAMAGED),
    Row(
        "MetaImage packed, content short",
        meta(CompressedData="True", voxels=latin(zlib.compress(PLAIN[:-2]))),
        SHORT_OR_LONG,
    ),
    Row(
        "MetaImage packed, content long",
        meta(CompressedData="True", voxels=latin(zlib.compress(PLAIN * 40))),
        SHORT_OR_LONG,
    ),
    Row("MetaImage said to be packed", meta(CompressedData="True"), DAMAGED),
    Row("a printf pattern in .mhd", meta("scan.mhd", ElementDataFile="%s%n%d.raw 1 9 1"), ELSEWHERE),
    Row("a list in .mhd", meta("scan.mhd", ElementDataFile="LIST"), ELSEWHERE),
    Row("an absolute path in .mhd", meta("scan.mhd", ElementDataFile="/dev/zero"), ELSEWHERE),
    Row("a folder above in .mhd", meta("scan.mhd", ElementDataFile="../scan.raw"), ELSEWHERE),
    Row("voxels of .mhd not there", meta("scan.mhd", ElementDataFile="other.raw"), "was not found"),
    Row("voxels of .mhd cut", meta("scan.mhd", ElementDataFile="scan.raw", voxels=latin(PLAIN[:-1])), SHORT_OR_LONG),
    Row("fewer MetaImage sizes than axes", meta(DimSize="24 20"), DAMAGED),
    Row("a MetaImage axis of minus 24", meta(DimSize="-24 20 12"), DAMAGED),
    Row("MetaImage of 21 GB", meta(DimSize="2000 2000 2600"), "million voxels"),
    Row("MetaImage colors", meta(ElementNumberOfChannels="3"), "color"),
    Row("MetaImage arrays", meta(ElementType="MET_UCHAR_ARRAY"), "color"),
    Row("MetaImage of an unknown type", meta(ElementType="MET_STRING"), "MetaImage type"),
    Row("MetaImage without voxel sizes", meta(ElementSpacing=None), "size of its voxels"),
    Row("MetaImage with sizes of 0", meta(ElementSpacing="0 0 0"), "no scanner produces"),
    Row("MetaImage with sizes of NaN", meta(ElementSpacing="nan 1 1"), "no scanner produces"),
    Row("MetaImage with underscores in its sizes", meta(ElementSpacing="4 3 5_5"), DAMAGED),
    Row(
        "MetaImage as text with an underscore",
        meta(BinaryData="False", voxels="1_0 " + " ".join(str(x) for x in sitk.GetArrayFromImage(truth()).ravel()[1:])),
        DAMAGED,
    ),
    Row("MetaImage with a negative size", meta(ElementSpacing="-4 3 5.5"), "voxels of -4 x 3 x 5.5 mm"),
    Row("MetaImage in centimeters", meta(DistanceUnits="cm"), "unit that is not read here"),
    Row("MetaImage of two byte orders", meta(ElementByteOrderMSB="True"), DAMAGED),
    Row("MetaImage sheared", meta(TransformMatrix="1 0 0 0.6 0.8 0 0 0 1"), "sheared"),
    Row("MetaImage axes that are words", meta(TransformMatrix="a b c d e f g h i"), DAMAGED),
    Row("MetaImage with too few cosines", meta(TransformMatrix="1 0 0 0"), DAMAGED),
    Row("MetaImage that names no voxels", meta(ElementDataFile=None), DAMAGED),
    Row("MetaImage of text with too few words", meta(BinaryData="False", voxels="1 2 3"), DAMAGED),
    Row("MetaImage of two positions", meta(Position="9 9 9"), DAMAGED),
    Row("MetaImage of two directions", meta(Orientation="1 0 0 0 1 0 0 0 1"), DAMAGED),
    Row("MetaImage with values to be multiplied", meta(ElementToIntensityFunctionSlope="-1"), "ElementToIntensity"),
    Row("MetaImage with another header inside", meta(HeaderSize="12"), "MetaImage HeaderSize"),
    *(
        Row(f"MetaImage of {modality}", meta(Modality=modality), "another modality")
        for modality in ("MET_MOD_CT", "MET_MOD_NM", "MET_MOD_US", "met_mod_ct", "PT")
    ),
    Row("a MetaImage scene", meta(ObjectType="Scene"), DAMAGED),
    Row("a MetaImage field twice", changed(meta(), lambda c: b"NDims = 3\n" + c), DAMAGED),
]

META_READ = [
    *(
        Row(f"MetaImage of {modality}, read", meta(Modality=modality))
        for modality in ("MET_MOD_MR", "MET_MOD_UNKNOWN", "MET_MOD_OTHER")
    ),
    Row("MetaImage whose elements are smaller than their distance", meta(ElementSize="1 1 1")),
    Row("MetaImage, read", meta()),
    Row("MetaImage by ITK, packed", lambda folder: written(folder, "scan.mha", packed=True)),
    Row("MetaImage packed, no length", meta(CompressedData="True", voxels=latin(_ZLIB))),
    Row("MetaImage detached", meta("scan.mhd", ElementDataFile="scan.raw")),
    Row(
        "MetaImage detached, voxels at the end",
        meta("scan.mhd", ElementDataFile="scan.raw", HeaderSize="-1", voxels="head" + latin(PLAIN)),
    ),
    Row(
        "MetaImage as text",
        meta(BinaryData="False", voxels=" ".join(str(x) for x in sitk.GetArrayFromImage(truth()).ravel())),
    ),
]
