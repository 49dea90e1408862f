"""Cut the recorded inventories down to what the tests need: ``python reduce_records.py FOLDER_WITH_FACTS``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

CLASSES = [
    "QApplication",
    "QBrush",
    "QCheckBox",
    "QColor",
    "QComboBox",
    "QDesktopServices",
    "QDialog",
    "QEventLoop",
    "QFileDialog",
    "QFont",
    "QFormLayout",
    "QFrame",
    "QGridLayout",
    "QHBoxLayout",
    "QIcon",
    "QImage",
    "QKeyEvent",
    "QKeySequence",
    "QLabel",
    "QLineEdit",
    "QMainWindow",
    "QMessageBox",
    "QMouseEvent",
    "QObject",
    "QPainter",
    "QPalette",
    "QPen",
    "QPixmap",
    "QPoint",
    "QProcess",
    "QProcessEnvironment",
    "QProgressBar",
    "QPushButton",
    "QRect",
    "QScrollArea",
    "QSettings",
    "QShortcut",
    "QSize",
    "QSizePolicy",
    "QSlider",
    "QSpacerItem",
    "QSpinBox",
    "QStyle",
    "QTableWidget",
    "QTableWidgetItem",
    "QTimer",
    "QToolButton",
    "QUrl",
    "QVBoxLayout",
    "QWidget",
    "ctkCollapsibleButton",
    "ctkSliderWidget",
    "ctkPathLineEdit",
    "qMRMLNodeComboBox",
    "qMRMLWidget",
    "qSlicerWidget",
    "qMRMLSliderWidget",
    "ctkDoubleSpinBox",
    "QHeaderView",
    "QAbstractItemView",
    "QDoubleSpinBox",
    "ctkSettings",
    "qSlicerApplication",
]
APP_OBJECTS = ("slicer.app", "slicer.app.layoutManager()", "slicer.app.ioManager()", "scripted module widget .parent")


def reduced(api: dict[str, Any]) -> dict[str, Any]:
    """The part of the inventory that the stand-in and the contract tests read."""
    meta: dict[str, Any] = {}
    for name in CLASSES:
        current: str | None = name
        while current and current in api["qt_meta"]:
            entry = api["qt_meta"][current]
            meta[current] = {
                "base": entry.get("base"),
                "properties": {
                    key: [value["type"], value["writable"]] for key, value in entry.get("properties", {}).items()
                },
                "signals": entry.get("signals", []),
            }
            current = entry.get("base")
    classes: dict[str, Any] = {}
    for name in CLASSES:
        current = name
        while current and current in api["classes"] and api["classes"][current].get("exists"):
            entry = api["classes"][current]
            classes[current] = {
                "base": entry.get("attributes_base"),
                "callables": sorted(entry.get("callables", {})),
                "enums": sorted(entry.get("enum_values", {})),
            }
            current = entry.get("attributes_base")
    for name in APP_OBJECTS:
        entry = api["app_objects"][name]
        classes[name] = {
            "base": entry.get("attributes_base"),
            "callables": sorted(entry.get("callables", {})),
            "properties": sorted(entry.get("property_attributes", {})),
        }
        for base in [entry.get("attributes_base")]:
            if base and base in api["classes"]:
                classes.setdefault(
                    base,
                    {
                        "base": api["classes"][base].get("attributes_base"),
                        "callables": sorted(api["classes"][base].get("callables", {})),
                    },
                )
    existing = [name for name, entry in api["classes"].items() if entry.get("exists")]
    return {
        "_about": api["_about"]["what"],
        "qt_names": sorted(
            [n for n in existing if api["classes"][n].get("module") == "qt"]
            + ["QPointF", "QRectF", "QSizeF", "QPolygon", "SIGNAL"]
        ),
        "ctk_names": sorted(n for n in existing if api["classes"][n].get("module") == "ctk"),
        "slicer_names": sorted(api["slicer_package_names"]),
        "slicer_util": sorted(api["slicer_util"]),
        "slicer_cli": sorted(api["slicer_cli"]),
        "slicer_modules": sorted(api["slicer_modules"]),
        "layout_ids": api["layout_ids"],
        "color_nodes": sorted(api["color_nodes"]),
        "meta": meta,
        "classes": classes,
        "vtk": {
            name: {
                "base": entry.get("base"),
                "methods": sorted(entry.get("methods", {})),
                "constants": sorted(entry.get("constants", {})),
            }
            for name, entry in api["vtk_classes"].items()
        },
    }


def main(facts: Path) -> None:
    """Write ``records/*.json`` from the full inventories in ``facts``."""
    here = Path(__file__).parent / "records"
    api = json.loads((facts / "slicer-api-5.8.json").read_text(encoding="utf-8"))
    (here / "slicer_api.json").write_text(json.dumps(reduced(api), indent=0, sort_keys=True) + "\n", encoding="utf-8")
    modules = json.loads((facts / "cli-parameters.json").read_text(encoding="utf-8"))["modules"]
    table = {module: {p["name"]: p for p in entry["parameters"]} for module, entry in modules.items()}
    (here / "cli_parameters.json").write_text(json.dumps(table, indent=0, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
