"""Each known trouble of Excel is found, named, and comes with something to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossmargin import cli
from crossmargin.hosts import excel_doctor, excel_install, machine
from crossmargin.hosts.checks import Check, any_wrong, as_table
from tests.host.fake_machine import EXCEL, FakeMachine, windows, write_program

if TYPE_CHECKING:
    from collections.abc import Callable

SECURITY = r"Microsoft\Office\16.0\Excel\Security"
RULES = (
    r"HKLM\SOFTWARE\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR\Rules"
)
LOCATIONS = rf"HKCU\Software\{SECURITY}\Trusted Locations"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return what an installation writes, so that it is made once."""
    computer = windows(tmp_path_factory.mktemp("made"))
    done = excel_install.install(computer)
    return {path.name: path.read_bytes() for path in done.written}


@pytest.fixture
def computer(tmp_path: Path, files: dict[str, bytes]) -> FakeMachine:
    """Return a computer on which everything is installed."""
    made = windows(tmp_path)
    where = excel_install.places(made)
    assert where.settings is not None
    excel_install.manifest_of(made).write(
        {
            where.addin: files["crossmargin.xlam"],
            where.workbook: files["crossmargin.xlsm"],
            where.settings: excel_install.settings_of(made),
        }
    )
    return made


def rows(computer: FakeMachine) -> dict[str, Check]:
    return {check.name: check for check in excel_doctor.checks(computer)}


def addin(computer: FakeMachine) -> Path:
    return excel_install.places(computer).addin


def test_nothing_is_wrong_on_a_computer_where_all_is_as_it_should_be(
    computer: FakeMachine,
) -> None:
    checks = excel_doctor.checks(computer)
    assert not any_wrong(checks)
    states = {check.name: check.state for check in checks}
    assert states.pop("virus scanner") == "look"
    assert states.pop("trusted locations") == "look"  # the template in the documents
    assert set(states.values()) == {"ok"}


def older_xlwings(computer: FakeMachine) -> None:
    computer.packages["xlwings"] = "0.36.0"


def no_xlwings(computer: FakeMachine) -> None:
    del computer.packages["xlwings"]


def store_excel(computer: FakeMachine) -> None:
    computer.registry[EXCEL, ""] = r"C:\Program Files\WindowsApps\Microsoft.Office\EXCEL.EXE"


def no_excel(computer: FakeMachine) -> None:
    del computer.registry[EXCEL, ""]


def downloaded(computer: FakeMachine) -> None:
    computer.zones[addin(computer)] = "[ZoneTransfer]\r\nZoneId=3\r\n"


def no_dll(computer: FakeMachine) -> None:
    (computer.prefix / "xlwings64-0.37.8.dll").unlink()


def no_pywin32(computer: FakeMachine) -> None:
    del computer.packages["pywin32"]


def addin_gone(computer: FakeMachine) -> None:
    addin(computer).unlink()


def settings_gone(computer: FakeMachine) -> None:
    excel_install.settings_file(computer).unlink()


def python_gone(computer: FakeMachine) -> None:
    text = b'"INTERPRETER_WIN","C:\\gone\\python.exe"\r\n'
    excel_install.settings_file(computer).write_bytes(text)


def settings_name_nothing(computer: FakeMachine) -> None:
    excel_install.settings_file(computer).write_bytes(b'"SHOW CONSOLE","True"\r\n')


def no_macros(computer: FakeMachine) -> None:
    computer.registry[rf"HKCU\Software\Policies\{SECURITY}", "VBAWarnings"] = 4


def signed_macros_only(computer: FakeMachine) -> None:
    computer.registry[rf"HKCU\Software\{SECURITY}", "VBAWarnings"] = 3


def no_child_programs(computer: FakeMachine) -> None:
    computer.registry[RULES, "d4f940ab-401b-4efc-aadc-ad5f3c50688a"] = "1"


