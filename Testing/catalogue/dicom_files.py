"""DICOM series: broken ones, odd ones that are read, and hostile ones."""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from made_dicom import Change, uid, write_classic, write_enhanced
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from catalogue.places import LFS
from catalogue.rows import Build, Row
from catalogue.scan_builders import PREDICT, truth

DAMAGED, PIXELS, NO_PLACE = "file of the T1Gd series is damaged", "pixels of the T1Gd series", "state no position"
IMPOSSIBLE, UNEVEN, LEFT_OUT = "impossible", "unevenly spaced", "were left out"
ASIDE = "not stacked at right angles"
_MIDDLE = 5
_NO_PIECE = bytes.fromhex("feff00e000000000feffdde000000000")
"""An empty table of offsets, and the end."""


def _series(change: Change | None = None) -> Build:
    def build(folder: Path) -> Path:
        write_classic(truth(), folder / "series", change)
        return folder / "series"

    return build


def _set(number: int | None = None, **values: object) -> Build:
    """A series with tags replaced in one slice, or in all; a value of None deletes the tag."""

    def change(data: Dataset, k: int) -> None:
        for name, value in values.items() if number in (None, k) else ():
            if value is None:
                delattr(data, name)
            else:
                setattr(data, name, value)

    return _series(change)


def _raw(number: int, change: Callable[[bytes], bytes]) -> Build:
    """A series with the bytes of one file changed."""

    def build(folder: Path) -> Path:
        path = _series()(folder) / f"IM{number:04d}"
        path.write_bytes(change(path.read_bytes()))
        return path.parent

    return build


def _word(tag: str, value: bytes) -> Build:
    """A series in which one slice has other bytes as the value of an element, of the same length."""

    def change(content: bytes) -> bytes:
        group, element = (int(part, 16) for part in tag.split(","))
        at = content.index(struct.pack("<HH", group, element) + b"DS")
        length = struct.unpack_from("<H", content, at + 6)[0]
        return content[: at + 8] + value[:length].ljust(length) + content[at + 8 + length :]

    return _raw(_MIDDLE, change)


def _moved(shift: Callable[[int], tuple[float, float, float]]) -> Build:
    def change(data: Dataset, k: int) -> None:
        moved = zip(data.ImagePositionPatient, shift(k), strict=True)
        data.ImagePositionPatient = [f"{float(at) + by:.8g}" for at, by in moved]

    return _series(change)


def _and(make: Build, more: Callable[[Path], None]) -> Build:
    """A series and something else in its folder."""

    def build(folder: Path) -> Path:
        series = make(folder)
        more(series)
        return series

    return build


def _picture(folder: Path, **values: object) -> None:
    """A screen capture that carries the series' own identifier."""
    data = pydicom.dcmread(folder / "IM0003")
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = uid("picture")
    data.ImageType = ["DERIVED", "SECONDARY", "SCREEN SAVE"]
    del data.ImagePositionPatient, data.ImageOrientationPatient
    for name, value in values.items():
        setattr(data, name, value)
    data.save_as(folder / "IM0900", enforce_file_format=True)


def _capture(folder: Path) -> None:
    """A secondary capture in color, of another series."""
    data = pydicom.dcmread(folder / "IM0003")
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    data.SeriesInstanceUID, data.SOPInstanceUID = uid("captures"), uid("capture")
    data.SamplesPerPixel, data.PhotometricInterpretation, data.BitsAllocated = 3, "RGB", 8
    data.BitsStored, data.HighBit, data.PixelData = 8, 7, bytes(data.Rows * data.Columns * 3)
    data.save_as(folder / "capture", enforce_file_format=True)


def _localizer(folder: Path) -> None:
    data = pydicom.dcmread(folder / "IM0003")
    data.SOPInstanceUID, data.ImageType = uid("localizer"), ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    data.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    data.save_as(folder / "IM0901", enforce_file_format=True)


def _without_image(folder: Path) -> None:
    data = pydicom.dcmread(folder / "IM0003", stop_before_pixels=True)
    data.SOPClassUID, data.Modality = "1.2.840.10008.5.1.4.1.1.11.1", "PR"
    data.SeriesInstanceUID = uid("presentation")
    del data.Rows, data.Columns
    data.save_as(folder / "PR0001", enforce_file_format=True)


def _left_by_systems(folder: Path) -> None:
    """Of macOS, with the beginning of a resource fork under the name of a slice, and of Windows."""
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1" + bytes(600))
    (folder / "._IM0003").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(600))
    (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))


def _disc_index(folder: Path) -> None:
    head = bytes(128) + b"DICM" + struct.pack("<HH2sH", 2, 2, b"UI", 20) + b"1.2.840.10008.1.3.10"
    (folder / "DICOMDIR").write_bytes(head + struct.pack("<HH2sH", 2, 16, b"UI", 20) + b"1.2.840.10008.1.2.1\0")


