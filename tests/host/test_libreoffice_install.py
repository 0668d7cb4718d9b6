"""LibreOffice is found, told what to do, and asked whether it did it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossmargin import cli
from crossmargin.hosts import libreoffice, libreoffice_install, libreoffice_program
from crossmargin.hosts.libreoffice_install import Scope, scope_of
from crossmargin.hosts.machine import Finished, ThisMachine
from tests.host import office
from tests.host.fake_machine import FakeMachine, tree, windows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LISTED = f"""All deployed user extensions:

Identifier: org.example.other
  Version: 7.7
  URL: file:///other.oxt

Identifier: {libreoffice.IDENTIFIER}
  Version: 0.1.0
  URL: file:///crossmargin.oxt
"""


def program(folder: Path, version: str, python: str = "3.11") -> Path:
    """Write what stands for a LibreOffice: its version is in the file."""
    path = folder / version / "program" / "soffice"
    path.parent.mkdir(parents=True)
    path.write_text(version)
    (path.parent / f"python-core-{python}.9").mkdir()
    return path


def linux(folder: Path, *programs: Path, answer: str = LISTED) -> FakeMachine:
    """Return a computer whose LibreOffices say their version and list their extensions."""

    def said(command: Sequence[str]) -> Finished:
        if "--version" in command:
            return Finished(0, f"LibreOffice {Path(command[0]).read_text()} 520(Build:2)")
        return Finished(0, answer if "list" in command else "")

    computer = FakeMachine(
        home=folder,
        python=folder / "python",
        prefix=folder,
        system="Linux",
        packages={"crossmargin": "0.1.0"},
        answer=said,
    )
    if programs:
        computer.programs["soffice"] = programs[0]
    return computer


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the LibreOffices of the computer on which the test runs."""
    places = libreoffice_program._places
    monkeypatch.setattr(
        libreoffice_program,
        "_places",
        lambda machine: [path for path in places(machine) if path in machine.programs.values()],
    )


@pytest.mark.usefixtures("alone")
def test_no_libreoffice_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no LibreOffice was found: install it"):
        libreoffice_program.chosen(linux(tmp_path))
    with pytest.raises(ValueError, match="no LibreOffice was found at nowhere"):
        libreoffice_program.chosen(linux(tmp_path), Path("nowhere"))


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("version", "python", "reason"),
    [
        ("7.4.7.2", "3.11", r"are #NAME\? in .xlsx files"),
        ("25.1.9.9", "3.11", "before 25.2"),
        ("25.2.3.2", "3.10", "is 3.10, must be 3.11"),
        ("no version", "3.11", "does not say its version"),
    ],
)
def test_one_that_cannot_work_is_refused_with_the_reason(
    tmp_path: Path, version: str, python: str, reason: str
) -> None:
    computer = linux(tmp_path, program(tmp_path, version, python))
    scope = Scope(is_shared=False)
    with pytest.raises(ValueError, match=reason):
        libreoffice_install.install(computer, scope)
    assert not [asked for asked in computer.asked if "add" in asked], "nothing was added"
    checks = libreoffice_install.doctor(computer, scope)
    assert [check.state for check in checks] == ["wrong", "wrong"]


@pytest.mark.usefixtures("alone")
def test_of_several_the_only_one_that_works_is_taken_else_one_must_be_named(
    tmp_path: Path,
) -> None:
    old, new, newer = (program(tmp_path, name) for name in ("7.4.7", "25.2.3", "26.8.2"))
    computer = linux(tmp_path, old)
    computer.programs |= {"b": new}
    found = [libreoffice_program._program(computer, path) for path in (old, new, newer)]
    assert [bool(libreoffice_program.too_old(one)) for one in found] == [True, False, False]
    assert libreoffice_program.chosen(computer, newer).version == (26, 8, 2)
    assert libreoffice_program.chosen(computer, newer).unopkg == newer.with_name("unopkg")


def test_several_that_would_do_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = [program(tmp_path, "25.2.3"), program(tmp_path, "26.8.2")]
    monkeypatch.setattr(libreoffice_program, "_places", lambda _: both)
    computer = linux(tmp_path)
    with pytest.raises(ValueError, match=r"name one with --soffice: LibreOffice 26.8.2 .*25.2.3"):
        libreoffice_program.chosen(computer)
    monkeypatch.setattr(libreoffice_program, "_places", lambda _: [*both, both[0]])
    assert len(libreoffice_program.found(computer)) == 2


@pytest.mark.usefixtures("alone")
def test_an_ordinary_user_installs_for_himself_and_root_for_all(tmp_path: Path) -> None:
    computer = linux(tmp_path, program(tmp_path, "25.2.3"))
    scope = scope_of(computer, is_shared=False)
    found, version = libreoffice_install.install(computer, scope)
    assert version == "0.1.0"
    (added,) = [asked for asked in computer.asked if "add" in asked]
    assert added[:4] == [str(found.unopkg), "add", "--force", "--suppress-license"]
    assert "--shared" not in added
    computer.is_root = True
    libreoffice_install.install(computer, scope_of(computer, is_shared=False))
    assert "--shared" in [asked for asked in computer.asked if "add" in asked][1]