def no_calls_of_dlls(computer: FakeMachine) -> None:
    computer.registry[RULES, "92e97fa1-2edf-4476-bdd6-9dd0b4dddc7b"] = 1


def old_conda(computer: FakeMachine) -> None:
    (computer.prefix / "conda-meta").mkdir()


def list_damaged(computer: FakeMachine) -> None:
    (computer.home / ".crossmargin" / "excel.json").write_text("?")


@pytest.mark.parametrize(
    ("damage", "name", "found", "advice"),
    [
        (no_xlwings, "xlwings", "not installed", 'pip install "crossmargin[excel]"'),
        (older_xlwings, "VBA in crossmargin.xlam", "made for xlwings 0.37.8", "excel install"),
        (store_excel, "Excel", "Microsoft Store", "office.com"),
        (no_excel, "Excel", "no Excel is registered", "desktop Excel"),
        (downloaded, "mark of the web on crossmargin.xlam", "marked as downloaded", "Unblock"),
        (no_dll, "DLL beside Python", "xlwings64-0.37.8.dll is not in", "pip install"),
        (no_pywin32, "pywin32", "not installed", "pip install pywin32"),
        (addin_gone, "crossmargin.xlam", "is gone", "excel install"),
        (settings_gone, "settings", "is missing", "excel install"),
        (python_gone, "settings", r"C:\gone\python.exe, which is gone", "excel install"),
        (settings_name_nothing, "settings", "names no Python", "excel install"),
        (no_macros, "policies for macros", "an administrator blocks all macros", "trusted"),
        (signed_macros_only, "policies for macros", "the Trust Center allows signed", "sign"),
        (no_child_programs, "rules of Defender", "cannot start Python", "exception"),
        (no_calls_of_dlls, "rules of Defender", "cannot reach xlwings", "exception"),
        (old_conda, "conda", "no condabin", "python -m venv"),
        (list_damaged, "installation", "is no list of what", "remove that file"),
    ],
)
def test_a_trouble_is_found_and_has_something_to_do(
    computer: FakeMachine,
    damage: Callable[[FakeMachine], None],
    name: str,
    found: str,
    advice: str,
) -> None:
    damage(computer)
    check = rows(computer)[name]
    assert check.state == "wrong"
    assert found in check.found
    assert advice in check.advice
    assert any_wrong(excel_doctor.checks(computer))


def test_nothing_installed_is_said_with_the_command_that_installs(tmp_path: Path) -> None:
    check = rows(windows(tmp_path))["installation"]
    assert (check.state, check.found) == ("wrong", "nothing is installed")
    assert check.advice == "run: crossmargin excel install"


@pytest.mark.parametrize(
    ("kind", "dll", "expected"),
    [
        (0x8664, "xlwings64-0.37.8.dll", ("ok", "64 bits")),
        (0x14C, "xlwings32-0.37.8.dll", ("look", "32 bits; Python 64 bits")),
        (0xAA64, "xlwings64-0.37.8.dll", ("look", "ARM64")),
    ],
)
def test_the_bits_of_excel_are_read_from_its_program(
    computer: FakeMachine, tmp_path: Path, kind: int, dll: str, expected: tuple[str, str]
) -> None:
    computer.registry[EXCEL, ""] = str(write_program(tmp_path / "other" / "EXCEL.EXE", kind))
    (computer.prefix / dll).write_bytes(b"")
    found = rows(computer)
    assert found["Excel"].state == expected[0]
    assert expected[1] in found["Excel"].found
    assert found["DLL beside Python"].found == dll


def test_bits_that_cannot_be_read_are_not_guessed(computer: FakeMachine, tmp_path: Path) -> None:
    for data in (b"", b"MZ", b"MZ".ljust(0x40, b"\xff"), b"PE" * 200):
        (tmp_path / "EXCEL.EXE").write_bytes(data)
        computer.registry[EXCEL, ""] = str(tmp_path / "EXCEL.EXE")
        assert rows(computer)["Excel"].state == "not checked"


