"""What is told of the preparation of a scan: brain, bias field, alignment, recipe."""

from __future__ import annotations

TEMPLATES: dict[str, str] = {}
