"""From the wheel alone: a new environment, a new LibreOffice profile, the template, one price."""

from __future__ import annotations

import json
import subprocess
import tarfile
import time
import venv
import zipfile
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from tests.host import office
from tests.host import wheel as wheels
from tests.host.office import Office
from tests.host.template_cells import named, position

if TYPE_CHECKING:
    from pathlib import Path

MAINTENANCE_OF_BTC = 1 / (2 * 40)  # Hyperliquid: half of the initial margin at 40 times


@pytest.fixture(scope="module")
def wheel() -> Path:
    reason = wheels.missing()
    if reason:
        pytest.skip(reason)
    return wheels.wheel()


class Clock:
    """Prints what took how long; nothing is asserted about it."""

    def __init__(self) -> None:
        self.last = time.perf_counter()

    def say(self, what: str) -> None:
        now = time.perf_counter()
        print(f"{what}: {now - self.last:.1f} s")  # noqa: T201 - shown with -s
        self.last = now


def run(*command: object) -> str:
    done = subprocess.run(
        list(map(str, command)), check=False, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, f"{command}: {done.stderr}{done.stdout}"
    return done.stdout


def refused(*command: object, code: int) -> str:
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout


def test_a_price_changes_margin_and_first_liquidated_in_a_fresh_install(
    wheel: Path, tmp_path: Path
) -> None:
    reason = office.missing()
    if reason:
        pytest.skip(reason)
    clock = Clock()
    venv.create(tmp_path / "env", with_pip=True)
    clock.say("new environment")
    binaries = tmp_path / "env" / "bin"
    run(binaries / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", wheel)
    clock.say("pip install of the wheel")
    program = binaries / "crossmargin"
    profile = tmp_path / "office"
    done = json.loads(run(program, "libreoffice", "install", "--profile", profile, "--json"))
    assert done["version"]
    clock.say("crossmargin libreoffice install")
    template = tmp_path / "crossmargin.xlsx"
    run(program, "template", template)
    clock.say("crossmargin template")
    with Office(profile) as sheet:
        sheet.open(template)
        clock.say("LibreOffice started, template open and calculated")
        before = shown(sheet, template)
        price = position(template, "BTC", "markPrice")
        quantity = sheet.cell(*position(template, "BTC", "contracts")).value
        old = sheet.cell(*price).value
        assert isinstance(old, float)
        assert isinstance(quantity, float)
        clock.say("read")
        sheet.write(price[0], old - 13_400.0, price[1])
        after = shown(sheet, template)
        clock.say("one price changed, margin and first liquidated read again")
    change = 13_400.0 * quantity * MAINTENANCE_OF_BTC
    assert after["margin"] == pytest.approx(before["margin"] - change, abs=1e-6)
    assert "SOL" in before["first"]
    assert after["first"].startswith("At today's prices")
    checks = json.loads(run(program, "libreoffice", "doctor", "--profile", profile, "--json"))
    assert {check["state"] for check in checks} == {"ok"}
    clock.say("crossmargin libreoffice doctor")
    run(program, "libreoffice", "uninstall", "--profile", profile)
    gone = refused(program, "libreoffice", "doctor", "--profile", profile, "--json", code=1)
    assert "not registered" in gone
    # Excel's part is an extra, which a fresh environment does not have
    missing = refused(program, "excel", "install", "--folder", tmp_path / "start", "--json", code=2)
    assert 'pip install \\"crossmargin[excel]\\"' in missing
    assert not (tmp_path / "start").exists()


def shown(sheet: Office, template: Path) -> dict[str, Any]:
    return {
        "margin": sheet.cell(*named(template, "MaintenanceMargin")).value,
        "first": sheet.cell(*named(template, "Headline")).text,
    }


def test_the_wheel_holds_the_package_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    outside = [name for name in names if not name.startswith("crossmargin")]
    assert outside == []
    parts = {part for name in names for part in name.split("/")[:-1]}
    assert not parts & {"tests", "workbook", "docs", "rust_core"} - {"rust_core"}
    assert not [name for name in names if name.rpartition("/")[2].startswith(("test_", "conftest"))]
    for needed in ("excel.bas", "excel_runtime.bas", "excel_macros.bas"):
        assert f"crossmargin/hosts/{needed}" in names


def sources() -> list[str]:
    """Return what git tracks; without git, in a source distribution, what was not made."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=wheels.ROOT, check=False, capture_output=True, text=True
    )
    if tracked.returncode == 0:
        return tracked.stdout.splitlines()
    ignored = (wheels.ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in ignored if line and not line.startswith("#")]

    def is_made(name: PurePosixPath) -> bool:
        return any(
            f"/{name}".startswith(pattern)
            if pattern.startswith("/")
            else any(fnmatch(part, pattern.rstrip("/")) for part in name.parts)
            for pattern in patterns
        )

    files = (path for path in wheels.ROOT.rglob("*") if path.is_file())
    names = (PurePosixPath(path.relative_to(wheels.ROOT).as_posix()) for path in files)
    return [str(name) for name in names if not is_made(name)]


def test_the_source_distribution_holds_what_builds_and_tests_need(tmp_path: Path) -> None:
    maturin = wheels._maturin()
    if maturin is None:
        pytest.skip("maturin is missing")
    subprocess.run(
        [maturin, "sdist", "--out", str(tmp_path)],
        cwd=wheels.ROOT,
        check=True,
        capture_output=True,
        timeout=600,
    )
    (made,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(made) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    wanted = [
        name
        for name in sources()
        if name.startswith(("python/", "rust_core/", "tests/", "workbook/", "docs/"))
        or name in {"Cargo.toml", "Cargo.lock", "pyproject.toml", "Makefile", "README.md"}
    ]
    assert len(wanted) > 300
    assert [name for name in wanted if name not in held] == []
