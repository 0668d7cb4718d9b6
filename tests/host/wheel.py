"""The wheel of this tree, built once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

__all__ = ["ROOT", "missing", "wheel"]

ROOT = Path(__file__).parents[2]
_BUILD_SECONDS = 1_800
_COMPILED = {".so", ".pyd"}


def missing() -> str | None:
    """Return why no wheel can be had, or None."""
    if _current() or (_maturin() and shutil.which("cargo")):
        return None
    return "no wheel of this tree is in dist/, and maturin or cargo to build it is missing"


def wheel() -> Path:
    """Return the wheel in dist/, built anew if it is not that of this tree.

    After `maturin develop --release` only the last step of the build is left to do.
    """
    found = _current()
    if found is None:
        command = [_maturin() or "maturin", "build", "--release", "--out", str(ROOT / "dist")]
        environment = {**os.environ, "VIRTUAL_ENV": sys.prefix}
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2_000:])
        found = _current()
    if found is None:
        raise RuntimeError("maturin built a wheel that is not that of this tree")
    return found


def _maturin() -> str | None:
    beside = Path(sys.executable).with_name("maturin")
    return str(beside) if beside.is_file() else shutil.which("maturin")


def _current() -> Path | None:
    """Return a wheel with the files of this tree, made after the last change in Rust."""
    sources = [ROOT / "Cargo.toml", ROOT / "Cargo.lock", *(ROOT / "rust_core").rglob("*.rs")]
    sources += (ROOT / "rust_core").rglob("*.toml")
    changed = max(path.stat().st_mtime for path in sources)
    package = ROOT / "python" / "crossmargin"
    wanted = {
        path.relative_to(package.parent).as_posix(): path.read_bytes()
        for path in package.rglob("*")
        if path.is_file() and path.suffix not in _COMPILED and "__pycache__" not in path.parts
    }
    for found in (ROOT / "dist").glob("crossmargin-*.whl"):
        if found.stat().st_mtime < changed:
            continue
        with zipfile.ZipFile(found) as archive:
            held = {
                name: archive.read(name)
                for name in archive.namelist()
                if name.startswith("crossmargin/") and Path(name).suffix not in _COMPILED
            }
        if held == wanted:
            return found
    return None