def test_places_in_the_cloud_and_on_the_network_are_named(computer: FakeMachine) -> None:
    computer.variables["OneDrive"] = str(computer.home / "Documents")
    check = rows(computer)["place of crossmargin.xlsm"]
    assert check.state == "look"
    assert "OneDrive" in check.found
    (on_network,) = [
        check
        for check in excel_doctor._place(computer, Path("//server/share/crossmargin.xlsm"))
        if check.name.startswith("place")
    ]
    assert "on the network" in on_network.found


def test_a_trusted_location_is_recognised(computer: FakeMachine) -> None:
    documents = str(computer.home / "Documents")
    computer.registry[rf"{LOCATIONS}\Location3", "Path"] = documents
    assert rows(computer)["trusted locations"].state == "ok"
    computer.registry[LOCATIONS, "AllLocationsDisabled"] = 1
    assert "switched off" in rows(computer)["trusted locations"].found


def test_another_python_in_the_settings_is_shown(computer: FakeMachine, tmp_path: Path) -> None:
    other = tmp_path / "other.exe"
    other.write_bytes(b"")
    text = f'"INTERPRETER_WIN","{other}"\r\n'.encode()
    excel_install.settings_file(computer).write_bytes(text)
    check = rows(computer)["settings"]
    assert check.state == "look"
    assert str(other) in check.found
    computer.registry[r"HKCU\Software\Python\PythonCore\3.11", ""] = ""
    computer.registry[r"HKLM\Software\Python\PythonCore\3.13", ""] = ""
    assert "3.11, 3.13" in rows(computer)["Pythons"].found


def test_an_environment_of_conda_that_can_be_activated_is_fine(
    computer: FakeMachine, tmp_path: Path
) -> None:
    (computer.prefix / "conda-meta").mkdir()
    computer.variables["CONDA_EXE"] = str(tmp_path / "conda" / "Scripts" / "conda.exe")
    (tmp_path / "conda" / "condabin").mkdir(parents=True)
    (tmp_path / "conda" / "condabin" / "conda.bat").write_bytes(b"")
    (computer.prefix / "conda-meta").touch()
    settings = excel_install.settings_of(computer)
    excel_install.settings_file(computer).write_bytes(settings)
    found = rows(computer)
    assert found["conda"].state == "ok"
    assert found["settings"].state == "ok"
    computer.variables["CONDA_EXE"] = str(tmp_path / "elsewhere" / "Scripts" / "conda.exe")
    assert rows(computer)["conda"].state == "wrong"


def test_off_windows_it_says_what_it_cannot_see(computer: FakeMachine) -> None:
    computer.system = "Linux"
    found = rows(computer)
    assert found["system"].state == "look"
    assert found["VBA in crossmargin.xlam"].state == "ok"
    unseen = {name for name, check in found.items() if check.state == "not checked"}
    assert "DLL beside Python" in unseen
    assert "policies for macros" in unseen


def test_every_row_that_is_not_fine_says_what_to_do(computer: FakeMachine) -> None:
    for damage in (no_macros, no_dll, downloaded, python_gone, no_pywin32):
        damage(computer)
    for check in excel_doctor.checks(computer):
        assert check.found
        assert check.advice or check.state == "ok"
    header = ("check", "state", "found", "what_to_do")
    assert as_table(excel_doctor.checks(computer)).header == header


def test_the_command_ends_with_one_when_something_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine.ThisMachine, "home", tmp_path)
    assert cli.main(["excel", "doctor", "--json"]) == 1
    listed = json.loads(capsys.readouterr().out)
    assert {"check": "installation", "state": "wrong"}.items() <= next(
        row for row in listed if row["check"] == "installation"
    ).items()
    assert cli.main(["excel", "doctor"]) == 1
    assert "-> run: crossmargin excel install" in capsys.readouterr().out
