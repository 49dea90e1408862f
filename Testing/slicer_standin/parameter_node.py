"""``slicer.parameterNodeWrapper`` for the types the panel stores: nodes, text, numbers, switches and choices.

The values live in a real vtkMRMLScriptedModuleNode, as in Slicer, so saving and closing the scene act on them.
Not imitated: parameter packs, containers, unions and the automatic user interface.
"""

from __future__ import annotations

import typing
from typing import Annotated, Any

import slicer


class Default:
    def __init__(self, value: Any) -> None:
        self.value = value


class WithinRange:
    def __init__(self, minimum: float, maximum: float) -> None:
        self.minimum, self.maximum = minimum, maximum

    def check(self, name: str, value: Any) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value for {name} ({value}) must be within [{self.minimum}, {self.maximum}]")


class Choice:
    def __init__(self, choices: list[Any]) -> None:
        self.choices = choices

    def check(self, name: str, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"Value for {name} must be one of {self.choices}, not {value!r}")


class _Parameter:
    def __init__(self, name: str, annotation: Any, default: Any) -> None:
        self.name, self.validators = name, []
        if typing.get_origin(annotation) is Annotated:
            annotation, *notes = typing.get_args(annotation)
            self.validators = [note for note in notes if hasattr(note, "check")]
            default = next((note.value for note in notes if isinstance(note, Default)), default)
        self.kind = annotation
        self.is_node = isinstance(annotation, type) and issubclass(annotation, slicer.vtkMRMLNode)
        if not self.is_node and annotation not in (str, int, float, bool):
            raise RuntimeError(f"Unable to create serializer for {annotation} {name}")
        self.default = default if default is not None or self.is_node else annotation()

    def __get__(self, wrapper: Any, _owner: Any = None) -> Any:
        node = wrapper.parameterNode
        if self.is_node:
            return node.GetNodeReference(self.name)
        text = wrapper.standin_seen.get(self.name, node.GetParameter(self.name))
        return text == "True" if self.kind is bool else self.kind(text)

    def __set__(self, wrapper: Any, value: Any) -> None:
        if self.is_node:
            if value is not None and not isinstance(value, self.kind):
                raise TypeError(f"Expected {self.kind.__name__} for {self.name}")
            wrapper.parameterNode.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
            return
        if type(value) is not self.kind:
            raise TypeError(f"Expected {self.kind.__name__} for {self.name}, got {type(value).__name__}")
        for validator in self.validators:
            validator.check(self.name, value)
        wrapper.standin_seen[self.name] = wrapper.standin_next[self.name] = str(value)
        wrapper.parameterNode.SetParameter(self.name, str(value))


_made: list[Any] = []
"""Every wrapper. Python's collector would clear an observer that only its node knows, and the next event would end the
interpreter."""


