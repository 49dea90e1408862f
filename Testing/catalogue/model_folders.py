"""Model folders as they may be given: damaged, tampered, hostile, or none; for the command line and the panel."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from catalogue.rows import Build, Row
from PCNSLSurvivalLib.models.model_folder import METADATA, bundled_model_path

_CHECK = ("model", "check", "{}")
_WEIGHTS = "models/member_0.safetensors"


def _hard_link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)


def _folder(change: Callable[[Path], None]) -> Build:
    """A copy of the bundled model, changed; the large files are hard links until they are replaced."""

    def build(folder: Path) -> Path:
        model = folder / "model"
        shutil.copytree(bundled_model_path(), model, copy_function=_hard_link)
        for path in (model / METADATA, model / _WEIGHTS):
            content = path.read_bytes()
            path.unlink()
            path.write_bytes(content)
        change(model)
        return model

    return build


def _metadata(change: Callable[[dict[str, Any]], object]) -> Build:
    def rewrite(model: Path) -> None:
        content = json.loads((model / METADATA).read_text(encoding="utf-8"))
        change(content)
        (model / METADATA).write_text(json.dumps(content), encoding="utf-8")

    return _folder(rewrite)


def _ours(change: Callable[[dict[str, Any]], object]) -> Build:
    return _metadata(lambda content: change(content["pcnsl_survival"]))


def _text(change: Callable[[str], str]) -> Build:
    def rewrite(model: Path) -> None:
        (model / METADATA).write_text(change((model / METADATA).read_text(encoding="utf-8")), encoding="utf-8")

    return _folder(rewrite)


def _pipe(model: Path) -> None:
    (model / METADATA).unlink()
    os.mkfifo(model / METADATA)


def _link(model: Path) -> None:
    (model / _WEIGHTS).unlink()
    (model / _WEIGHTS).symlink_to(bundled_model_path() / _WEIGHTS)


def _grown(model: Path) -> None:
    with (model / _WEIGHTS).open("ab") as stream:
        stream.truncate(10 << 30)  # a hole: no disk is used


def _grid(ours: dict[str, Any]) -> None:
    ours["preprocessing"]["network_grid"]["size"] = [10_000, 10_000, 10_000]


def _long_number(ours: dict[str, Any]) -> None:
    ours["preprocessing"]["resampling"]["spacing_mm"][0] = 10**400


def _long_limit(stored: dict[str, Any]) -> None:
    stored["cases"] = 10**400


def _listed_again(name: str, change: Callable[[dict[str, Any]], object]) -> Build:
    """One JSON file changed, and its new size and checksum in the metadata, as a careful forger does."""

    def rewrite(model: Path) -> None:
        content = json.loads((model / name).read_text(encoding="utf-8"))
        change(content)
        (model / name).unlink()
        (model / name).write_text(json.dumps(content), encoding="utf-8")
        metadata = json.loads((model / METADATA).read_text(encoding="utf-8"))
        written = (model / name).read_bytes()
        entry = {"bytes": len(written), "sha256": hashlib.sha256(written).hexdigest()}
        metadata["pcnsl_survival"]["files"][name] = entry
        (model / METADATA).write_text(json.dumps(metadata), encoding="utf-8")

    return _folder(rewrite)


def _empty(folder: Path) -> Path:
    (folder / "model").mkdir()
    return folder / "model"


def _a_file(folder: Path) -> Path:
    (folder / "model").write_text("model")
    return folder / "model"


REFUSED = [
    Row(f"model: {name}", build, says, _CHECK)
    for name, build, says in (
        ("an empty folder", _empty, "metadata.json"),
        ("a file", _a_file, "model"),
        ("nothing there", lambda folder: folder / "model", "model"),
        ("no metadata", _folder(lambda m: (m / METADATA).unlink()), "holds no configs/metadata.json"),
        ("a pipe as metadata", _folder(_pipe), "holds a link"),
        ("metadata cut", _text(lambda text: text[:-300]), "not valid JSON"),
        ("metadata nested without end", _text(lambda text: "[" * 100_000), "not valid JSON"),
        ("metadata of 20 MB", _text(lambda text: text + " " * 20_000_000), "larger than 1 MB"),
        ("a list as metadata", _text(lambda text: "[]"), "does not hold one JSON object"),
        ("a key twice", _text(lambda text: text.replace("{", '{"name": "other", ', 1)), "duplicate key"),
        ("NaN in metadata", _ours(lambda ours: ours["calibration"].update(temperature=float("nan"))), "not valid JSON"),
        ("a number of 400 digits", _ours(lambda ours: ours.update(decision_threshold=10**400)), "not valid JSON"),
        ("a recipe's number of 400 digits", _ours(_long_number), "not valid JSON"),
        ("1e400", _text(lambda text: re.sub(r"(\"temperature\": )[0-9.]+", r"\g<1>1e400", text)), "not valid JSON"),
        ("familiarity of 400 digits", _listed_again("configs/familiarity.json", _long_limit), "not valid JSON"),
        ("a temperature of 0", _ours(lambda ours: ours["calibration"].update(temperature=0)), "'temperature'"),
        ("a threshold of 1.5", _ours(lambda ours: ours.update(decision_threshold=1.5)), "'decision_threshold'"),
        (
            "sequences out of order",
            _ours(lambda ours: ours.update(sequences=["t1gd", "t1"])),
            "number of its sequences",
        ),
        (
            "a network of code",
            _metadata(lambda m: m.update(network_def={"_target_": "os.system"})),
            "'network_def' is unknown",
        ),
        (
            "a builder of code",
            _ours(lambda ours: ours["network"].update(builder="os.system")),
            "name and arguments disagree",
        ),
        ("a name that leads out", _metadata(lambda m: m.update(name="../../elsewhere")), "not a plain word"),
        ("a grid of 10^12 voxels", _ours(_grid), "size of the step network_grid"),
        (
            "a member elsewhere",
            _ours(lambda ours: ours.update(members=["../member_0.safetensors"])),
            "members are not named",
        ),
        ("another format", _ours(lambda ours: ours.update(format_version=99)), "format version"),
        ("a script beside", _folder(lambda m: (m / "run.py").write_text("print()")), "does not list ('run.py')"),
        ("weights gone", _folder(lambda m: (m / _WEIGHTS).unlink()), "is missing"),
        ("weights cut", _folder(lambda m: os.truncate(m / _WEIGHTS, 1000)), "size differs"),
        ("weights of 10 GB", _folder(_grown), "size differs"),
        ("weights that are a link", _folder(_link), "holds a link"),
    )
]