def _echo(folder: Path) -> None:
    write_classic(truth() // 2, folder, echo="9")


def _other_series(folder: Path) -> None:
    write_classic(truth(), folder, series="b", echo="9")


def _copy(folder: Path) -> None:
    (folder / "IM0003 (2)").write_bytes((folder / "IM0003").read_bytes())


def _enhanced(order: list[int], change: Change | None = None) -> Build:
    def build(folder: Path) -> Path:
        write_enhanced(truth(), folder / "series" / "IM1", order, change)
        return folder / "series"

    return build


def _divided(*parts: tuple[int, int]) -> Build:
    """An enhanced object that the scanner divided into two files, of which some parts are there."""

    def build(folder: Path) -> Path:
        for number, (first, end) in enumerate(parts):

            def change(data: Dataset, k: int, number: int = number) -> None:
                data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = uid("part", number)
                data.ConcatenationUID, data.InConcatenationNumber = uid("divided"), number + 1
                data.InConcatenationTotalNumber = 2

            write_enhanced(truth(), folder / "series" / f"IM{number}", list(range(first, end)), change)
        return folder / "series"

    return build


def _blank_number_of_parts(data: Dataset, k: int) -> None:
    """As anonymizers leave what they blank."""
    data.InConcatenationTotalNumber = None


def _frames_without_place(data: Dataset, k: int) -> None:
    for group in data.PerFrameFunctionalGroupsSequence:
        del group.PlanePositionSequence


def _one_group_less(data: Dataset, k: int) -> None:
    del data.PerFrameFunctionalGroupsSequence[3]


def _nested(depth: int) -> bytes:
    """A private sequence in a sequence in a sequence, all of undefined length, without an end."""
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    sequence = struct.pack("<HH2sHI", 0x0009, 0x1001, b"SQ", 0, 0xFFFFFFFF)
    return (sequence + item) * depth


def _with_element(element: bytes) -> Build:
    """A series with an element put before the modality of one slice."""

    def change(content: bytes) -> bytes:
        at = content.index(struct.pack("<HH2s", 0x0008, 0x0060, b"CS"))
        return content[:at] + element + content[at:]

    return _raw(_MIDDLE, change)


def _many_elements(content: bytes) -> bytes:
    return content[:-_PIXEL_BYTES] + struct.pack("<HH2sH", 0x0009, 0x1001, b"CS", 0) * 400_000


_PIXEL_BYTES = 24 * 20 * 2 + 12


def _packed(syntax: str) -> Build:
    def alter(data: Dataset, k: int) -> None:
        data.compress(syntax, generate_instance_uid=False)

    return _series(alter)


def _says(syntax: str, pixels: bytes | None = None) -> Build:
    """A series that says its pixels are packed, with what is given as their stream."""

    def alter(data: Dataset, k: int) -> None:
        stream = data.PixelData if pixels is None else pixels
        data.PixelData = pydicom.encaps.encapsulate([stream])
        data["PixelData"].is_undefined_length = True
        data.file_meta.TransferSyntaxUID = syntax

    return _series(alter)


def _of_exabytes(data: Dataset) -> None:
    """A stream that states two billion columns and rows, as one tile."""
    with tempfile.TemporaryDirectory() as folder:
        writer = sitk.ImageFileWriter()
        writer.SetFileName(f"{folder}/small.dcm")
        writer.UseCompressionOn()
        writer.SetCompressor("JPEG2000")
        writer.Execute(sitk.GetImageFromArray(np.arange(64 * 64, dtype=np.uint16).reshape(1, 64, 64)))
        small = pydicom.dcmread(f"{folder}/small.dcm")
    stream = bytearray(next(pydicom.encaps.generate_frames(small.PixelData, number_of_frames=1)))
    size = stream.index(b"\xff\x51") + 6
    for place in (size, size + 16):
        struct.pack_into(">II", stream, place, 2_000_000_000, 2_000_000_000)
    data.PixelData = pydicom.encaps.encapsulate([bytes(stream)])
    data["PixelData"].is_undefined_length = True
    data.file_meta.TransferSyntaxUID = small.file_meta.TransferSyntaxUID


def _deflated_cut(folder: Path) -> Path:
    series = _encoded(DeflatedExplicitVRLittleEndian)(folder)
    path = series / "IM0005"
    path.write_bytes(path.read_bytes()[:-50])
    return series


def _deflate_bomb(folder: Path) -> Path:
    series = _encoded(DeflatedExplicitVRLittleEndian)(folder)
    head = (series / "IM0005").read_bytes()
    start = 132 + 12 + struct.unpack_from("<I", head, 132 + 8)[0]
    pack = zlib.compressobj(wbits=-15)
    (series / "IM0005").write_bytes(head[:start] + pack.compress(bytes(140 << 20)) + pack.flush())
    return series


def _encoded(syntax: str) -> Build:
    def alter(data: Dataset, k: int) -> None:
        data.file_meta.TransferSyntaxUID = syntax

    return _series(alter)


def _big_endian(folder: Path) -> Path:
    series = _series()(folder)
    for path in series.iterdir():
        data = pydicom.dcmread(path)
        data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.2"
        data.PixelData = np.frombuffer(data.PixelData, "<u2").astype(">u2").tobytes()
        plain = Dataset()
        plain.update(data)
        plain.file_meta, plain.preamble = data.file_meta, data.preamble
        pydicom.dcmwrite(path, plain, implicit_vr=False, little_endian=False, enforce_file_format=True)
    return series


def _without_first_part(folder: Path) -> Path:
    series = _series()(folder)
    for path in series.iterdir():
        content = path.read_bytes()
        path.write_bytes(content[132 + 12 + struct.unpack_from("<I", content, 132 + 8)[0] :])
    return series


def _inverted(data: Dataset, k: int) -> None:
    data.PhotometricInterpretation = "MONOCHROME1"
    data.PixelData = (65535 - np.frombuffer(data.PixelData, "<u2")).astype("<u2").tobytes()


def _rescaled(data: Dataset, k: int) -> None:
    """Every slice has a slope of its own, as one vendor writes it."""
    slope = 0.5 if k % 2 else 0.25
    data.RescaleSlope, data.RescaleIntercept = str(slope), "-3"
    values = (np.frombuffer(data.PixelData, "<u2").astype(float) + 3) / slope
    data.PixelData = np.rint(values).astype("<u2").tobytes()


def _twelve_bits(data: Dataset, k: int) -> None:
    """Old files keep an overlay in the bits above the value."""
    values = np.frombuffer(data.PixelData, "<u2")
    data.BitsStored, data.HighBit = 13, 12
    data.PixelData = (values | 0x8000).astype("<u2").tobytes()
    data.add_new(0x60000100, "US", 16)
    data.add_new(0x60000102, "US", 15)


def _every_second(**values: tuple[object, object]) -> Build:
    """A series whose slices come from two volumes in turn."""

    def change(data: Dataset, k: int) -> None:
        for name, (one, other) in values.items():
            setattr(data, name, other if k % 2 else one)

    return _series(change)


def _of_frames(macro: str, name: str, one: object, other: object) -> Change:
    """Something that is one thing in the even frames of an enhanced object, and another in the odd ones."""

    def change(data: Dataset, k: int) -> None:
        for number, group in enumerate(data.PerFrameFunctionalGroupsSequence):
            item = Dataset()
            setattr(item, name, other if number % 2 else one)
            setattr(group, macro, [item])

    return change


def _of_two_thicknesses(data: Dataset, k: int) -> None:
    """Frames of an enhanced object that are thin and thick in turn; the pixel spacing stays shared."""
    shared = data.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    for number, group in enumerate(data.PerFrameFunctionalGroupsSequence):
        item = Dataset()
        item.PixelSpacing, item.SliceThickness = shared.PixelSpacing, 6 if number % 2 else 2
        group.PixelMeasuresSequence = [item]
    del data.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence


def _described(words: str, character_set: str | list[str]) -> Build:
    """A series described in another script."""

    def change(data: Dataset, k: int) -> None:
        data.SpecificCharacterSet, data.SeriesDescription = character_set, words

    return _series(change)


def _described_in_bare_utf8(folder: Path) -> Path:
    """Some archives write UTF-8 and do not say so."""
    series = _described("弥散 ax", "ISO_IR 192")(folder)
    for path in series.iterdir():
        path.write_bytes(path.read_bytes().replace(b"ISO_IR 192", b"ISO_IR 6  "))
    return series


def _set_of_frames(data: Dataset, k: int) -> None:
    """What an enhanced object says of T2: in groups of its frames, not beside the patient."""
    echo, timing, shared = Dataset(), Dataset(), data.SharedFunctionalGroupsSequence[0]
    echo.EffectiveEchoTime, timing.RepetitionTime = 98.0, "4200"
    shared.MREchoSequence, shared.MRTimingAndRelatedParametersSequence = [echo], [timing]


def _small_letters(modality: str) -> Build:
    def build(folder: Path) -> Path:
        series = _set(Modality=modality)(folder)
        for path in series.iterdir():
            old = struct.pack("<HH2sH", 8, 0x60, b"CS", 2) + modality.encode()
            path.write_bytes(path.read_bytes().replace(old, old[:-2] + modality.lower().encode()))
        return series

    return build


def _of_floats(data: Dataset, k: int) -> None:
    """What some programs make of a scan: numbers that are no pixels of a scanner."""
    values = np.frombuffer(data.PixelData, "<u2").astype("<f4")
    del data.PixelData
    data.FloatPixelData, data.BitsAllocated = values.tobytes(), 32


def _class_of_ct(data: Dataset, k: int) -> None:
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    del data.Modality


def _table_of_values(data: Dataset, k: int) -> None:
    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [6000, 0, 16], "US"
    table.LUTData = np.arange(6000)[::-1].astype("<u2").tobytes()
    data.ModalityLUTSequence = [table]


def _mirrored(data: Dataset, k: int) -> None:
    data.PixelRepresentation, data.RescaleSlope, data.RescaleIntercept = 1, "-1", "0"
    data.PixelData = (-np.frombuffer(data.PixelData, "<i2")).tobytes()


def _of_private_part(data: Dataset, part: int) -> None:
    """One vendor writes the part of the signal beside the same image type for all."""
    data.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    data.add_new(0x00430010, "LO", "GEMS_PARM_01")
    data.add_new(0x0043102F, "SS", part)


def _of_private_parts(data: Dataset, k: int) -> None:
    _of_private_part(data, k % 2)


_ENHANCED_KIND = ("MRImageFrameTypeSequence", "FrameType")
_MAGNITUDE, _PHASE = (["ORIGINAL", "PRIMARY", part, "SE"] for part in "MP")


def _no_slice(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).unlink()


_N = len(sitk.GetArrayFromImage(truth()))


def _replaced(content: bytes) -> Build:
    return _raw(_MIDDLE, lambda _was: content)


def _link_to_nowhere(folder: Path) -> None:
    (folder / "IM0011").unlink()
    (folder / "IM0011").symlink_to("elsewhere")


def _again(folder: Path) -> None:
    """A slice once more, as another object."""
    data = pydicom.dcmread(folder / "IM0003")
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = uid("again")
    data.save_as(folder / "IM0903", enforce_file_format=True)


def _packed_of_nothing(syntax: str, *, whole: bool = False) -> Build:
    """Packed pixels without any, or pixels as they are under a header that says packed."""

    def change(data: Dataset, _k: int) -> None:
        data.file_meta.TransferSyntaxUID = syntax
        pieces = [data.PixelData] if whole else []
        data.PixelData = pydicom.encaps.encapsulate(pieces) if pieces else _NO_PIECE
        data["PixelData"].VR, data["PixelData"].is_undefined_length = "OB", True

    return _series(change)


def _two_blocks(up_mm: float) -> Build:
    """Two volumes, one above the other, under one series identifier."""

    def build(folder: Path) -> Path:
        write_classic(truth(), folder / "series")
        other = truth()
        x, y, z = other.GetOrigin()
        other.SetOrigin((x, y, z + up_mm))
        write_classic(other, folder / "series", echo="7")
        return folder / "series"

    return build


_REFUSED = [
    Row("a slice that is a pointer of Git LFS", _replaced(LFS), "'git lfs pull'"),
    Row(
        "a slice that is a link to nowhere", _and(_series(), _link_to_nowhere), "is a link to a file that is not there"
    ),
    Row("a slope of 1e300", _set(RescaleSlope="1e300", RescaleIntercept="0"), "not numbers"),
    Row("packed pixels without a piece, JPEG 2000", _packed_of_nothing("1.2.840.10008.1.2.4.90"), PIXELS),
    Row("packed pixels without a piece, RLE", _packed_of_nothing(RLELossless), PIXELS),
    Row(
        "plain pixels said to be packed", _packed_of_nothing("1.2.840.10008.1.2.4.90", whole=True), "of the T1Gd series"
    ),
    Row("tilted, and one slice twice", _and(_moved(lambda k: (0, 1.5 * k, 0)), _again), "13 slices at 12 positions"),
    Row("two blocks 30 mm apart as one series", _two_blocks(100), UNEVEN),
    Row("no slice says where it lies", _set(ImagePositionPatient=None, ImageOrientationPatient=None), NO_PLACE),
    Row("one slice without position", _set(_MIDDLE, ImagePositionPatient=None), "1 of 12 slices state no position"),
    Row("one slice without orientation", _set(_MIDDLE, ImageOrientationPatient=None), "1 of 12 slices state no"),
    Row("no pixel spacing", _set(PixelSpacing=None), "12 of 12 slices state no position"),
    Row("an empty position", _set(_MIDDLE, ImagePositionPatient=""), NO_PLACE),
    Row("a position of NaN", _word("0020,0032", b"nan\\nan\\nan"), IMPOSSIBLE),
    Row("a position of infinity", _word("0020,0032", b"inf\\0\\0"), IMPOSSIBLE),
    Row("a position of words", _word("0020,0032", b"left\\up\\far"), DAMAGED),
    Row("a position with an underscore", _word("0020,0032", b"1_0\\2\\3"), DAMAGED),
    Row("a position of two numbers", _word("0020,0032", b"1\\2"), DAMAGED),
    Row("an orientation of NaN", _word("0020,0037", b"nan\\0\\0\\0\\1\\0"), IMPOSSIBLE),
    Row("an orientation of zeros", _set(ImageOrientationPatient=[0] * 6), IMPOSSIBLE),
    Row("an orientation of two parallel axes", _set(ImageOrientationPatient=[1, 0, 0, 1, 0, 0]), IMPOSSIBLE),
    Row("a pixel spacing of 0", _set(PixelSpacing=[0, 0]), IMPOSSIBLE),
    Row("a negative pixel spacing", _set(PixelSpacing=[-3, 4]), IMPOSSIBLE),
    Row(
        "a pixel spacing of NaN",
        _raw(
            _MIDDLE,
            lambda c: c.replace(
                struct.pack("<HH2sH", 0x28, 0x30, b"DS", 4) + b"3\\4 ",
                struct.pack("<HH2sH", 0x28, 0x30, b"DS", 8) + b"nan\\4   ",
            ),
        ),
        IMPOSSIBLE,
    ),
    Row("a pixel spacing of a kilometer", _set(PixelSpacing=["1000000", "1000000"]), "no scanner produces"),
    Row("a slope of 0", _set(RescaleSlope="0", RescaleIntercept="0"), IMPOSSIBLE),
    Row("slices that step sideways", _moved(lambda k: (1.5 * k, 0, 0)), ASIDE),
    Row("a gantry tilted by 10 degrees", _moved(lambda k: (0, 5.5 * np.tan(np.radians(10)) * k, 0)), ASIDE),
    Row("one slice aside", _moved(lambda k: (4.0 * (k == _MIDDLE), 0, 0)), ASIDE),
    Row("a missing slice", _and(_series(), lambda folder: _no_slice(folder, "IM0005")), UNEVEN),
    Row("a missing slice beside a picture", _and(_and(_series(), _picture), lambda f: _no_slice(f, "IM0005")), UNEVEN),
    Row("a slice halfway", _moved(lambda k: (0, 0, 2.5 * (k == _MIDDLE))), "spaced"),
    Row(
        "all slices at one place",
        _moved(lambda k: tuple(-5.5 * k * x for x in truth().GetDirection()[2::3])),
        "at 1 positions",
    ),
    Row("two echoes", _and(_series(), _echo), "24 slices at 12 positions"),
    Row("two series", _and(_series(), _other_series), "2 DICOM series"),
    Row("slices that turn", _set(_MIDDLE, ImageOrientationPatient=[1, 0, 0, 0, 1, 0]), "not parallel"),
    Row("slices of two sizes", _set(_MIDDLE, Rows=10, PixelData=bytes(10 * 24 * 2)), "differ in size"),
    Row("half the slices of two echoes", _every_second(EchoTime=("12", "90")), "differ in echo time"),
    Row("half the slices of two inversions", _every_second(InversionTime=("700", "2500")), "inversion time"),
    Row("half the slices of two repetition times", _every_second(RepetitionTime=("500", "4000")), "repetition time"),
    Row("half the slices of two flip angles", _every_second(FlipAngle=("5", "25")), "flip angle"),
    Row("half the slices of two b-values", _every_second(DiffusionBValue=(0.0, 1000.0)), "b-value"),
    Row("half the slices of two time points", _every_second(TemporalPositionIdentifier=(1, 2)), "time point"),
    Row("half the slices in phase", _every_second(ImageType=(_MAGNITUDE, _PHASE)), "part of the signal"),
    Row(
        "half the slices in phase, by their component",
        _every_second(ComplexImageComponent=("MAGNITUDE", "PHASE")),
        "part of the signal",
    ),
    Row(
        "half the slices in phase, as one vendor calls it",
        _every_second(ImageType=(["ORIGINAL", "PRIMARY", "M_FFE"], ["ORIGINAL", "PRIMARY", "PHASE MAP"])),
        "part of the signal",
    ),
    Row("half the slices in phase, by a private element", _series(_of_private_parts), "part of the signal"),
    Row(
        "half the slices projected",
        _every_second(ImageType=(_MAGNITUDE, ["DERIVED", "PRIMARY", "M", "SE", "MIP"])),
        "differ in image type",
    ),
    Row(
        "half the slices before the agent, said in words",
        _every_second(ContrastBolusAgent=("NONE", "Gadovist")),
        "contrast agent",
    ),
    Row("half the slices before the agent", _every_second(ContrastBolusAgent=("", "Gadovist")), "contrast agent"),
    *(
        Row(f"half the slices of another {what}", _every_second(**{tag: values}), f"differ in {what}")
        for what, tag, values in (
            ("series description", "SeriesDescription", ("T1 pre", "T1 post")),
            ("series number", "SeriesNumber", (5, 6)),
            ("protocol name", "ProtocolName", ("T1", "T1 fs")),
            ("scan option", "ScanOptions", ("PFP", "FS")),
            ("echo number", "EchoNumbers", (1, 2)),
            ("slice thickness", "SliceThickness", (5, 5.5)),
            ("study date", "StudyDate", ("20190102", "20200301")),
            ("acquisition matrix", "AcquisitionMatrix", ([0, 256, 192, 0], [0, 320, 256, 0])),
            ("field strength", "MagneticFieldStrength", (1.5, 3)),
            ("name of the pulse sequence", "SequenceName", ("*se2d1", "*tse2d1_3")),
        )
    ),
    Row("a dog", _set(AnatomicalOrientationType="QUADRUPED"), "shows an animal"),
    Row("floating-point pixels alone", _series(_of_floats), "none with the pixels of a scan"),
    Row("the modality of CT in small letters", _small_letters("CT"), "another modality (CT)"),
    Row(
        "half the slices inverted",
        _every_second(PhotometricInterpretation=("MONOCHROME1", "MONOCHROME2")),
        "black or white",
    ),
    Row("values of a table", _series(_table_of_values), "by a table"),
    Row("values beyond the bits stated", _set(BitsStored=12, HighBit=11), PIXELS),
    Row("enhanced: one of the two files of a volume", _divided((0, _N // 2)), "in 2 files, of which 1"),
    Row(
        "enhanced: frames of two echoes",
        _enhanced(list(range(_N)), _of_frames("MREchoSequence", "EffectiveEchoTime", 12.0, 90.0)),
        "differ in echo time",
    ),
    Row(
        "enhanced: frames of two thicknesses",
        _enhanced(list(range(_N)), _of_two_thicknesses),
        "differ in slice thickness",
    ),
    Row(
        "enhanced: frames of two b-values",
        _enhanced(list(range(_N)), _of_frames("MRDiffusionSequence", "DiffusionBValue", 0.0, 800.0)),
        "b-value",
    ),
    Row(
        "enhanced: frames of two inversions",
        _enhanced(list(range(_N)), _of_frames("MRModifierSequence", "InversionTimes", [700.0], [2500.0])),
        "differ in inversion time",
    ),
    Row(
        "enhanced: half the frames before the agent",
        _enhanced(
            list(range(_N)), _of_frames("ContrastBolusUsageSequence", "ContrastBolusAgentAdministered", "YES", "NO")
        ),
        "differ in contrast agent",
    ),
    Row(
        "enhanced: frames of two time points",
        _enhanced(list(range(_N)), _of_frames("FrameContentSequence", "TemporalPositionIndex", 1, 2)),
        "time point",
    ),
    Row(
        "enhanced: frames of two parts",
        _enhanced(list(range(_N)), _of_frames(*_ENHANCED_KIND, _MAGNITUDE, _PHASE)),
        "part of the signal",
    ),
    Row("two pixel spacings", _set(_MIDDLE, PixelSpacing=[3, 3.9]), "differ in size or pixel spacing"),
    Row("one slice of another patient", _set(_MIDDLE, PatientID="other"), "more than one patient"),
    Row("one slice of another study", _set(_MIDDLE, StudyInstanceUID="1.2.3"), "more than one patient or study"),
    Row("numbers of colors", _set(PhotometricInterpretation="PALETTE COLOR"), "color pictures"),
    Row("a mosaic", _set(ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"]), "is a mosaic"),
    Row("two frames of reference", _set(_MIDDLE, FrameOfReferenceUID="1.2.3"), "frame of reference"),
    Row(
        "a single slice",
        _and(_series(), lambda f: _no_slice(f, *(f"IM{k:04d}" for k in range(1, _N)))),
        "two-dimensional",
    ),
    Row("a CT", _set(Modality="CT"), "another modality (CT)"),
    Row("a CT whose modality was removed", _series(_class_of_ct), "another modality (CT)"),
    Row("one CT slice among MR", _set(_MIDDLE, Modality="CT"), "another modality (CT)"),
    Row(
        "localizers only",
        _set(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], ImagePositionPatient=None),
        "localizer images only",
    ),
    Row(
        "captures only",
        _and(_and(_series(), _capture), lambda f: _no_slice(f, *(f"IM{k:04d}" for k in range(_N)))),
        "screen captures",
    ),
    Row("an index of a disc only", _and(lambda f: f, _disc_index), "no DICOM images"),
    Row("notes only", _and(lambda f: f, lambda f: (f / "notes.txt").write_text("a" * 400)), "no DICOM images"),
    Row("a .dcm file without a byte", _and(_series(), lambda f: (f / "x.dcm").touch()), DAMAGED),
    Row("a .dcm file of text", _and(_series(), lambda f: (f / "x.dcm").write_text("x" * 500)), DAMAGED),
    Row("a slice cut in its pixels", _raw(_MIDDLE, lambda c: c[:-100]), DAMAGED),
    Row("a slice cut in its header", _raw(_MIDDLE, lambda c: c[:300]), DAMAGED),
    Row("fewer pixels than stated", _set(_MIDDLE, PixelData=bytes(200)), PIXELS),
    Row("more pixels than stated", _set(_MIDDLE, PixelData=bytes(2000)), PIXELS),
    Row("65535 rows", _set(Rows=65535, Columns=65535), DAMAGED),
    Row("no rows", _set(Rows=0), DAMAGED),
    Row("7 bits a pixel", _set(BitsAllocated=7), DAMAGED),
    Row("more bits stored than there are", _set(BitsStored=20), DAMAGED),
    Row("100,000 nested sequences", _with_element(_nested(100_000)), DAMAGED),
    Row("20 nested sequences", _with_element(_nested(20)), DAMAGED),
    Row("an element of 2.1 GB", _with_element(struct.pack("<HH2sHI", 9, 0x1001, b"OB", 0, 2_100_000_000)), DAMAGED),
    Row("a sequence of 4 GB", _with_element(struct.pack("<HH2sHI", 9, 0x1001, b"SQ", 0, 0xFFFFFFFE)), DAMAGED),
    Row("an element of an unknown type", _with_element(struct.pack("<HH2sH", 9, 0x1001, b"??", 0)), DAMAGED),
    Row("400,000 elements", _raw(_MIDDLE, _many_elements), DAMAGED),
    Row("an element twice", _with_element(struct.pack("<HH2sH", 8, 0x60, b"CS", 2) + b"MR"), DAMAGED),
    Row("JPEG that is none", _says("1.2.840.10008.1.2.4.70", b"\xff\xd8 this is no picture " * 9), PIXELS),
    Row("JPEG of nothing", _says("1.2.840.10008.1.2.4.50", bytes(2)), PIXELS),
    Row("JPEG 2000 that is none", _says("1.2.840.10008.1.2.4.90", bytes(range(256))), PIXELS),
    Row("JPEG 2000 of 4 EB in 7 KB", _series(lambda data, k: _of_exabytes(data)), PIXELS),
    Row("JPEG-LS that is none", _says("1.2.840.10008.1.2.4.80", bytes(range(256))), PIXELS),
    Row("RLE that is none", _says(RLELossless), PIXELS),
    Row(
        "an unknown packing",
        _raw(_MIDDLE, lambda c: c.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0")),
        PIXELS,
    ),
    Row("a deflated file, cut", _deflated_cut, DAMAGED),
    Row("a deflated file that unpacks to 140 MB", _deflate_bomb, DAMAGED),
    Row(
        "a number of frames that is a word", _with_element(struct.pack("<HH2sH", 0x28, 8, b"IS", 4) + b"many"), DAMAGED
    ),
    Row(
        "a pipe beside slices of which one misses",
        _and(_and(_series(), lambda f: os.mkfifo(f / "IM0999")), lambda f: _no_slice(f, "IM0005")),
        UNEVEN,
    ),
    Row("enhanced: two volumes", _enhanced([*range(_N), *range(_N)]), "24 slices at 12 positions"),
    Row("enhanced: a missing frame", _enhanced([k for k in range(_N) if k != 5]), UNEVEN),
    Row(
        "enhanced: frames without place", _enhanced(list(range(_N)), _frames_without_place), "12 of 12 slices state no"
    ),
    Row("enhanced: a group less than frames", _enhanced(list(range(_N)), _one_group_less), DAMAGED),
    Row("enhanced: one frame", _enhanced([4]), "two-dimensional"),
]
REFUSED = [Row(f"DICOM: {row.name}", row.build, row.says, PREDICT) for row in _REFUSED]

READ = [
    Row("DICOM", _series()),
    Row("DICOM: folders beside the slices", _and(_series(), lambda folder: (folder / "more").mkdir()), "folders (1)"),
    Row("DICOM: one number for two slices", _set(3, InstanceNumber=5), "instance number of another slice"),
    Row("DICOM: one number for all slices", _set(InstanceNumber=1)),
    Row("DICOM: a picture of the same series", _and(_series(), _picture), LEFT_OUT),
    Row("DICOM: a secondary capture", _and(_series(), _capture), "secondary captures (1)"),
    Row("DICOM: a localizer", _and(_series(), _localizer), "localizer images (1)"),
    Row("DICOM: an object without an image", _and(_series(), _without_image), "objects without an image (1)"),
    Row("DICOM: the index of its disc", _and(_series(), _disc_index), "DICOMDIR files (1)"),
    Row("DICOM: files that operating systems leave", _and(_series(), _left_by_systems), "not DICOM (1)"),
    Row("DICOM: a note", _and(_series(), lambda f: (f / "notes.txt").write_text("a" * 400)), "not DICOM (1)"),
    Row("DICOM: a pipe", _and(_series(), lambda f: os.mkfifo(f / "pipe")), "not DICOM (1)"),
    Row("DICOM: a slice copied", _and(_series(), _copy), "second copies of slices (1)"),
    Row("DICOM: a name that is not UTF-8", _and(_series(), lambda f: (f / "IM0003").rename(f / os.fsdecode(b"\xff")))),
    Row("DICOM: diffusion in Chinese, UTF-8", _described("弥散 ax", "ISO_IR 192"), "弥散"),
    Row("DICOM: diffusion in Chinese, GB18030", _described("弥散 ax", "GB18030"), "弥散"),
    Row("DICOM: diffusion in Chinese, UTF-8 not stated", _described_in_bare_utf8, "弥散"),
    Row("DICOM: diffusion in Japanese", _described("拡散 ax", ["", "ISO 2022 IR 87"]), "拡散"),
    Row("DICOM: diffusion in Korean", _described("확산 ax", ["", "ISO 2022 IR 149"]), "확산"),
    Row("DICOM: a subtraction in Russian", _described("субтракция", "ISO_IR 144"), "субтракция"),
    Row("DICOM: the modality in small letters", _small_letters("MR")),
    Row("DICOM: implicit types", _encoded(ImplicitVRLittleEndian)),
    Row("DICOM: big-endian", _big_endian),
    Row("DICOM: deflated", _encoded(DeflatedExplicitVRLittleEndian)),
    Row("DICOM: packed by RLE", _packed(RLELossless)),
    Row("DICOM: without its first part", _without_first_part),
    Row("DICOM: MONOCHROME1", _series(_inverted)),
    Row("DICOM: a slope for each slice", _series(_rescaled)),
    Row("DICOM: a negative slope", _series(_mirrored), "bright and dark are swapped"),
    Row(
        "DICOM: slices twice as far apart as stated",
        _set(SpacingBetweenSlices="2.75", SliceThickness="2.5"),
        "slices may be missing",
    ),
    Row("DICOM: slices as far apart as thickness and gap", _set(SpacingBetweenSlices="0.5", SliceThickness="5")),
    Row("DICOM: slices that overlap", _set(SpacingBetweenSlices="5.5", SliceThickness="8")),
    Row(
        "DICOM: no study date, thickness, matrix or field strength in half the slices",
        _every_second(
            StudyDate=("", "20190102"),
            SliceThickness=(None, 5.5),
            AcquisitionMatrix=(None, [0, 256, 192, 0]),
            MagneticFieldStrength=(None, 3),
        ),
    ),
    Row(
        "DICOM: a field strength and a thickness that were rounded",
        _every_second(MagneticFieldStrength=(2.89, 3), SliceThickness=("5.4999", "5.5")),
    ),
    Row("DICOM: ferumoxytol", _set(ContrastBolusAgent="Feraheme"), "Feraheme, not gadolinium"),
    Row("DICOM: no contrast agent, said in words for half the slices", _every_second(ContrastBolusAgent=("", "NONE"))),
    Row("DICOM: phase by its component", _set(ComplexImageComponent="PHASE"), "PHASE"),
    Row("DICOM: phase by a private element", _series(lambda data, k: _of_private_part(data, 1)), "PHASE"),
    Row("DICOM: real part, as inversion recovery has it", _set(ComplexImageComponent="REAL")),
    Row("DICOM: echo times rounded by the scanner", _every_second(EchoTime=("9.03", "9.05"))),
    Row("DICOM: 13 bits and an overlay", _series(_twelve_bits)),
    Row(
        "DICOM: an empty private sequence",
        _with_element(_nested(1) + struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)),
    ),
    Row("enhanced MR", _enhanced(list(range(_N)))),
    Row("enhanced MR, number of files left blank", _enhanced(list(range(_N)), _blank_number_of_parts)),
    Row("enhanced MR, divided into two files", _divided((0, _N // 2), (_N // 2, _N))),
    Row("enhanced MR, last slice first", _enhanced(list(range(_N))[::-1])),
    Row(
        "enhanced MR, T2 by its frames",
        _enhanced(list(range(_N)), _set_of_frames),
        "header or JSON sidecar contradicts",
    ),
    Row("enhanced MR in no order", _enhanced([int(k) for k in np.random.default_rng(1).permutation(_N)])),
]
