"""pytest's plug-in: `pytest --backproof=TARGET` adds a test `backproof::TARGET::CHECK` for every check.

Without path arguments the run consists of these tests alone.  Where no target is asked for, this module does nothing
but declare its options: everything else, of ours and of others, is imported when it is needed.
"""

from __future__ import annotations

import pytest

_PROFILES = ("quick", "default", "thorough", "nightly")  # those of the runner, which would take a second to import


def pytest_addoption(parser: pytest.Parser) -> None:
    """The group of options; all begin with `--backproof`."""
    group = parser.getgroup("backproof", "backproof: verification of convolution layers")
    add = group.addoption
    add("--backproof", action="append", default=[], metavar="TARGET", help="Verify TARGET. Repeatable.")
    add(
        "--backproof-declare",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="What signatures cannot say, e.g. ORIENTATION=cross-correlation. Repeatable.",
    )
    add("--backproof-profile", choices=_PROFILES, default="default", help="How much is tried (default: default).")
    add("--backproof-seed", type=_count, metavar="N", help="Repeat the run that had this seed.")
    add("--backproof-examples", type=_count, metavar="N", help="Random examples, instead of the profile's number.")
    add("--backproof-strict", action="store_true", help="Fail on whatever was inferred or not verified.")
    add(
        "--backproof-expect-fail",
        action="append",
        default=[],
        metavar="CHECK[:QUANTITY]=REASON",
        help="An expected failure. Repeatable.",
    )
    add(
        "--backproof-shape",
        action="append",
        default=[],
        metavar="SHAPE",
        help="Verify this shape completely, e.g. 'x=1,3,8,8 w=4,3,3,3 stride=2'. Repeatable.",
    )
    add("--backproof-report", metavar="DIR", help="Write a page and a recording for every target to this folder.")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """Take part only where a target is asked for."""
    if config.getoption("--backproof"):
        from backproof.pytest_session import Targets

        config.pluginmanager.register(Targets(config), "backproof-targets")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the processes of `backproof.parametrize_with_checks`, which needs no option."""
    import sys

    if testing := sys.modules.get("backproof.testing"):
        testing.close_all()
