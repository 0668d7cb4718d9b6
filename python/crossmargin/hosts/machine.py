"""What installing and checking ask of a computer, behind one small door.

Tests hand over a computer of their own; files are ordinary files in both.
"""

from __future__ import annotations

import importlib
import locale
import os
import platform
import shutil
import struct
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Finished", "Machine", "ThisMachine"]


class Finished:
    """What a program said.

    Parameters
    ----------
    code
        Its exit code; None where it could not be started or did not end in time.
    output
        What it wrote to both streams.
    """

    def __init__(self, code: int | None, output: str) -> None:
        self.code = code
        self.output = output


class Machine(Protocol):
    """A computer."""

    @property
    def system(self) -> str:
        """Return `Windows`, `Linux` or `Darwin`."""

    @property
    def home(self) -> Path:
        """Return the user's own folder."""

    @property
    def python(self) -> Path:
        """Return the interpreter that runs this."""

    @property
    def prefix(self) -> Path:
        """Return the folder of the environment to which the interpreter belongs."""

    @property
    def bits(self) -> int:
        """Return 32 or 64, of the interpreter."""

    @property
    def is_root(self) -> bool:
        """Return whether the user is root."""

    def variable(self, name: str) -> str | None:
        """Return a variable of the environment."""

    def registered(self, key: str, value: str = "") -> str | int | None:
        """Return a value of the Windows registry; the key begins with HKCU or HKLM."""

    def keys_below(self, key: str) -> tuple[str, ...]:
        """Return the names of the keys below one of the Windows registry."""

    def installed(self, package: str) -> str | None:
        """Return the version of a Python package beside the interpreter."""

    def program(self, name: str) -> Path | None:
        """Return a program on the search path."""

    def in_system_encoding(self, text: str) -> bytes | None:
        """Return a text as programs without Unicode read it; None where they cannot."""

    def zone(self, path: Path) -> str | None:
        """Return the mark that Windows puts on files from elsewhere (mark of the web)."""

    def run(
        self,
        command: Sequence[str],
        seconds: float,
        environment: Mapping[str, str] | None = None,
    ) -> Finished:
        """Run a program to its end, at most for some seconds."""


class ThisMachine:
    """The computer on which this runs."""

    system = platform.system()
    home = Path.home()
    python = Path(sys.executable)
    prefix = Path(sys.prefix)
    bits = 8 * struct.calcsize("P")
    is_root = getattr(os, "geteuid", lambda: 1)() == 0

    def variable(self, name: str) -> str | None:
        """Return a variable of the environment."""
        return os.environ.get(name)

    def registered(self, key: str, value: str = "") -> str | int | None:
        """Return a value of the Windows registry; the key begins with HKCU or HKLM."""
        found = _registry_key(key)
        if found is None:
            return None
        winreg, opened = found
        with opened:
            try:
                held = winreg.QueryValueEx(opened, value)[0]
            except OSError:
                return None
        return held if isinstance(held, str | int) else None

    def keys_below(self, key: str) -> tuple[str, ...]:
        """Return the names of the keys below one of the Windows registry."""
        found = _registry_key(key)
        if found is None:
            return ()
        winreg, opened = found
        with opened:
            count = winreg.QueryInfoKey(opened)[0]
            return tuple(winreg.EnumKey(opened, place) for place in range(count))

    def installed(self, package: str) -> str | None:
        """Return the version of a Python package beside the interpreter."""
        try:
            return version(package)
        except PackageNotFoundError:
            return None

    def program(self, name: str) -> Path | None:
        """Return a program on the search path."""
        found = shutil.which(name)
        return Path(found) if found else None

    def in_system_encoding(self, text: str) -> bytes | None:
        """Return a text as programs without Unicode read it; None where they cannot."""
        encoding = "mbcs" if sys.platform == "win32" else locale.getencoding()
        try:
            return text.encode(encoding)
        except UnicodeEncodeError:
            return None

    def zone(self, path: Path) -> str | None:
        """Return the mark that Windows puts on files from elsewhere (mark of the web)."""
        if self.system != "Windows":
            return None
        try:
            return Path(f"{path}:Zone.Identifier").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def run(
        self,
        command: Sequence[str],
        seconds: float,
        environment: Mapping[str, str] | None = None,
    ) -> Finished:
        """Run a program to its end, at most for some seconds."""
        try:
            done = subprocess.run(  # noqa: S603 - a list of words, no shell
                list(command),
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                env={**os.environ, **environment} if environment else None,
            )
        except subprocess.TimeoutExpired:
            return Finished(None, f"did not end within {seconds:g} seconds")
        except OSError as problem:
            return Finished(None, str(problem))
        return Finished(done.returncode, done.stdout.decode("utf-8", "replace").strip())


def _registry_key(key: str) -> tuple[Any, Any] | None:
    """Return the module of the registry and an open key, or None."""
    try:
        winreg: Any = importlib.import_module("winreg")
    except ModuleNotFoundError:  # off Windows
        return None
    hive, _, path = key.partition("\\")
    root = {"HKCU": winreg.HKEY_CURRENT_USER, "HKLM": winreg.HKEY_LOCAL_MACHINE}[hive]
    # Office writes its keys in the view of its own bits
    for view in (winreg.KEY_WOW64_64KEY, winreg.KEY_WOW64_32KEY):
        try:
            return winreg, winreg.OpenKey(root, path, 0, winreg.KEY_READ | view)
        except OSError:
            continue
    return None