def parameterNodeWrapper(wrapped: type) -> type:
    """The class decorator: every annotation becomes a property kept in the parameter node."""
    parameters = {
        name: _Parameter(name, annotation, wrapped.__dict__.get(name))
        for name, annotation in typing.get_type_hints(wrapped, include_extras=True).items()
    }

    def init(self: Any, node: Any) -> None:
        self.parameterNode = node
        self._guis = {}
        self._updating = False
        self.standin_seen, self.standin_next = {}, {}
        self._write_defaults()
        self.standin_next = stored(self)
        # A living wrapper writes its defaults back when the scene closes.
        self._tag = node.AddObserver("ModifiedEvent", lambda *_: modified(self))
        _made.append(self)

    def stored(self: Any) -> dict[str, str]:
        values = {name: self.parameterNode.GetParameter(name) for name, p in parameters.items() if not p.is_node}
        return {name: text for name, text in values.items() if text}

    def modified(self: Any) -> None:
        # What another wrapper writes is seen one change late; a closed scene wipes everything at once.
        self.standin_seen = {**stored(self), **self.standin_next} if stored(self) else {}
        self._write_defaults()
        self.standin_next = stored(self)
        self._to_widgets()

    def write_defaults(self: Any) -> None:
        for parameter in parameters.values():
            if (
                not parameter.is_node
                and not self.parameterNode.GetParameter(parameter.name)
                and not (parameter.kind is str and not parameter.default)
            ):
                self.parameterNode.SetParameter(parameter.name, str(parameter.default))

    def connect_gui(self: Any, gui: Any) -> None:
        for widget in list(vars(gui).values()):
            name = widget.property("SlicerParameterName") if hasattr(widget, "property") else None
            if name:
                _connector(widget)  # refuses kinds of widgets that Slicer refuses
                if parameters[name].is_node:  # an abstract class raises TypeError here, as in Slicer
                    widget.nodeTypes = [parameters[name].kind().GetClassName()]
                self._guis[name] = widget
        self._to_widgets()
        for name, widget in self._guis.items():
            _connector(widget)[2](widget, lambda value, name=name: from_widget(self, name, value))

    def from_widget(self: Any, name: str, value: Any) -> None:
        # A widget that was let go writes no longer, nor does one that is just being written.
        if name in self._guis and not self._updating:
            setattr(self, name, value)

    def to_widgets(self: Any) -> None:
        if self._updating:
            return
        self._updating = True
        try:
            for name, widget in list(self._guis.items()):
                _read, write, _listen = _connector(widget)
                write(widget, getattr(self, name), parameters[name])
        finally:
            self._updating = False

    def disconnect_gui(self: Any, _tag: Any = None) -> None:
        self._guis = {}

    members = {**{k: v for k, v in wrapped.__dict__.items() if k not in ("__dict__", "__weakref__")}, **parameters}
    members.update(
        __init__=init,
        _write_defaults=write_defaults,
        connectGui=connect_gui,
        disconnectGui=disconnect_gui,
        _to_widgets=to_widgets,
    )
    members.update(
        {name: _forward(name) for name in ("AddObserver", "RemoveObserver", "StartModify", "EndModify", "Modified")}
    )
    return type(wrapped.__name__, (), members)


def _forward(name: str) -> Any:
    return lambda self, *arguments: getattr(self.parameterNode, name)(*arguments)


def _connector(widget: Any) -> tuple[Any, Any, Any]:
    """How one kind of widget is read, written and listened to."""
    kind = widget.className()
    if kind == "qMRMLNodeComboBox":
        return (
            lambda w: w.currentNode(),
            lambda w, v, _p: w.setCurrentNode(v),
            lambda w, f: w.connect("currentNodeChanged(vtkMRMLNode*)", f),
        )
    if kind == "QCheckBox":
        return lambda w: w.checked, lambda w, v, _p: w.setChecked(v), lambda w, f: w.connect("toggled(bool)", f)
    if kind == "ctkSliderWidget":
        return lambda w: w.value, _write_slider, lambda w, f: w.connect("valueChanged(double)", f)
    if kind == "QComboBox":
        return (
            lambda w: w.currentText,
            _write_choice,
            lambda w, f: w.connect("currentIndexChanged(int)", lambda _row: f(w.currentText)),
        )
    raise RuntimeError(f"Unable to create GUI connector from parameter to {kind}")


def _write_slider(widget: Any, value: float, parameter: _Parameter) -> None:
    bounds = next((v for v in parameter.validators if isinstance(v, WithinRange)), None)
    if bounds is None:
        raise RuntimeError("Cannot have a connection to ctkSliderWidget where the range is unbounded.")
    widget.minimum, widget.maximum = bounds.minimum, bounds.maximum
    widget.value = value


def _write_choice(widget: Any, value: str, parameter: _Parameter) -> None:
    choices = next((v.choices for v in parameter.validators if isinstance(v, Choice)), None)
    if choices is None:
        raise RuntimeError("Unable to create GUI connector for a QComboBox without Choice")
    if [widget.itemText(i) for i in range(widget.count)] != list(choices):
        widget.clear()
        widget.addItems([str(choice) for choice in choices])
    widget.setCurrentText(str(value))
