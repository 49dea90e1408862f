"""What this software installs, under which license: a CycloneDX list, a table, and a check of the licenses.

Usage: ``.venv/bin/python .ci/sbom.py OUT.json`` writes the list of the installed packages; ``--table`` prints the rows
of docs/licenses.md. Exit code 1 if a package states no license that this project accepts.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import EXTRACTORS

PROJECT = "pcnsl-survival"
ACCEPTED = re.compile(
    r"\b(Apache|0?BSD|BSL|MIT|MIT-0|MIT-CMU|HPND|ISC|PSF|Python Software Foundation|Zlib|CC0|Unlicense|MPL[ -]2\.0"
    r"|Mozilla Public License 2\.0|LGPL|Public Domain)\b",
    re.IGNORECASE,
)
"""Permissive licenses, and weak copyleft for packages that are installed beside this software and not changed."""

STATED_ELSEWHERE: dict[str, str] = {}
"""Licenses of packages whose metadata names none; read in their license file."""

NETWORKS = [
    {
        "type": "machine-learning-model",
        "name": f"{extractor.package} networks",
        "version": extractor.version,
        "licenses": [{"license": {"id": extractor.license}}],
    }
    for extractor in EXTRACTORS.values()
]
"""Downloaded by ``install-brain-extractor``, checked by SHA-256; not part of the wheel."""


@dataclass(frozen=True)
class Package:
    """One installed distribution."""

    name: str
    version: str
    license: str

    @property
    def accepted(self) -> bool:
        """Whether each license that applies is one of those above."""
        return all(ACCEPTED.search(part) for part in re.split(r"\band\b", self.license, flags=re.IGNORECASE))


def closure(project: str, extras: set[str]) -> list[Package]:
    """The installed packages that a project needs on this system, by name.

    Args:
        project: Name of an installed distribution; it is not part of the answer.
        extras: Optional dependencies to include.
    """
    waiting, seen = [(project, frozenset(extras))], set()
    found: dict[str, Package] = {}
    while waiting:
        name, wanted = waiting.pop()
        if (normal(name), wanted) in seen:
            continue
        seen.add((normal(name), wanted))
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if normal(name) != normal(project):
            found[normal(name)] = Package(distribution.metadata["Name"], distribution.version, license_of(distribution))
        for line in distribution.requires or []:
            requirement = Requirement(line)
            if any(
                requirement.marker is None or requirement.marker.evaluate({"extra": extra})
                for extra in (wanted or {""}) | {""}
            ):
                waiting.append((requirement.name, frozenset(requirement.extras)))
    return [found[name] for name in sorted(found)]


def license_of(distribution: metadata.Distribution) -> str:
    """What the package's metadata states: an SPDX expression, classifiers, or the first line of the license text."""
    fields = distribution.metadata
    if expression := fields.get("License-Expression"):
        return expression
    classifiers = [
        line.rsplit(" :: ", 1)[-1] for line in fields.get_all("Classifier") or [] if line.startswith("License ::")
    ]
    named = [name for name in classifiers if name != "OSI Approved"]
    if named:
        return " or ".join(named)
    text = (fields.get("License") or "").strip()
    return STATED_ELSEWHERE.get(normal(fields["Name"]), text.splitlines()[0][:80] if text else "not stated")


def normal(name: str) -> str:
    """A package name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def cyclonedx(packages: list[Package]) -> dict:
    """A software bill of materials, CycloneDX 1.5."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "name": PROJECT,
                "version": metadata.version(PROJECT),
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [
            *NETWORKS,
            *(
                {
                    "type": "library",
                    "name": package.name,
                    "version": package.version,
                    "purl": f"pkg:pypi/{normal(package.name)}@{package.version}",
                    "licenses": [{"license": {"name": package.license}}],
                }
                for package in packages
            ),
        ],
    }


def main(arguments: list[str] | None = None) -> int:
    """Write the list, or print the table; say which licenses are not accepted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", help="file of the CycloneDX list")
    parser.add_argument("--table", action="store_true", help="print the rows of docs/licenses.md")
    args = parser.parse_args(arguments)
    needed = {package.name for package in closure(PROJECT, set())}
    packages = closure(PROJECT, {"phantoms", "onnx", "training", "cluster", "export", "research"})
    if args.table:
        for package in packages:
            used = "prediction" if package.name in needed else "optional"
            print(f"| {package.name} | {package.license} | {used} |")
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(cyclonedx(packages), indent=2) + "\n", encoding="utf-8")
        print(f"{len(packages)} packages listed")
    refused = [package for package in packages if not package.accepted]
    for package in refused:
        print(f"license to check: {package.name} {package.version}: {package.license}", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
