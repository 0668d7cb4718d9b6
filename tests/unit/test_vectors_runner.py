"""The runner of the acceptance vectors, with packages and adapters made for the test."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.vectors import __main__ as command
from tests.vectors import facade as facade_module
from tests.vectors import syntax_guard
from tests.vectors.adapters import ADAPTERS
from tests.vectors.compare import differences
from tests.vectors.exemptions import UNCOMPARED
from tests.vectors.runner import Status, run_file
from tests.vectors.view import (
    Adapter,
    CaseView,
    EngineStep,
    Missing,
    NotApplicableError,
    Shape,
    spelled,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.vectors.facade import Facade
    from tests.vectors.runner import FileReport, Registry
    from tests.vectors.view import Answer, Fields

NO_FACADE = cast("Facade", SimpleNamespace())
PRICE = Shape(required=spelled("entry"))


def answering(answer: Callable[[Fields], Answer]) -> Adapter:
    """Return an adapter for ``{entry}`` that answers with `answer`."""
    return Adapter(PRICE, lambda _case, fields, _facade: answer(fields))


def case(inputs: Mapping[str, Any], expected: Mapping[str, Any], **more: object) -> dict[str, Any]:
    """Return a case with an absolute tolerance of 1e-9 unless `more` has another."""
    return {
        "id": "case",
        "inputs": inputs,
        "expected": expected,
        "tolerance": {"abs": 1e-9},
        **more,
    }


def run(folder: Path, cases: list[dict[str, Any]], adapters: Registry, **more: Any) -> FileReport:
    """Write `cases` to a vector file and run it."""
    path = folder / "file.json"
    path.write_text(json.dumps({"meta": {"topic": "a test"}, "cases": cases}), encoding="utf-8")
    return run_file(path, NO_FACADE, adapters, **more)


def rounded_off(got: object, expected: object, **tolerance: object) -> bool:
    """Return whether `got` passes for `expected` in a field named ``x``."""
    return not differences({"x": expected}, {"x": got}, tolerance)


def test_the_report_counts_each_outcome_of_a_file(tmp_path: Path) -> None:
    cases = [
        case({"entry": 1.0}, {"price": 1.0}, id="right"),
        case({"entry": 2.0}, {"price": 1.0}, id="wrong"),
        case({"exit": 1.0}, {"price": 1.0}, id="unknown"),
    ]
    report = run(tmp_path, cases, [answering(lambda fields: {"price": fields["entry"]})])
    assert report.as_json() == {
        "file": "file.json",
        "ran": 2,
        "passed": 1,
        "failed": 1,
        "not_applicable": 1,
        "reasons": {
            "wrong": "price: got 2.0, expected 1.0, tolerance abs 1e-09, rel 0",
            "unknown": "not applicable: no adapter for inputs {exit}",
        },
    }
    assert re.search(r"ran +2 +passed +1 +failed +1 +not applicable +1", report.line())


def test_an_unknown_shape_is_not_applicable_and_its_inner_keys_are_named(tmp_path: Path) -> None:
    inputs = {"position": {"size": 1, "mark": 2}, "others": [{"id": 1}], "flat": 3}
    report = run(tmp_path, [case(inputs, {"price": 1})], ADAPTERS)
    reason = "not applicable: no adapter for inputs {flat, others[{id}], position{mark, size}}"
    assert report.outcomes[0].reason == reason


def test_an_input_that_the_shape_does_not_know_is_never_ignored() -> None:
    assert PRICE({"entry": 1.0}) == {"entry": 1.0}
    assert PRICE({"entry": 1.0, "funding": 2.0}) is None
    assert PRICE({"entry": None}) is None
    assert PRICE({}) is None


def test_a_shape_reads_spellings_optional_nulls_and_inner_rows() -> None:
    shape = Shape(
        required=spelled(floor="floor floor_*"),
        optional=spelled("fee", others="other_positions"),
        inner={"others": PRICE},
    )
    assert shape({"floor_btc": 5}) == {"floor": 5, "fee": None, "others": None}
    rows = {"floor": 5, "fee": None, "other_positions": [{"entry": 1}, {"entry": 2}]}
    assert shape(rows) == {"floor": 5, "fee": None, "others": [{"entry": 1}, {"entry": 2}]}
    assert shape({"floor": 5, "other_positions": [{"exit": 1}]}) is None
    assert shape({"floor": 5, "floor_btc": 5}) is None


def test_an_adapter_sees_the_names_of_the_expected_fields_and_never_a_value(
    tmp_path: Path,
) -> None:
    seen: list[CaseView] = []

    def answer(view: CaseView, _fields: Fields, _facade: Facade) -> Answer:
        seen.append(view)
        return {"price": 123456.75}

    secret = case(
        {"entry": 1.0},
        {"price": 123456.75},
        notes="123456.75",
        recomputed_values={"price": 123456.75},
        description="123456.75",
    )
    report = run(tmp_path, [secret], [Adapter(PRICE, answer)])
    assert report.count(Status.PASSED) == 1
    assert seen[0].expected_names == ("price",)
    assert "123456.75" not in repr(seen[0])
    assert {field.name for field in dataclasses.fields(CaseView)} == {
        *("id", "method", "kind", "venue", "product", "inputs", "meta", "shared"),
        "expected_names",
    }
    with pytest.raises(dataclasses.FrozenInstanceError):
        seen[0].id = "other"  # type: ignore[misc]
    assert not hasattr(seen[0], "__dict__")


def test_an_adapter_cannot_change_the_inputs_of_the_next_case(tmp_path: Path) -> None:
    shape = Shape(required=spelled("rows"))
    taking = Adapter(shape, lambda _case, fields, _facade: {"count": fields["rows"].pop()})
    document = case({"rows": [1, 2]}, {"count": 2})
    report = run(tmp_path, [document, {**document, "id": "again"}], [taking])
    assert report.count(Status.PASSED) == 2


def test_an_exception_of_the_package_is_a_failed_case(tmp_path: Path) -> None:
    class PanicError(BaseException):
        pass

    def panic(_fields: Fields) -> Answer:
        raise PanicError("index out of bounds")

    report = run(tmp_path, [case({"entry": 1}, {"price": 1})], [answering(panic)])
    assert report.outcomes[0].status is Status.FAILED
    assert report.outcomes[0].reason == "raised PanicError: index out of bounds"


def test_a_case_that_the_interface_cannot_say_is_not_applicable_with_the_reason(
    tmp_path: Path,
) -> None:
    def refuse(_fields: Fields) -> Answer:
        raise NotApplicableError("the rate of an order has no column")

    report = run(tmp_path, [case({"entry": 1}, {"price": 1})], [answering(refuse)])
    assert report.outcomes[0].reason == "not applicable: the rate of an order has no column"
    assert report.ran == 0


def test_an_inner_step_is_reported_as_engine(tmp_path: Path) -> None:
    step = EngineStep(PRICE, "tests/golden/step.json")
    report = run(tmp_path, [case({"entry": 1}, {"price": 1})], [step])
    assert report.outcomes[0].status is Status.NOT_APPLICABLE
    assert report.outcomes[0].reason == "engine: an inner step, run by tests/golden/step.json"


def test_a_concept_that_the_model_lacks_is_named(tmp_path: Path) -> None:
    lacking = Missing(PRICE, "an auction whose offer moves with time")
    (outcome,) = run(tmp_path, [case({"entry": 1}, {"price": 1})], [lacking]).outcomes
    assert outcome.status is Status.NOT_APPLICABLE
    assert outcome.reason == (
        "not applicable: the model lacks: an auction whose offer moves with time"
    )


def test_a_missing_field_fails_unless_the_table_lists_it(tmp_path: Path) -> None:
    cases = [case({"entry": 1}, {"price": 1, "naive": 2})]
    adapters = [answering(lambda _fields: {"price": 1, "extra": 3})]
    failed = run(tmp_path, cases, adapters, uncompared={})
    assert "naive: got nothing (missing field), expected 2" in failed.outcomes[0].reason
    listed = {"file.json": {"naive": "wrong on purpose"}}
    assert run(tmp_path, cases, adapters, uncompared=listed).count(Status.PASSED) == 1


def test_each_field_that_is_not_compared_has_a_reason() -> None:
    reasons = [reason for fields in UNCOMPARED.values() for reason in fields.values()]
    assert reasons
    assert all(reason.startswith(("wrong on purpose", "prose")) for reason in reasons)


def test_a_file_that_holds_no_cases_fails_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text("[]", encoding="utf-8")
    report = run_file(path, NO_FACADE, [])
    assert report.count(Status.FAILED) == 1
    assert report.outcomes[0].reason.startswith("not a vector file")


@pytest.mark.parametrize(
    ("got", "expected", "tolerance", "passes"),
    [
        (100.4, 100, {"abs": 0.5}, True),
        (100.6, 100, {"abs": 0.5}, False),
        (100.6, 100, {"abs": 0.5, "rel": 0.01}, True),
        (-101.1, -100, {"rel": 0.01}, False),
        (1.0, 1, {}, True),
        (1.0 + 1e-15, 1, {}, False),
        (float("nan"), 1, {"abs": 1e9}, False),
        (float("inf"), 1, {"rel": 1e9}, False),
        (None, 1, {"abs": 1e9}, False),
        ("1", 1, {"abs": 1e9}, False),
        (True, 1, {"abs": 1e9}, False),
        (1, True, {}, False),
        (True, True, {"exact": True}, True),
        (None, None, {}, True),
        (0.0, None, {"abs": 1e9}, False),
        (None, "undefined", {}, True),
        (None, "infinite (never liquidated)", {}, True),
        (1e300, "infinite (never liquidated)", {}, False),
        (None, "a sentence", {}, False),
        (["B", "A"], ["A", "B"], {"exact": True}, False),
        (("A", "B"), ["A", "B"], {"exact": True}, True),
        ([1.0, 2.0], [1, 2, 3], {"abs": 9}, False),
        ([1.0, {"a": 2.0, "b": 5}], [1, {"a": 2}], {"abs": 1e-9}, True),
        ([1.0, {"a": 2.1}], [1, {"a": 2}], {"abs": 1e-9}, False),
        ({"a": 1}, {"a": 1, "b": None}, {}, False),
        (879.9999999999999, 880, {"truncate_toward_zero": ["x"], "snap": 1e-6}, True),
        (-880.9, -880, {"truncate_toward_zero": ["x"], "snap": 1e-6}, True),
        (879.9, 880, {"truncate_toward_zero": ["x"], "snap": 1e-6}, False),
        (880.9, 880, {"truncate_toward_zero": ["y"], "snap": 1e-6}, False),
        (0.9, 1, {"upper_bound": ["x"]}, True),
        (1.0, 1, {"upper_bound": ["x"]}, False),
        (10.5, 10, {"fields": {"x": {"abs": 1}}}, True),
        (10.5, 10, {"abs": 1, "fields": {"x": {"abs": 0.1}}}, False),
        ([10.5], [10], {"fields": {"x": {"abs": 1}}}, True),
        ({"deep": {"y": 10.5}}, {"deep": {"y": 10}}, {"fields": {"y": {"abs": 1}}}, True),
    ],
)
def test_the_tolerance_rules_are_those_of_the_readme(
    got: object, expected: object, tolerance: dict[str, object], *, passes: bool
) -> None:
    assert rounded_off(got, expected, **tolerance) is passes


def test_arrays_of_other_libraries_compare_as_lists() -> None:
    class Array:
        def tolist(self) -> list[float]:
            return [1.0, 2.0]

    assert rounded_off(Array(), [1, 2], abs=1e-9)


@pytest.mark.parametrize(
    "line",
    [
        "value = entry + margin",
        "value = entry - margin",
        "value = entry * leverage",
        "value = entry / leverage",
        "value = 1 / PERCENT_UNIT_TWO",
        "value = entry // PERCENT_UNIT",
        "value = PERCENT_UNIT / entry",
        "value = entry % 2",
        "value = entry ** 2",
        "value = -entry",
        "entry += 1",
        "entry *= PERCENT_UNIT",
        "value = sum(rows)",
        "value = max(rows)",
        "value = abs(entry)",
        "value = list(map(round, rows))",
        "value = entry.__add__(margin)",
        "value = entry <= margin",
        "import math",
        "from operator import mul",
        "from .units import RATE_UNIT",
        "from tests.vectors.compare import differences",
        "from tests.vectors.adapters.units import PERCENT_UNIT as OTHER_UNIT",
        "RATE_UNIT = entry",
        "value = lambda RATE_UNIT: entry * RATE_UNIT",
        "value = eval('1 + 1')",
        "value = open('expected.json')",
    ],
)
def test_the_guard_finds_calculation_in_an_adapter(line: str) -> None:
    found = syntax_guard.check_source(f"entry = margin = 1.0\n{line}\n", "bad.py")
    assert found
    assert {violation.line for violation in found} == {2}


def test_the_guard_allows_renaming_reshaping_and_scaling() -> None:
    source = """