@pytest.mark.usefixtures("alone")
def test_an_extension_that_is_not_listed_afterwards_was_refused(tmp_path: Path) -> None:
    computer = linux(tmp_path, program(tmp_path, "25.2.3"), answer="<none>")
    with pytest.raises(ValueError, match="did not take the add-in"):
        libreoffice_install.install(computer, Scope(is_shared=False))
    (check,) = libreoffice_install.doctor(computer, Scope(is_shared=False))[2:]
    assert (check.state, check.advice) == ("wrong", "run: crossmargin libreoffice install")


@pytest.mark.usefixtures("alone")
def test_an_add_in_of_another_version_is_wrong(tmp_path: Path) -> None:
    computer = linux(tmp_path, program(tmp_path, "25.2.3"))
    computer.packages["crossmargin"] = "0.2.0"
    checks = libreoffice_install.doctor(computer, Scope(is_shared=False))
    found = next(check for check in checks if check.name.startswith("add-in"))
    assert found.found == "the add-in is 0.1.0, the package is 0.2.0"
    assert found.state == "wrong"
    trial = checks[-1]
    assert (trial.name, trial.state) == ("trial calculation", "wrong")
    assert "gave no answer" in trial.found


@pytest.mark.usefixtures("alone")
def test_one_that_keeps_the_add_in_is_named(tmp_path: Path) -> None:
    computer = linux(tmp_path, program(tmp_path, "25.2.3"))
    with pytest.raises(ValueError, match="kept the add-in"):
        libreoffice_install.uninstall(computer, Scope(is_shared=False))
    computer = linux(tmp_path, tmp_path / "25.2.3/program/soffice", answer="<none>")
    assert libreoffice_install.uninstall(computer, Scope(is_shared=False)) == []


def test_on_windows_the_registry_names_the_folder(tmp_path: Path) -> None:
    computer = windows(tmp_path)
    folder = tmp_path / "LibreOffice" / "program"
    folder.mkdir(parents=True)
    (folder / "soffice.com").write_text("25.8.1")
    computer.registry[r"HKLM\SOFTWARE\LibreOffice\UNO\InstallPath", ""] = str(folder)
    computer.answer = lambda _: Finished(0, "LibreOffice 25.8.1.1 abc")
    found = libreoffice_program.chosen(computer)
    assert found.soffice == (folder / "soffice.com").resolve()
    assert found.unopkg.name == "unopkg.com"


def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    done = ThisMachine().run(["sleep", "60"], 0.2)
    assert done.code is None
    assert done.output == "did not end within 0.2 seconds"
    assert ThisMachine().run([str(tmp_path / "nothing")], 1.0).code is None


class OrdinaryUser(ThisMachine):
    """This computer, on which LibreOffice is run by somebody who is not root."""

    is_root = False

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(
        self,
        command: Sequence[str],
        seconds: float,
        environment: Mapping[str, str] | None = None,
    ) -> Finished:
        for word in command:
            if word.startswith(tempfile.gettempdir()):
                path = Path(word)
                (path if path.is_dir() else path.parent).chmod(0o777)
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        prefix = as_nobody if ThisMachine.is_root else []
        return super().run([*prefix, "env", f"HOME={self.home}", *command], seconds, environment)


def test_an_ordinary_user_needs_no_root() -> None:
    reason = office.missing()
    if reason:
        pytest.skip(reason)
    # pytest's own folders are for root alone
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o777)
        computer = OrdinaryUser(home)
        scope = scope_of(computer, is_shared=False)
        assert not scope.is_shared
        found, version = libreoffice_install.install(computer, scope)
        assert version == computer.installed("crossmargin")
        assert {check.state for check in libreoffice_install.doctor(computer, scope)} == {"ok"}
        assert libreoffice_install.uninstall(computer, scope) == [found]
        assert libreoffice_install.registered_version(computer, found, scope) is None


def test_a_real_libreoffice_takes_it_calculates_and_gives_it_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = office.missing()
    if reason:
        pytest.skip(reason)
    options = ["--profile", str(tmp_path), "--json"]
    assert cli.main(["libreoffice", "doctor", *options]) == 1
    capsys.readouterr()
    for _ in range(2):  # the second replaces the first
        assert cli.main(["libreoffice", "install", *options]) == 0
    capsys.readouterr()
    assert cli.main(["libreoffice", "doctor", *options]) == 0
    checks = json.loads(capsys.readouterr().out)
    assert {check["state"] for check in checks} == {"ok"}
    # 1 BTC at 60,000 by hand: maintenance is half of the initial margin at 40 times
    assert checks[-1]["found"] == "CM_MM = 750, as in Python"
    assert cli.main(["libreoffice", "uninstall", *options]) == 0
    assert len(json.loads(capsys.readouterr().out)["removed_from"]) == 1
    assert not [name for name in tree(tmp_path) if name.endswith((".oxt", "crossmargin_uno.py"))]
    assert cli.main(["libreoffice", "uninstall", *options]) == 0
    assert json.loads(capsys.readouterr().out)["removed_from"] == []
