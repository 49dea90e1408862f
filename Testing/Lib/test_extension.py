"""The entry for Slicer's extension catalogue, the build file and the files they name agree."""

import json
import os
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = {  # version 1.0.1, in our words
    "type": "object",
    "required": ["$schema", "category", "scm_url"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": "https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/"
                    "slicer-extension-catalog-entry-schema-v1.0.1.json#"},
        "category": {"enum": ["Analysis", "Neuroimaging", "Quantification", "Segmentation"]},
        "scm_url": {"type": "string", "pattern": r"/Slicer[A-Za-z]+\.git$"},
        "scm_revision": {"type": "string"},
        "scm_type": {"enum": ["git", "local"]},
        "build_dependencies": {"type": "array", "items": {"type": "string"}},
        "build_subdirectory": {"type": "string"},
        "enabled": {"type": "boolean"},
        "tier": {"enum": [1, 3, 5]},
    },
}  # fmt: skip


def _entry():
    text = (ROOT / "PCNSLSurvival.json").read_bytes()
    assert b"\r" not in text
    return json.loads(text)


def _set(name):
    (value,) = re.findall(
        rf'set\(EXTENSION_{name} "?([^")]*)"?\)', (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    )
    return value


def test_the_entry_follows_the_schema():
    jsonschema.validate(_entry(), SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**_entry(), "tier": 2}, SCHEMA)


def test_the_entry_and_the_build_file_agree():
    entry = _entry()
    assert _set("DEPENDS").split() == entry["build_dependencies"]
    assert _set("CATEGORY") == entry["category"]
    assert int(_set("TIER")) == entry["tier"]
    assert _set("HOMEPAGE") + ".git" == entry["scm_url"]
    assert "Research use only" in _set("DESCRIPTION")


def test_the_addresses_name_pictures_of_this_repository():
    start = _set("HOMEPAGE").replace("github.com", "raw.githubusercontent.com") + f"/{_entry()['scm_revision']}/"
    icon, *screenshots = [_set("ICONURL"), *_set("SCREENSHOTURLS").split()]
    assert screenshots
    for address in (icon, *screenshots):
        assert address.startswith(start)
        with Image.open(ROOT / address.removeprefix(start)) as picture:
            picture.verify()
    with Image.open(ROOT / icon.removeprefix(start)) as picture:
        assert picture.size == (128, 128)


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_the_script_runs_the_module_tests_in_the_slicer_that_is_named(tmp_path):
    fake = tmp_path / "Slicer"
    fake.write_text('#!/bin/sh\nfor word in "$@"; do echo "<$word>"; done\nexit 7\n', encoding="utf-8")
    fake.chmod(0o755)
    script = str(ROOT / "Testing" / "Slicer" / "run.sh")
    environment = {**os.environ, "DISPLAY": ":0"}
    done = subprocess.run([script, str(fake), "--no-main-window"], capture_output=True, text=True, env=environment)
    words = done.stdout.splitlines()
    assert done.returncode == 7, "the exit code of Slicer is the script's"
    assert words[:3] == ["<--testing>", "<--no-splash>", "<--no-main-window>"]
    assert words[4] == f"<{ROOT / 'PCNSLSurvival'}>"
    code = words[-1][1:-1]
    compile(code, "code", "exec")
    assert "runUnitTest" in code
    assert subprocess.run([script, str(tmp_path / "absent")], capture_output=True).returncode == 2


def test_the_workflows_name_only_files_that_are_there():
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        for named in re.findall(r"(?:\.ci|Testing)/[\w./-]+", workflow.read_text(encoding="utf-8")):
            assert (ROOT / named).exists(), f"{workflow.name}: {named}"