from tests.vectors.adapters.units import PERCENT_UNIT
def answer(case, fields, facade):
    rows = [{**row, "rate": row["rate"] * PERCENT_UNIT} for row in fields["rows"]]
    last = rows[-1] | {"price": -1.0, "percent": fields["x"] / PERCENT_UNIT}
    return {"ok": last["status"] != "restricted", "is": last is not None, "in": "a" in last}
"""
    assert syntax_guard.check_source(source, "good.py") == []


def test_a_unit_is_a_literal_number() -> None:
    assert syntax_guard.check_source("A_UNIT: Final = -1.0\n", "units.py") == []
    assert syntax_guard.check_source("A_UNIT = float('1')\n", "units.py")


def test_the_adapters_do_not_calculate() -> None:
    assert syntax_guard.check_folder(at_least=command.ADAPTER_FILES_AT_LEAST) == []


def test_the_guard_refuses_to_pass_over_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must hold 1 adapter files or more, held 0"):
        syntax_guard.check_folder(tmp_path, at_least=1)


def write_folder(folder: Path, expected: float) -> None:
    """Write a file with one Hyperliquid row that expects `expected`."""
    inputs = {"side": "long", "entry": 100, "size": 1, "isolated_margin": 10, "mm_rate": 0}
    document = {"meta": {}, "cases": [case(inputs, {"liquidation_price": expected})]}
    (folder / "rows.json").write_text(json.dumps(document), encoding="utf-8")


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """Put a package in the place of crossmargin that answers 90, and return the books it got."""
    books: list[tuple[Any, Any]] = []

    def book(positions: Any, rulebook: Any, **_more: Any) -> int:
        books.append((positions, rulebook))
        return len(books)

    fake = SimpleNamespace(book=book, liquidation_price=lambda _book, _underlying: 90.0)
    monkeypatch.setattr(facade_module, "load", lambda: fake)
    return books


@pytest.mark.parametrize(("expected", "status"), [(90.0, 0), (91.0, 1)])
def test_the_command_reports_each_file_and_fails_when_a_case_fails(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    package: list[tuple[Any, Any]],
    expected: float,
    status: int,
) -> None:
    write_folder(tmp_path, expected)
    report = tmp_path / "out" / "report.txt"
    report.parent.mkdir()
    assert command.main(["--folder", str(tmp_path), "--json", str(report)]) == status
    written = json.loads(report.read_text(encoding="utf-8"))
    assert list(written) == ["files"]
    assert written["files"][0]["failed"] == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("rows.json ")
    assert len(lines) == 1 + status
    row = package[0][0][0]
    assert (row["contracts"], row["side"], row["marginMode"]) == (1, "long", "isolated")


def test_the_command_fails_where_there_is_no_vector(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--folder", str(tmp_path)]) == 1
    assert "held none" in capsys.readouterr().out


def test_the_folder_can_be_set_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(command.SHARED_FOLDER_VARIABLE, str(tmp_path))
    assert command.default_folder() == tmp_path / "vectors"
    monkeypatch.delenv(command.SHARED_FOLDER_VARIABLE)
    checkout = Path(command.__file__).resolve().parents[2]
    assert command.default_folder() == checkout.parent / "shared" / "vectors"


def test_without_the_package_each_case_fails_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_module(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr("importlib.import_module", no_module)
    write_folder(tmp_path, 90.0)
    report = run_file(tmp_path / "rows.json", facade_module.load(), ADAPTERS)
    assert "crossmargin cannot be imported" in report.outcomes[0].reason
