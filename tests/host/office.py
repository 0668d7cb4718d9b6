"""A headless LibreOffice with a fresh profile and one add-in, for tests."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

DRIVER = Path(__file__).with_name("soffice_driver.py")
SYSTEM_PYTHON = "/usr/bin/python3"
ANSWER_SECONDS = 120.0

CODES = {"#N/A": 32767, "#VALUE!": 519, "#NUM!": 503}


def missing() -> str | None:
    """Return why LibreOffice cannot be driven on this machine, or None."""
    if not shutil.which("soffice") or not shutil.which("unopkg"):
        return "LibreOffice is not installed: run `make libreoffice`"
    probe = subprocess.run([SYSTEM_PYTHON, "-c", "import uno"], check=False, capture_output=True)
    if probe.returncode:
        return "the system's Python has no LibreOffice bridge: run `make libreoffice`"
    return None


@dataclass(frozen=True)
class Content:
    """What one cell shows."""

    value: float | str
    text: str
    error: int
    formula: str
    empty: bool


class Office:
    """Starts with the block and ends with it; all files are in the given folder."""

    def __init__(self, folder: Path, addin: Path | None = None) -> None:
        self.folder = folder
        self.addin = addin
        self.options = [
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            f"-env:UNO_SHARED_PACKAGES_CACHE={(folder / 'shared').as_uri()}",
        ]
        self.log = folder / "soffice.log"

    def __enter__(self) -> Self:
        if self.addin:
            self.install(self.addin)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [SYSTEM_PYTHON, str(DRIVER), *self.options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # so that a hung soffice can be ended with its driver
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self.process.stdin
        assert self.process.stdout
        try:
            self.process.stdin.close()
            self.process.wait(timeout=60)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        finally:
            self.process.stdout.close()

    def install(self, addin: Path) -> None:
        """Add an add-in to the profile, as root can."""
        done = subprocess.run(
            ["unopkg", "add", "--shared", "--force", *self.options, str(addin)],
            check=False,
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
        )
        if done.returncode:
            raise RuntimeError(f"unopkg failed: {done.stderr}{done.stdout}")

    def do(self, order: str, **arguments: object) -> Any:
        """Send one order to the driver and return its answer."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"do": order, **arguments}).encode() + b"\n")
        self.process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(ANSWER_SECONDS):
                raise TimeoutError(f"LibreOffice did not answer to {order}: {self._last_words()}")
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"LibreOffice ended at {order}: {self._last_words()}")
        answer = json.loads(line)
        if "failed" in answer:
            raise RuntimeError(f"{order}: {answer['failed']}")
        return answer["ok"]

    def open(self, path: Path | None = None, *, macros: bool = False) -> None:
        """Open a file, or a new spreadsheet whose sheet is `Sheet1`."""
        self.do("open", path=str(path) if path else None, macros=macros)

    def write(self, address: str, value: object, sheet: str = "Sheet1") -> None:
        """Put a number, a text, a formula (with semicolons) or None into a cell."""
        self.do("write", sheet=sheet, address=address, value=value)

    def cell(self, address: str, sheet: str = "Sheet1") -> Content:
        """Return the content of one cell."""
        return self.cells(address, sheet)[0][0]

    def cells(self, address: str, sheet: str = "Sheet1") -> list[list[Content]]:
        """Return the contents of a range."""
        rows = self.do("read", sheet=sheet, address=address)
        return [[Content(**cell) for cell in row] for row in rows]

    def answer(self, formula: str, sheet: str = "Sheet1", address: str = "Z1") -> Content:
        """Put a formula into a cell and return what it shows."""
        self.write(address, formula, sheet)
        return self.cell(address, sheet)

    def _last_words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-2_000:]
