"""What all tests share: the shared folder, and an honest account of what did not run."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT = Path(__file__).resolve().parent.parent
IS_CI = os.environ.get("CI", "").lower() in {"1", "true"}
_IGNORED_IN_RUST = re.compile(
    r"^test (?P<name>.+?) \.\.\. ignored(?:, (?P<reason>.*))?$", re.MULTILINE
)


_refused: list[tuple[str, str]] = []  # skips that CI counts as failures


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the shared reference data: beside the checkout, or named by the environment."""
    folder = Path(os.environ.get("CROSSMARGIN_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        sentence = (
            f"the shared data folder {folder} is missing; "
            "put it beside the checkout or name it in CROSSMARGIN_SHARED"
        )
        if IS_CI:
            pytest.fail(sentence)
        pytest.skip(sentence)
    return folder


def _reason(report: pytest.CollectReport | pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(report.longrepr)


def _refuse_skip(report: pytest.CollectReport | pytest.TestReport) -> None:
    if IS_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = _reason(report)
        _refused.append((report.nodeid, reason))
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI counts as a failure: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where CI=true."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skipped module into a failure where CI=true."""
    report = yield
    _refuse_skip(report)
    return report


def _ignored_in_rust() -> list[tuple[str, str]]:
    log = os.environ.get("CROSSMARGIN_CARGO_LOG")
    if not log or not Path(log).is_file():
        return []
    text = Path(log).read_text(encoding="utf-8", errors="replace")
    return [
        (f"cargo: {found['name']}", found["reason"] or "marked as ignored")
        for found in _IGNORED_IN_RUST.finditer(text)
    ]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where CI=true and a Rust test was ignored."""
    if IS_CI and _ignored_in_rust() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name, last, each test that did not run, and why."""
    stats = terminalreporter.stats
    missing = [(report.nodeid, _reason(report)) for report in stats.get("skipped", [])]
    missing += _refused
    missing += [
        (item.nodeid, "deselected on the command line") for item in stats.get("deselected", [])
    ]
    missing += _ignored_in_rust()
    if not missing:
        terminalreporter.write_line("No test was skipped, deselected or ignored.")
        return
    failing = ", which CI counts as failure" if IS_CI else ""
    terminalreporter.section(f"{len(missing)} did not run{failing}")
    for name, reason in missing:
        terminalreporter.write_line(f"{name}: {reason}")
