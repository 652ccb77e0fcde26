"""Checks as tests: each one passes, fails with its findings, is an expected failure, or is skipped with the reason.

    @backproof.parametrize_with_checks([my_conv, "numba"])
    def test_my_conv(implementation, check):
        check(implementation)

Every target is opened once per process and options, by the first test that needs it, and closed by `close_all`: at the
end of pytest's session, or of the process.
"""

from __future__ import annotations

import atexit
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from backproof import strictness
from backproof.api import VerificationError, options_for
from backproof.events import Event, Finding, TargetBound
from backproof.objects import label
from backproof.options import chosen
from backproof.report import finding as findings
from backproof.report.summary import Run
from backproof.report.words import command, shape
from backproof.runner import CheckResult, RunOptions, Verification
from backproof.targets.errors import TargetError

if TYPE_CHECKING:
    import pytest

#: The test that a strict run adds: how the target was bound.
STRICT = "strict"


class StaleExpectationWarning(UserWarning):
    """A failure was expected, and did not come: the expectation would hide the next one."""


def parametrize_with_checks(targets: Sequence[Any], **options: Any) -> pytest.MarkDecorator:
    """Parametrize a test over `(implementation, check)`, with ids such as `my_conv-exact`.

    `targets` are as for `backproof.check`, and `options` too; `check(implementation)` runs one check.

    Raises:
        TargetError: Another process could not import a target; the message says what to pass instead.
        TypeError: An option that does not exist.
    """
    import pytest

    if isinstance(targets, str) or not isinstance(targets, Iterable):
        raise TypeError(f"targets must be a list such as [my_conv, 'numba'], not {targets!r}")
    parameters = []
    for target in targets:
        asked = options_for(target, options)
        parameters += [
            pytest.param(target, CheckOfTarget(check, options), id=f"{label(target)}-{check}")
            for check in names_of_tests(asked)
        ]
    return pytest.mark.parametrize(("implementation", "check"), parameters)


def names_of_tests(options: RunOptions) -> list[str]:
    """The checks of a run; a strict one has one more test, `strict`."""
    checks = [check.id for check in chosen(options)]
    return [*checks, STRICT] if options.strict else checks


@dataclass(frozen=True, slots=True)
class CheckOfTarget:
    """One check, to be called with an implementation."""

    check: str
    options: dict[str, Any] = field(default_factory=dict)

    def __call__(self, implementation: Any) -> None:
        """Run the check.

        Raises:
            VerificationError: An `AssertionError` with the findings.
            TargetError: The target cannot be used.
        """
        __tracebackhide__ = True
        conclude(opened(options_for(implementation, self.options)), self.check)


# ---- targets that are open


@dataclass(slots=True)
class Opened:
    """An open target and what its run said so far; `error` where it could not be opened."""

    verification: Verification
    events: list[Event]
    error: TargetError | None = None


_OPEN: dict[str, Opened] = {}
#: The seed of what asks for none; pytest's plug-in sets it, so that every process has the same.
default_seed: int | None = None


def opened(options: RunOptions) -> Opened:
    """The open target for these options, opened where it is not.

    Raises:
        TargetError: It cannot be used; asked again, it is not tried again.
        ValueError: A value that an option does not take.
    """
    key = repr(options)
    if key not in _OPEN:
        if not _OPEN:
            atexit.register(close_all)
        seed = default_seed if options.seed is None else options.seed
        events: list[Event] = []
        one = Opened(Verification(replace(options, seed=seed), events.append), events)
        try:
            one.verification.__enter__()
        except TargetError as error:
            one.error = error
        _OPEN[key] = one
    if (failure := _OPEN[key].error) is not None:
        raise failure.with_traceback(None)
    return _OPEN[key]


def close_all() -> list[list[Event]]:
    """End every open target's run and process; the events of those runs in which a check ran."""
    recordings = []
    while _OPEN:
        _, one = _OPEN.popitem()
        if one.error is None:
            try:
                one.verification.finish()
            finally:
                one.verification.close()
            if any(event.kind == "check-finished" for event in one.events):
                recordings.append(one.events)
    atexit.unregister(close_all)
    return recordings[::-1]


# ---- outcomes


def conclude(one: Opened, check: str) -> None:
    """Run a check of an open target, and end as a test ends: by returning, failing, `xfail` or `skip`.

    Raises:
        VerificationError: With every finding that was not expected, or with what a strict run does not accept.
    """
    __tracebackhide__ = True
    import pytest

    strict = one.verification.options.strict
    if check == STRICT:
        expected = one.verification.expect_fail
        asked = [name for name in one.verification.checks if name not in expected]
        _refuse(strictness.of_target(one.verification.bound, asked))
        return
    result = one.verification.check(check)
    if result.finished.verdict == "failed":
        raise VerificationError(_failure(one, result, [f for f in result.findings if not f.expected_failure]))
    if strict:
        _refuse([*strictness.of_check(result.finished), *strictness.of_stale(result.stale)])
    for text in result.stale:
        message = f"{one.verification.options.target}, {check}: expected to fail, and did not: {text}"
        warnings.warn(StaleExpectationWarning(message), stacklevel=2)
    if result.finished.verdict == "expected failure":
        pytest.xfail("; ".join(result.finished.expected_failures.values()))
        raise VerificationError(_failure(one, result, result.findings))  # under --runxfail
    if result.finished.verdict == "not verified" and result.finished.shapes and not result.finished.expected_failures:
        lacking = [item for item in result.finished.shapes if item["verdict"] == "not verified"]
        raise VerificationError("\n".join(f"shape {item['shape']}: {shape(item)}" for item in lacking))
    if result.finished.verdict == "not verified":
        pytest.skip(f"not verified: {'; '.join(_reasons(one.verification.bound, result))}")


def _refuse(objections: Sequence[str]) -> None:
    __tracebackhide__ = True
    if objections:
        raise VerificationError("\n".join(["strict, and not accepted:", *(f"  - {text}" for text in objections)]))


def _failure(one: Opened, result: CheckResult, told: Sequence[Finding]) -> str:
    run = Run.of(one.events)
    texts = [findings.text(finding, run, number=number) for number, finding in enumerate(told, start=1)]
    return "\n\n".join([*texts, f"to run this check again  {command(run, '--check', result.finished.check)}"])


def _reasons(bound: TargetBound, result: CheckResult) -> list[str]:
    """Why nothing was compared."""
    end = result.finished
    if expected := end.expected_failures.get(end.check):
        return [f"as expected: {expected}"]
    reasons = [*strictness.not_bound(bound, [end.check]), *end.not_supported, *end.excluded]
    return reasons or ["nothing was compared"]
