"""Names of the activation maps that can be computed."""

from __future__ import annotations

from typing import Literal, get_args

Method = Literal["grad_cam", "hires_cam", "layer_cam"]
METHODS: tuple[Method, ...] = get_args(Method)
