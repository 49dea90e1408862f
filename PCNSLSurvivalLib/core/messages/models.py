"""What is told of models, their folders, and of how like a scan is to those a model was trained on."""

from __future__ import annotations

TEMPLATES: dict[str, str] = {}
