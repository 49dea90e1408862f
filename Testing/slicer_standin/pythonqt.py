"""PythonQt's manners over PySide6: what a Slicer module meets when it touches a Qt object.

Imitated, each with a test in ``Testing/Slicer/test_standin.py`` that names the observed behavior: Qt properties
are values and never callable; unknown attributes cannot be read or written; loose conversions on property
writes; string signatures; arguments cut to what a slot takes; slot exceptions printed and lost (kept in
``slot_errors`` for the tests); no keyword arguments; string lists as tuples; a flat class hierarchy.

Not imitated: enumerations are PySide6's own (compare them with enumerators, never with numbers); objects that
Qt makes inside (header views, layouts of .ui files) are plain PySide6 objects; ownership follows PySide6.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from typing import Any

from PySide6 import QtCore

slot_errors: list[BaseException] = []
"""Every exception a slot let out; Slicer prints such an exception and goes on."""

loading: list[None] = []
"""Not empty while a .ui file is being loaded."""

_being_read: set[tuple[int, str]] = set()

# Where a signal has several forms, the one PythonQt takes for ``object.signal.connect``.
_PREFERRED = {"finished": "finished(int)", "clicked": "clicked(bool)", "triggered": "triggered(bool)"}


def run_slot(slot: Any, arguments: tuple[Any, ...]) -> None:
    """Call a slot as PythonQt does: surplus arguments cut, exceptions printed and lost."""
    try:
        slot(*arguments[: _positional_count(slot, len(arguments))])
    except Exception as error:  # PythonQt prints whatever a slot raises and carries on
        slot_errors.append(error)
        traceback.print_exc(file=sys.stderr)


def _positional_count(slot: Any, given: int) -> int:
    if not (inspect.isfunction(slot) or inspect.ismethod(slot)):
        return given  # partials, builtins and callable objects get everything
    kinds = [parameter.kind for parameter in inspect.signature(slot).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return given
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return min(given, sum(kind in positional for kind in kinds))


def normalized(signature: str) -> str:
    """``clicked( bool )`` and ``textChanged(const QString&)`` in the form Qt keeps."""
    return bytes(QtCore.QMetaObject.normalizedSignature(signature.lstrip("2"))).decode()


def _adaptor(slot: Any, count: int) -> Any:
    # PySide6 passes as many arguments as the callable declares, so the adaptor declares them all.
    return {
        0: lambda: run_slot(slot, ()),
        1: lambda a: run_slot(slot, (a,)),
        2: lambda a, b: run_slot(slot, (a, b)),
        3: lambda a, b, c: run_slot(slot, (a, b, c)),
        4: lambda a, b, c, d: run_slot(slot, (a, b, c, d)),
    }[count]


class BoundSignal:
    """``button.clicked`` with ``connect``, ``disconnect``, ``emit``."""

    def __init__(self, owner: Any, name: str) -> None:
        self._owner, self._name = owner, name

    def _signature(self) -> str:
        forms = [form for form in type(self._owner).standin_signals_of_class() if form.split("(")[0] == self._name]
        preferred = _PREFERRED.get(self._name)
        return preferred if preferred in forms else forms[0]

    def connect(self, slot: Any, *receiver: Any) -> bool:
        return self._owner.connect(self._signature(), slot, *receiver)

    def disconnect(self, slot: Any) -> bool:
        return self._owner.disconnect(self._signature(), slot)

    def emit(self, *arguments: Any) -> None:
        self._owner.standin_emit(self._signature(), *arguments)

    __call__ = emit


class BoundMethod:
    """A Qt method: positional arguments only, string lists come back as tuples."""

    def __init__(self, method: Any) -> None:
        self._method = method

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if keywords:
            name = getattr(self._method, "__name__", "slot")
            raise ValueError(f"Called {name} with keyword arguments but called slot does not support kwargs.")
        try:
            result = self._method(*arguments)
        except (TypeError, OverflowError) as error:
            raise ValueError(
                f"Called {getattr(self._method, '__name__', 'slot')} with wrong arguments: {arguments!r} ({error})"
            ) from None
        return tuple(result) if isinstance(result, list) else result


class PythonQtObject:
    """Mixed into every Qt class of the stand-in."""

    standin_class_name = ""
    standin_signals: dict[str, None] = {}  # noqa: RUF012 — signatures a fake widget emits itself
    standin_properties: dict[str, Any] = {}  # noqa: RUF012 — property name to default, of fake widgets

    # --- what the class declares -------------------------------------------------------------------
    @classmethod
    def standin_meta(cls) -> dict[str, QtCore.QMetaProperty]:
        found = cls.__dict__.get("_standin_meta")
        if found is None:
            meta = cls.staticMetaObject
            found = {meta.property(i).name(): meta.property(i) for i in range(meta.propertyCount())}
            cls._standin_meta = found
        return found

    @classmethod
    def standin_signals_of_class(cls) -> list[str]:
        found = cls.__dict__.get("_standin_signal_list")
        if found is None:
            meta = cls.staticMetaObject
            methods = [meta.method(i) for i in range(meta.methodCount())]
            found = list(cls.standin_signals) + [
                bytes(method.methodSignature()).decode()
                for method in methods
                if method.methodType() == QtCore.QMetaMethod.MethodType.Signal
            ]
            cls._standin_signal_list = found
            cls._standin_signal_names = {form.split("(")[0] for form in found}
        return found

    @classmethod
    def standin_kind(cls, name: str) -> str:
        """What an attribute is: a method of ours, a property of a fake widget or of Qt, a signal, or something else."""
        if name in _OURS:
            return "ours"
        if name in cls.standin_properties:
            return "kept"
        if name in cls.standin_meta():
            return "property"
        cls.standin_signals_of_class()
        return "signal" if name in cls._standin_signal_names and name not in cls.__dict__ else "else"

    # --- attributes --------------------------------------------------------------------------------
    def __getattribute__(self, name: str) -> Any:
        if name[0] == "_" or name.startswith("standin_"):
            return super().__getattribute__(name)
        cls = type(self)
        name = "objectName" if name == "name" else name
        kinds = cls.__dict__.get("_standin_kinds")
        if kinds is None:
            kinds = cls._standin_kinds = {}
        kind = kinds.get(name)
        if kind is None:
            kind = kinds[name] = cls.standin_kind(name)
        if kind == "ours":  # PySide6 finds its own static connect and disconnect first
            return getattr(PythonQtObject, name).__get__(self)
        if kind == "kept":
            return self.standin_read(name)
        if kind == "property":
            if (id(self), name) in _being_read:
                # PySide6 looks for a Python override of a virtual getter, such as QProgressBar::text.
                return super().__getattribute__(name)
            _being_read.add((id(self), name))
            try:
                return _read(name, QtCore.QObject.property(self, name))
            finally:
                _being_read.discard((id(self), name))
        if kind == "signal":
            return BoundSignal(self, name)
        try:
            value = super().__getattribute__(name)
        except AttributeError:
            pass
        else:
            return BoundMethod(value) if inspect.isbuiltin(value) else value
        if name.encode() in [bytes(dynamic) for dynamic in QtCore.QObject.dynamicPropertyNames(self)]:
            return _read(name, QtCore.QObject.property(self, name))
        for child in QtCore.QObject.children(self):
            if QtCore.QObject.objectName(child) == name:
                return child
        raise AttributeError(f"{self.standin_name()} has no attribute named '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        cls = type(self)
        if isinstance(value, QtCore.QObject) and QtCore.QObject.objectName(value) == name and loading:
            return  # QUiLoader's own habit of naming children as attributes
        if name == "name":
            name = "objectName"
        if name in cls.standin_properties:
            self.standin_write(name, _coerced(name, type(cls.standin_properties[name]), value))
            return
        if name.startswith(("_", "standin_")):
            super().__setattr__(name, value)
            return
        meta = cls.standin_meta().get(name)
        if meta is not None:
            if not meta.isWritable():
                raise AttributeError(f"Property '{name}' of {self.standin_name()} object is not writable")
            kind = {"QString": str, "int": int, "bool": bool, "double": float}.get(meta.typeName())
            value = _coerced(name, kind, value) if kind else value
            if not QtCore.QObject.setProperty(self, name, value):
                raise AttributeError(
                    f"Property '{name}' of type '{meta.typeName()}' does not accept "
                    f"an object of type {type(value).__name__}"
                )
            return
        if cls.standin_class_name == cls.__name__ or cls.__module__ == __name__:
            if name.encode() in [bytes(dynamic) for dynamic in QtCore.QObject.dynamicPropertyNames(self)]:
                QtCore.QObject.setProperty(self, name, value)
                return
            if hasattr(cls, name):
                raise AttributeError(f"Slot '{name}' can not be overwritten on {self.standin_name()} object")
            raise AttributeError(
                f"'{name}' does not exist on {self.standin_name()} and creating new attributes on C++ objects "
                "is not allowed"
            )
        super().__setattr__(name, value)

    def standin_name(self) -> str:
        return type(self).__name__

    def standin_read(self, name: str) -> Any:
        value = self.__dict__.get("_standin_values", {}).get(name, type(self).standin_properties[name])
        return tuple(value) if isinstance(value, list) else value

    def standin_write(self, name: str, value: Any) -> None:
        self.__dict__.setdefault("_standin_values", {})[name] = value
        changed = getattr(self, "_changed_" + name, None)
        if changed is not None:
            changed(value)

    # --- QObject as PythonQt shows it --------------------------------------------------------------
    def className(self) -> str:
        return self.standin_name()

    def inherits(self, name: str) -> bool:
        return any(base.__name__ == name for base in type(self).__mro__)

    def delete(self) -> None:
        import shiboken6

        shiboken6.delete(self)

    def setProperty(self, name: str, value: Any) -> bool:
        if name in type(self).standin_properties:
            setattr(self, name, value)
            return True
        return QtCore.QObject.setProperty(self, name, value)

    def property(self, name: str) -> Any:
        if name in type(self).standin_properties:
            return self.standin_read(name)
        return _read(name, QtCore.QObject.property(self, name))

    # --- signals -----------------------------------------------------------------------------------
    def connect(self, signature: str, slot: Any, member: str | None = None) -> bool:
        form = normalized(signature)
        if form not in self.standin_signals_of_class():
            print(
                f"PythonQt: QObject::connect() signal '{signature}' does not exist on {self.standin_name()}",
                file=sys.stderr,
            )
            return False
        if member is not None:
            slot = getattr(slot, member.split("(")[0])
        inside = form[form.index("(") + 1 : -1]
        adaptor = _adaptor(self.standin_slot(form, slot), len(inside.split(",")) if inside else 0)
        self.__dict__.setdefault("_standin_connections", []).append((form, slot, adaptor))
        if form not in type(self).standin_signals:
            QtCore.QObject.connect(self, QtCore.SIGNAL(form), adaptor)
        return True

    def standin_slot(self, form: str, slot: Any) -> Any:
        """What a signal calls in place of the slot; for classes whose signals Slicer delays."""
        return slot

    def disconnect(self, signature: str | None = None, slot: Any = None) -> bool:
        if signature is None:
            raise ValueError("Could not find matching overload for given arguments:()")
        form, removed = normalized(signature), False
        connections = self.__dict__.setdefault("_standin_connections", [])
        for entry in list(connections):
            if entry[0] == form and (slot is None or entry[1] == slot):
                connections.remove(entry)
                if form not in type(self).standin_signals:
                    QtCore.QObject.disconnect(self, QtCore.SIGNAL(form), entry[2])
                removed = True
                if slot is not None:
                    break
        return removed

    def standin_emit(self, form: str, *arguments: Any) -> None:
        if form in type(self).standin_signals:
            if QtCore.QObject.signalsBlocked(self):
                return
            for kept, _slot, adaptor in list(self.__dict__.get("_standin_connections", [])):
                if kept == form:
                    adaptor(*arguments)
            return
        super().__getattribute__(form.split("(")[0]).emit(*arguments)


_OURS = ("connect", "disconnect", "className", "inherits", "delete", "setProperty", "property")


def _read(name: str, value: Any) -> Any:
    if name == "toolTip" and value and not value.startswith("<"):
        return f"<p>{value}</p>"
    return tuple(value) if isinstance(value, list) else value


def _coerced(name: str, kind: Any, value: Any) -> Any:
    if kind is bool:
        return bool(value)
    if kind is str:
        return str(value)
    if kind in (int, float):
        if value is None or isinstance(value, str):
            raise AttributeError(
                f"Property '{name}' of type '{kind.__name__}' does not accept "
                f"an object of type {type(value).__name__} ({value!r})"
            )
        return int(value // 1) if kind is int and not isinstance(value, bool) else kind(value)
    return value


def pythonqt_class(base: type, name: str, **members: Any) -> type:
    """A stand-in class over one PySide6 class; it derives from no other stand-in class."""
    return type(name, (PythonQtObject, base), {"standin_class_name": name, "__module__": __name__, **members})
