"""Build wheel and source archive, and try the wheel as a stranger would: ``make release-check``.

The archives are written to ``dist/``. The wheel is built from the source archive, so a file that the archive lacks is
noticed. It is installed into an empty environment outside the repository and predicts the demonstration patient there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import environment

ROOT = environment.ROOT
DIST = ROOT / "dist"


def main() -> None:
    """Build, check and try the archives."""
    shutil.rmtree(DIST, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="pcnsl-release-") as folder:
        place = Path(folder)
        tools = make_venv(place / "tools")
        listed = ["--require-hashes", "-r", ROOT / "requirements" / "release.txt"]
        environment.run([tools, "-m", "pip", *environment.INSTALL, *listed])
        environment.run([tools, "-m", "build", "--no-isolation", "--outdir", DIST, ROOT])
        environment.run([tools, "-m", "twine", "check", "--strict", *DIST.iterdir()])
        try_wheel(next(DIST.glob("*.whl")), place)
    environment.say(f"{', '.join(sorted(path.name for path in DIST.iterdir()))} can be released")


def try_wheel(wheel: Path, place: Path) -> None:
    """Install the wheel and predict the demonstration patient, with the repository out of sight."""
    python = make_venv(place / "empty")
    environment.install_torch(place / "empty")
    environment.run([python, "-m", "pip", *environment.INSTALL, f"{wheel}[phantoms]"])
    command = python.parent / "pcnsl-survival"
    elsewhere = {"cwd": place, "check": True, "env": {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}}
    where = [python, "-c", "import PCNSLSurvivalLib; print(PCNSLSurvivalLib.__file__)"]
    found = subprocess.run(where, capture_output=True, text=True, **elsewhere).stdout
    if not Path(found.strip()).is_relative_to(place):
        environment.stop("the library was not imported from the wheel")
    subprocess.run([command, "install-brain-extractor"], **elsewhere)
    subprocess.run([command, "demo", "--out", "result", "--progress", "none"], **elsewhere)
    prediction = json.loads((place / "result" / "prediction.json").read_text(encoding="utf-8"))
    environment.say(f"the wheel gives the demonstration patient {prediction['probability_over_one_year']:.3f}")


def make_venv(folder: Path) -> Path:
    """An empty environment; returns its Python."""
    environment.run([sys.executable, "-m", "venv", folder])
    return folder / "bin" / "python"


if __name__ == "__main__":
    main()
