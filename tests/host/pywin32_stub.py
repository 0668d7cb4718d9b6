"""A stand-in for pywin32, so that the real xlwings pipeline of Windows runs on Linux.

It covers the part of pywin32 that xlwings 0.37.8 touches; the decorators, the converters,
`call_udf`, the VBA generator and the shaping of the reply are then xlwings' own code. It changes
`sys.modules` and `ctypes` for good: use it in a process of its own.
"""

from __future__ import annotations

# First what chooses its implementation by sys.platform, while the platform is the true one.
import asyncio  # noqa: F401
import atexit
import concurrent.futures  # noqa: F401
import ctypes
import datetime as dt
import importlib
import inspect  # noqa: F401
import logging  # noqa: F401
import pathlib  # noqa: F401
import socket  # noqa: F401
import subprocess  # noqa: F401
import sys
import tempfile  # noqa: F401
import threading
import types
import uuid  # noqa: F401
from typing import Any

__all__ = ["FakeRange", "install"]

_DISPATCH = "{00020400-0000-0000-C000-000000000046}"
_RANGE = "{00020846-0000-0000-C000-000000000046}"
_STUB_FILE = "/stub/pythoncom.dll"


class ComError(Exception):
    """Stands in for pywintypes.com_error."""

    hresult = 0


class _Anything:
    """A DLL: has every attribute, and every call returns 0."""

    def __getattr__(self, name: str) -> _Anything:
        value = _Anything()
        object.__setattr__(self, name, value)
        return value

    def __call__(self, *_: object) -> int:
        return 0


class FakeRange:
    """Stands in for a COM range.

    Parameters
    ----------
    value
        What COM gives for ``Value``: a tuple of tuples, or a scalar for a single cell.
    sheet, row, column
        Where the range stands.
    formula
        The text of the formula of a single cell.
    value2
        What COM gives for ``Value2`` where it differs: dates are serials there.
    """

    CLSID = _RANGE

    def __init__(  # noqa: PLR0913 - one parameter per property of the range
        self,
        value: Any = None,
        *,
        sheet: str = "Sheet1",
        row: int = 1,
        column: int = 1,
        formula: str = "",
        value2: Any = None,
    ) -> None:
        rows, columns = (len(value), len(value[0])) if isinstance(value, tuple) else (1, 1)
        space = types.SimpleNamespace
        self.Value = value
        self.Value2 = value if value2 is None else value2
        self.Formula = formula
        self.HasFormula = formula.startswith("=")
        self.Row, self.Column = row, column
        self.Rows, self.Columns = space(Count=rows), space(Count=columns)
        self.Count = rows * columns
        self.Address = f"R{row}C{column}"
        book = space(Name="book.xlsm", Application=space(Hwnd=1))
        self.Worksheet = space(Name=sheet, Parent=book)
        attributes = space(iid=_RANGE)
        self._oleobj_ = space(GetTypeInfo=lambda: space(GetTypeAttr=lambda: attributes))

    def GetAddress(self, *_: object) -> str:  # noqa: N802 - the name is Excel's
        """Return the address, as COM's parametrized property does."""
        return self.Address


def install() -> Any:
    """Put the stand-in in place, import xlwings as on Windows, and start its event loop.

    Returns
    -------
    module
        The module xlwings, whose decorators are those of Windows.
    """
    for name, content in _modules().items():
        module = types.ModuleType(name)
        module.__dict__.update(content, __file__=_STUB_FILE, __path__=[])
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
    true_platform, true_register, true_dll = sys.platform, atexit.register, ctypes.PyDLL
    ctypes.oledll = ctypes.windll = _Anything()  # type: ignore[attr-defined]

    def load(name: str, *arguments: Any, **options: Any) -> Any:
        return _Anything() if name == _STUB_FILE else true_dll(name, *arguments, **options)

    try:
        sys.platform = "win32"
        ctypes.PyDLL = load  # type: ignore[assignment, misc]
        # xlwings registers a hook that kills Excel processes left behind; there are none
        atexit.register = lambda function, *_, **__: function  # type: ignore[assignment]
        xlwings = importlib.import_module("xlwings")
    finally:
        sys.platform, atexit.register, ctypes.PyDLL = (  # type: ignore[misc]
            true_platform,
            true_register,
            true_dll,
        )
    server = importlib.import_module("xlwings.com_server")
    if not server.loop.is_running():
        threading.Thread(target=server._start_background_loop, daemon=True).start()
    return xlwings


def _unwrap(_: object) -> object:
    raise ComError


def _modules() -> dict[str, dict[str, Any]]:
    """Return the content of each module, parents first."""
    time_type = type("TimeType", (dt.datetime,), {})
    time_zone = types.SimpleNamespace(utc=lambda: dt.UTC)
    generated = types.SimpleNamespace(EnsureModule=lambda *_, **__: None)
    return {
        "pywintypes": {
            "com_error": ComError,
            "error": ComError,
            "TimeType": time_type,
            "IID": str,
        },
        "win32api": {"GetCurrentThreadId": lambda: 0},
        "win32con": {},
        "win32gui": {},
        "win32event": {},
        "win32process": {"GetWindowThreadProcessId": lambda _: (0, 4242)},
        "win32timezone": {"TimeZoneInfo": time_zone},
        "pythoncom": {
            "CoInitialize": lambda *_: None,
            "IID_IDispatch": _DISPATCH,
            "IID_IEnumVARIANT": "enumeration",
            "TypeIIDs": {_DISPATCH: type("PyIDispatch", (), {})},
            "ole_error": ComError,
            "com_error": ComError,
            "CoMarshalInterThreadInterfaceInStream": lambda _, thing: thing,
            "CoGetInterfaceAndReleaseStream": lambda stream, _: stream,
        },
        "win32com": {},
        "win32com.server": {},
        "win32com.server.dispatcher": {},
        "win32com.client": {
            "CDispatch": type("CDispatch", (), {}),
            "CoClassBaseClass": type("CoClassBaseClass", (), {}),
            "DispatchBaseClass": type("DispatchBaseClass", (), {}),
            "Dispatch": lambda thing, **_: thing,
            "DispatchEx": lambda thing: thing,
            "gencache": generated,
        },
        "win32com.server.policy": {"DefaultPolicy": object},
        "win32com.server.util": {"unwrap": _unwrap, "wrap": lambda thing, *_: thing},
    }
