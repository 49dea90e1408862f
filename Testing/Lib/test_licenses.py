"""The list of packages and licenses is complete, and a license that is not accepted is noticed."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import EXTRACTORS

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("sbom", ROOT / ".ci" / "sbom.py")
sbom = importlib.util.module_from_spec(_spec)
sys.modules["sbom"] = sbom
_spec.loader.exec_module(sbom)


def test_the_list_holds_what_prediction_needs_and_no_tool_of_the_tests():
    names = {sbom.normal(package.name) for package in sbom.closure(sbom.PROJECT, set())}
    assert {"numpy", "simpleitk", "scipy", "tqdm", "jinja2", "markupsafe", "torch"} <= names
    assert not {"pytest", "mypy", "monai", "matplotlib", sbom.PROJECT} & names


def test_every_package_of_the_list_is_in_the_document():
    document = (ROOT / "docs" / "licenses.md").read_text(encoding="utf-8")
    listed = {sbom.normal(name) for name in re.findall(r"^\| ([\w.-]+) \|", document, flags=re.MULTILINE)}
    needed = {sbom.normal(package.name) for package in sbom.closure(sbom.PROJECT, set())}
    assert needed <= listed


def test_the_bill_of_materials_names_versions_and_the_networks(tmp_path):
    assert sbom.main([str(tmp_path / "sbom.json")]) == 0
    bill = json.loads((tmp_path / "sbom.json").read_text(encoding="utf-8"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    by_name = {component["name"]: component for component in bill["components"]}
    assert re.fullmatch(r"pkg:pypi/torch@[\w.+]+", by_name["torch"]["purl"])
    assert by_name["deepbet networks"]["licenses"] == [{"license": {"id": "MIT"}}]


def test_every_brain_extractor_is_in_the_document_with_its_license():
    document = (ROOT / "docs" / "licenses.md").read_text(encoding="utf-8")
    for extractor in EXTRACTORS.values():
        assert re.search(
            rf"^\| {re.escape(extractor.title)}\b.* \| {re.escape(extractor.license)} \|", document, re.MULTILINE
        )


@pytest.mark.parametrize("named", ["not stated", "GPL-3.0-only", "Proprietary", "AGPL-3.0", "MIT AND GPL-3.0-only"])
def test_other_licenses_are_not_accepted(named):
    assert not sbom.Package("x", "1", named).accepted


@pytest.mark.parametrize("named", ["MIT License", "BSD-3-Clause", "Apache Software License", "MPL-2.0 AND MIT"])
def test_permissive_licenses_are_accepted(named):
    assert sbom.Package("x", "1", named).accepted
