"""The targets of a pytest session: their tests, their header, their reports.

Below the session there is one node `backproof`, below it one for each target, below that a test for each check.  Under
xdist every worker opens the targets for itself; the main process only makes sure that they can be opened, and gathers
what the workers recorded.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backproof import testing
from backproof.api import VerificationError
from backproof.events import as_json
from backproof.expectations import split
from backproof.recording import write_reports
from backproof.report.words import heading
from backproof.runner import RunOptions, Verification
from backproof.targets.errors import TargetError

ROOT = "backproof"


class Targets:
    """The targets of a session: their tests, their header, their reports."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.worker: dict[str, Any] | None = getattr(config, "workerinput", None)
        with _usage_errors():
            self.options = list(_options(config))
            self.chosen = _take_arguments(config)
            self.folder = _folder(config)
        testing.default_seed = self._seed()
        self.headings: list[str] = []
        self.recordings: list[list[str]] = []

    def _seed(self) -> int:
        """The same in every process of a run."""
        given = self.config.getoption("--backproof-seed")
        if given is None and self.worker is not None:
            given = self.worker.get("backproof_seed")
        return random.SystemRandom().randrange(2**32) if given is None else int(given)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Open every target before the first test, so that one that cannot be used is one clear error."""
        if self.worker is not None:
            return
        with _usage_errors():
            for options in self.options:
                self.headings.append(heading(testing.opened(options).verification.bound))
        if self.config.pluginmanager.has_plugin("dsession"):  # the workers of xdist open their own
            testing.close_all()

    def pytest_report_header(self) -> list[str]:
        """Every target with its version and orientation, and how to repeat the run."""
        profile = self.config.getoption("--backproof-profile")
        return [f"backproof: {text}" for text in (*self.headings, f"{profile}, seed {testing.default_seed}")]

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """The targets come after what the session itself has collected."""
        report = yield
        if isinstance(collector, pytest.Session) and report.passed:
            report.result.append(Root.from_parent(collector, name=ROOT, nodeid=ROOT, targets=self))
        return report

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand the seed to a worker of xdist."""
        node.workerinput["backproof_seed"] = testing.default_seed

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker of xdist recorded."""
        self.recordings += getattr(node, "workeroutput", {}).get("backproof", [])

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Close the targets, and keep what their runs said for the report."""
        recordings = [[as_json(event) for event in events] for events in testing.close_all()]
        if self.worker is not None:
            session.config.workeroutput["backproof"] = recordings  # type: ignore[attr-defined]
        self.recordings += recordings

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write the reports, once every process has ended, and say where they are."""
        if self.folder is not None and self.worker is None:
            for page in write_reports(self.recordings, self.folder):
                terminalreporter.write_line(f"backproof: {page}")


class Root(pytest.Collector):
    """The node above all targets."""

    def __init__(self, *, targets: Targets, **rest: Any) -> None:
        super().__init__(**rest)
        self.targets = targets

    def collect(self) -> Iterator[pytest.Collector]:
        """A collector for every target."""
        for options in self.targets.options:
            yield OneTarget.from_parent(self, name=options.target, options=options)


class OneTarget(pytest.Collector):
    """A target, and a test for each of its checks."""

    parent: Root

    def __init__(self, *, options: RunOptions, **rest: Any) -> None:
        super().__init__(**rest)
        self.options = options

    def collect(self) -> Iterator[pytest.Item]:
        """A test for every check; those that arguments name, where some do."""
        targets = self.parent.targets
        for name in testing.names_of_tests(self.options):
            item: CheckItem = CheckItem.from_parent(self, name=name)
            if not targets.chosen or any(item.nodeid == c or item.nodeid.startswith(f"{c}::") for c in targets.chosen):
                yield item


class CheckItem(pytest.Item):
    """One check of one target."""

    parent: OneTarget

    def runtest(self) -> None:
        """Run it in the target's process, which the checks of a target share."""
        testing.conclude(testing.opened(self.parent.options), self.name)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Findings as the terminal shows them, without the way to them."""
        if isinstance(excinfo.value, VerificationError | TargetError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, None, str]:
        """Where it is (in no file), and its name above a failure."""
        return self.config.rootpath / ROOT, None, f"{self.parent.name}::{self.name}"


def _options(config: pytest.Config) -> Iterator[RunOptions]:
    """What is asked for, of every target.

    Raises:
        ValueError: A value that an option does not take.
    """
    asked = RunOptions(
        target="",
        declarations=_pairs(config.getoption("--backproof-declare"), _declaration),
        profile=config.getoption("--backproof-profile"),
        examples=config.getoption("--backproof-examples"),
        seed=config.getoption("--backproof-seed"),
        expect_fail=_pairs(config.getoption("--backproof-expect-fail"), split),
        strict=config.getoption("--backproof-strict"),
        shapes=tuple(config.getoption("--backproof-shape")),
    )
    for target in dict.fromkeys(config.getoption("--backproof")):
        options = replace(asked, target=target)
        Verification(options)  # refuses what does not exist, before anything is opened
        yield options


def _pairs(texts: Iterable[str], split: Callable[[str], tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in map(split, texts):
        if key in found:
            raise ValueError(f"{key} is given twice: {found[key]!r} and {value!r}")
        found[key] = value
    return found


def _declaration(text: str) -> tuple[str, str]:
    key, _, value = (part.strip() for part in text.partition("="))
    if not (key and value):
        raise ValueError(f"{text!r} is not KEY=VALUE; write for example ORIENTATION=cross-correlation")
    return key, value


def _folder(config: pytest.Config) -> Path | None:
    """Where reports go, made now: after an hour of tests is too late for an error."""
    given = config.getoption("--backproof-report")
    if given is None:
        return None
    folder = Path(given)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"cannot write to {folder} ({error.strerror}); choose another --backproof-report") from error
    return folder


def _take_arguments(config: pytest.Config) -> list[str]:
    """Of pytest's arguments those that name tests of ours; without others, there is nothing else to collect."""
    ours = [text for text in config.args if text.split("::")[0] == ROOT and "::" in text]
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args, config.args_source = [], pytest.Config.ArgsSource.ARGS
    config.args = [text for text in config.args if text not in ours]
    return ours


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Our errors as pytest's: one message and exit status 4."""
    try:
        yield
    except (TargetError, ValueError) as error:
        raise pytest.UsageError(f"backproof: {error}") from None
