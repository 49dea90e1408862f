"""Tables of names as others write them, and those that are refused."""

from __future__ import annotations

import pytest

from PCNSLSurvivalLib.atlas.name_table import read_names
from PCNSLSurvivalLib.core.errors import AtlasError

BIDS = (
    "index\tname\tabbreviation\tcolor\n0\tbackground\tbg\t#000000\n1002\tleft caudal anterior cingulate\tlCAC\t#7d6\n"
)


def _read(tmp_path, content, name="names.txt"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_names(path)


@pytest.mark.parametrize(
    ("content", "file", "names"),
    [
        (BIDS, "atlas-DKT31_dseg.tsv", {1002: "left caudal anterior cingulate"}),
        ("name\tindex\r\nThalamus\t7\r\n", "made_dseg.tsv", {7: "Thalamus"}),
        ("#No. Label Name: R G B A\n\n0 Unknown 0 0 0 0\n 10  Left-Thalamus  0 118 14 0\n", "FreeSurferColorLUT.txt",
         {10: "Left-Thalamus"}),
        ("# Color table file made.ctbl\n0 Background 0 0 0 0\n1 Region_1 255 0 0 255\n", "made.ctbl", {1: "Region_1"}),
        ("1 Precentral_L 2001\n2 Precentral_R 2002\n", "aal.nii.txt", {1: "Precentral_L", 2: "Precentral_R"}),
        ("\ufeff1 Hirnstamm-Brücke\n", "names.txt", {1: "Hirnstamm-Brücke"}),
        ("1 <b>bold</b>\n", "names.txt", {1: "<b>bold</b>"}),
    ],
    ids=["BIDS", "other columns", "FreeSurfer", "Slicer", "MRIcron", "UTF-8", "tags are text"],
)  # fmt: skip
def test_plain_tables_are_read(tmp_path, content, file, names):
    assert _read(tmp_path, content, file) == names


@pytest.mark.parametrize(
    ("content", "file", "code", "values"),
    [
        ("1 Left thalamus\n", "n.txt", "atlas.table", {"line": 1}),
        ("1 A 1 2 3\n2 255 0 0 255 1 1 1\n", "n.txt", "atlas.table", {"line": 2}),
        ("one Thalamus\n", "n.txt", "atlas.table", {"line": 1}),
        ("-1 Thalamus\n", "n.txt", "atlas.table", {"line": 1}),
        ("1.5 Thalamus\n", "n.txt", "atlas.table", {"line": 1}),
        ("٣ Thalamus\n", "n.txt", "atlas.table", {"line": 1}),
        ("99999999999 Thalamus\n", "n.txt", "atlas.table", {"line": 1}),
        (f"1 {'x' * 121}\n", "n.txt", "atlas.table", {"line": 1}),
        ("1 a\u202eb\n", "n.txt", "atlas.table", {"line": 1}),
        ("1 a\x1b[31mb\n", "n.txt", "atlas.table", {"line": 1}),
        ("index\tname\n1\t\n", "n.tsv", "atlas.table", {"line": 2}),
        ("index\tname\n1\n", "n.tsv", "atlas.table", {"line": 2}),
        ("index\tlabel\n1\tThalamus\n", "n.tsv", "atlas.table", {"line": 1}),
        ("index\tname\tname\n1\tA\tB\n", "n.tsv", "atlas.table", {"line": 1}),
        ('index\tname\n1\t"Thal\n', "n.tsv", "atlas.table", {"line": 1}),
        ("1 A\n1 B\n", "n.txt", "atlas.table_double", {"label": 1}),
        ("01 A\n1 B\n", "n.txt", "atlas.table_double", {"label": 1}),
        ("0 Background\n", "n.txt", "atlas.table_empty", {}),
        ("", "n.tsv", "atlas.table", {"line": 1}),
        (b"1 Th\xe4lamus\n", "n.txt", "atlas.table_text", {"megabytes": 1}),
        (b"1 A\0B\n", "n.txt", "atlas.table_text", {"megabytes": 1}),
        (b"1 A\n" * 300_000, "n.txt", "atlas.table_text", {"megabytes": 1}),
    ],
)
def test_a_table_that_could_be_misread_is_refused_with_its_line(tmp_path, content, file, code, values):
    with pytest.raises(AtlasError) as error:
        _read(tmp_path, content, file)
    assert (error.value.message.code, dict(error.value.message.values)) == (code, values)
