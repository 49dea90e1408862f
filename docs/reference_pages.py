"""Text of the reference pages that is read from the code: commands, public API, prediction.json, experiment file."""

from __future__ import annotations

import argparse
import inspect
import json
import os
import sys
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from sphinx.pycode import ModuleAnalyzer

import PCNSLSurvivalLib
from PCNSLSurvivalLib.cli.__main__ import command_line_parser
from PCNSLSurvivalLib.core.options import option_of
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.inference.case_options import CaseOptions
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.preprocessing.scan_state import ScanState
from PCNSLSurvivalLib.training.data.augmentation import AugmentationSettings
from PCNSLSurvivalLib.training.settings import TrainingSettings

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Testing" / "benchmarks"))

from kept_tables import FIGURES, markdown  # noqa: E402 — the path above comes first


def figures(name: str) -> str:
    """The table that a benchmark kept.

    Raises:
        FileNotFoundError: No run was kept: ``python Testing/benchmarks/….py --keep``.
    """
    return markdown(json.loads((FIGURES / f"{name}.json").read_text(encoding="utf-8")))


def commands() -> str:
    """The help of every command, under one heading each."""
    os.environ["COLUMNS"] = "100"
    parser = command_line_parser()
    return "\n".join(_help(name, command) for name, command in _subcommands(parser))


def case_options() -> str:
    """One row per option of ``predict_case``, from the fields of ``CaseOptions``."""
    written = inspect.get_annotations(ScanState) | inspect.get_annotations(CaseOptions)
    kinds = get_type_hints(CaseOptions)
    rows = ["| option | type | default | meaning |", "|---|---|---|---|"]
    for one in fields(CaseOptions):
        told, kind = option_of(one), kinds[one.name]
        words = [f"`{word!r}`" for word in told.choices or get_args(kind)] if get_origin(kind) is Literal else []
        shown = ", ".join(words) or f"`{_cell(written[one.name])}`"
        rows.append(f"| `{one.name}` | {shown} | `{one.default!r}` | {_cell(told.help)} |")
    return "\n".join(rows)


def _help(name: str, command: argparse.ArgumentParser) -> str:
    parts = [f"## `{name}`\n", f"```text\n{command.format_help()}```\n"]
    parts += [f"```text\n{action.format_help()}```\n" for _, action in _subcommands(command)]
    return "\n".join(parts)


def _subcommands(parser: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return list(groups[0].choices.items()) if groups else []


def public_api() -> str:
    """Every public name, functions before values and types."""
    functions, types = [], []
    for name in PCNSLSurvivalLib.__all__:
        value = getattr(PCNSLSurvivalLib, name)
        if inspect.isclass(value):
            types += [f".. autoclass:: {value.__module__}.{name}", "   :members:", ""]
        elif callable(value):
            functions += [f".. autofunction:: {value.__module__}.{name}", ""]
    return "\n".join(["```{eval-rst}", *functions, *types, "```"])


def prediction_fields() -> str:
    """One row per entry of prediction.json, from its schema."""
    schema = json.loads((ROOT / "PCNSLSurvivalLib/results/prediction.schema.json").read_text(encoding="utf-8"))
    rows = ["| entry | type | meaning |", "|---|---|---|"]

    def add(node: dict[str, Any], prefix: str) -> None:
        for name, entry in node.get("properties", {}).items():
            target = entry
            if "$ref" in entry:
                target = {**schema["$defs"][entry["$ref"].rpartition("/")[2]], **entry}
            rows.append(f"| `{prefix}{name}` | {_type(target)} | {_cell(target.get('description', ''))} |")
            add(target, f"{prefix}{name}.")
            if isinstance(target.get("additionalProperties"), dict):
                add(target["additionalProperties"], f"{prefix}{name}.*.")

    add(schema, "")
    return "\n".join(rows)


def _type(entry: dict[str, Any]) -> str:
    if "const" in entry:
        return f"`{json.dumps(entry['const'])}`"
    if "enum" in entry:
        return ", ".join(f"`{json.dumps(value)}`" for value in entry["enum"])
    if "oneOf" in entry or "anyOf" in entry:
        return " or ".join(_type(part) for part in entry.get("oneOf", entry.get("anyOf")))
    kind = entry.get("type", "object")
    return " or ".join(kind) if isinstance(kind, list) else kind


def experiment_entries() -> str:
    """One table per group of settings, with defaults and the documentation that stands at each setting."""
    groups = [
        ("`training`, `pretraining`, `finetuning`", TrainingSettings),
        ("`augmentation` within a training", AugmentationSettings),
        ("`network`", ResNetArchitecture),
        ("`network_grid`", NetworkGridStep),
    ]
    given_once = {"architecture", "grid", "seed", "threshold_days"}
    network = ExperimentPlan().to_json()["network"]
    text = [f"Without an entry `network`, it is `{json.dumps(network)}`.\n"]
    for title, group in groups:
        documented = _documentation(group)
        text += [f"### {title}\n", "| entry | default | meaning |", "|---|---|---|"]
        for entry in fields(group):
            if (group is TrainingSettings and entry.name in given_once) or entry.name == "time_head":
                continue
            default = entry.default if entry.default is not MISSING else None
            if entry.default_factory is not MISSING:
                shown = "see below"
            else:
                shown = "required" if entry.default is MISSING else f"`{json.dumps(default)}`"
            text.append(f"| `{entry.name}` | {shown} | {_cell(documented.get(entry.name, ''))} |")
        text.append("")
    return "\n".join(text)


def _documentation(group: type) -> dict[str, str]:
    """The text at each field: the string below it, or its line under "Attributes:" of the class."""
    analyzer = ModuleAnalyzer.for_module(group.__module__)
    found = {
        name: " ".join(text) for (owner, name), text in analyzer.find_attr_docs().items() if owner == group.__name__
    }
    name = None
    _, _, attributes = (inspect.getdoc(group) or "").partition("Attributes:\n")
    for line in attributes.splitlines():
        if not line.strip():
            break
        head, colon, rest = line.strip().partition(": ")
        if line.startswith("    ") and not line.startswith("     ") and colon and head.isidentifier():
            name, found[head] = head, rest
        elif name:
            found[name] += " " + line.strip()
    return found


def _cell(text: str) -> str:
    return " ".join(text.replace("``", "`").replace("|", "\\|").split())


GENERATED = {
    "commands": commands,
    "public_api": public_api,
    "case_options": case_options,
    "prediction_fields": prediction_fields,
    "experiment_entries": experiment_entries,
}
