"""``pcnsl-survival demo --scans-only`` says which scans it wrote, and where."""

from types import SimpleNamespace

import SimpleITK as sitk

from PCNSLSurvivalLib import phantoms
from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.terms import MRSequence


def test_the_scans_are_named_with_their_folder(tmp_path, monkeypatch, capsys):
    scans = {sequence: sitk.Image(4, 4, 4, sitk.sitkFloat32) for sequence in (MRSequence.T1GD, MRSequence.T1)}
    monkeypatch.setattr(phantoms, "demonstration_patient", lambda: SimpleNamespace(scans=scans))
    assert main(["demo", "--scans-only", "--out", str(tmp_path / "scans")]) == 0
    assert {path.name for path in (tmp_path / "scans").iterdir()} == {"t1.nii.gz", "t1gd.nii.gz"}
    assert capsys.readouterr().out.endswith(f"Wrote t1.nii.gz, t1gd.nii.gz to {tmp_path / 'scans'}.\n")
