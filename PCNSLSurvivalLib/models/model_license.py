"""Under which license a model folder is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ModelLicense:
    """The license of a model folder.

    Attributes:
        name: For metadata, card and report.
        text: The folder's LICENSE file.
    """

    name: str
    text: str


APACHE = ModelLicense(
    name="Apache-2.0", text="Apache License, Version 2.0. See http://www.apache.org/licenses/LICENSE-2.0\n"
)
"""Of a model trained from random weights, or from weights of this project."""
