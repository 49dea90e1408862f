"""Write ``constraints.txt`` from what is installed in ``.venv``: users install the tested versions."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

NOT_PINNED = {"pip", "setuptools", "pcnsl-survival"}

HEADER = """\
# Every package that `make demo` and `make test` install, in the versions that passed the tests.
# Written by .ci/pin.py from .venv; serves Python 3.11 to 3.13.
"""


def main() -> None:
    """Pin every installed package to its public version."""
    pins = {}
    for distribution in metadata.distributions():
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        if name not in NOT_PINNED:
            # PyTorch's CPU build is 2.13.0+cpu here and 2.13.0 elsewhere.
            pins[name] = distribution.version.split("+")[0]
    lines = [f"{name}=={version}\n" for name, version in sorted(pins.items())]
    (Path(__file__).resolve().parents[1] / "constraints.txt").write_text(HEADER + "".join(lines))


if __name__ == "__main__":
    main()
