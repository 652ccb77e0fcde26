"""The terminal: plain lines in a log, a bar and colours on a terminal, and the same words in both."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from backproof.events import CheckFinished, Event, Finding, RunStarted, read_events
from backproof.report.terminal import Terminal

RECORDINGS = Path(__file__).parent / "recordings"

PASSING = """\
numba 0.1.0 (backproof_impl): forward, backward; convolution and cross-correlation
passed       forward: 200 examples, 200 comparisons, 1.2 s
passed       gradients: 200 examples, 400 comparisons, 1.2 s

chance that an error bilinear at a configuration tried went unseen [forward]:
  - y   at most 2^-11.2 at the median of 200 configurations, 0.76 at the worst, below 2^-20 at 40

chance that an error bilinear at a configuration tried went unseen [gradients]:
  - dx  at most 2^-11.2 at the median of 200 configurations, 0.76 at the worst, below 2^-20 at 40
  - dw  at most 2^-11.2 at the median of 200 configurations, 0.76 at the worst, below 2^-20 at 40

the checks: museum 210-1a2b3c4d: 208 of 210 mutants killed (default profile, 20 seeds)
PASSED: numba, convolution and cross-correlation: no findings, 400 examples, 600 exact comparisons, 2.5 s
"""

FAILING = """\
my_conv.py (/home/ada/my_conv.py): forward, backward; cross-correlation (inferred from forward)
passed       forward: 200 examples, 200 comparisons, 12 not called, 1.2 s
failed       gradients: 2 findings, 200 examples, 191 comparisons, 5 not called, 1.2 s
not verified layouts: 0 examples, 0 comparisons, 0.0 s

FINDING 1  [gradients] conv_backward raised IndexError: index 3 is out of bounds for axis 2 with size 3
  what       dx, gradient of the input x
  where      conv_backward(dout, x, w, stride=1, pad=0)
  case       x (1, 1, 3, 3), w (1, 1, 1, 2), stride (2, 1), cross-correlation, float64, x laid out 'nhwc'

FINDING 2  [gradients] dw is the specification's rotated by 180 degrees
  what       dw, gradient of the weights w
  where      conv_backward(dout, x, w, stride=1, pad=0)
  case       x (1, 1, 3, 3), w (1, 1, 1, 2), stride (2, 1), cross-correlation, float64, x laid out 'nhwc'
  values     dw[0, 0, 0, 1]: expected 10.0, got 7.0 (2 of 2 entries wrong)
  details    It equals the rotated one exactly in 20 of 20 fresh cases.
             It is right where kh = kw = 1.
  equation   weight-gradient

programs that show them in reports/my_conv.html
to run one check again  backproof check my_conv.py --declare DTYPES=float32,float64 --profile default --examples 200 \
--seed 7 --check gradients

not verified:
  - pooling: no max_pool, average_pool or sum_pool
  - dilation: my_conv.py takes no such option
  - groups: my_conv.py takes no such option
  - padding_mode: my_conv.py takes no such option
  - memory layout reversed
  - float16 was not asked for
  - Memory layouts: nothing was compared [layouts]
  - forward: padding=(1, 0) [forward]: 12 examples not called
  - L092: a dilated window in padding (examples/L092.py) [gradients]: 5 examples not called
  - comparisons without evidence [forward]: y 3

the checks: museum 210-1a2b3c4d: 208 of 210 mutants killed (default profile, 20 seeds)
FAILED: my_conv.py, cross-correlation (inferred from forward): 2 findings, 400 examples, 391 exact comparisons, 2.5 s
"""

NOTHING = """\
my_conv.py (/home/ada/my_conv.py): no function bound; orientation unknown, held to cross-correlation

not verified:
  - pooling: no max_pool, average_pool or sum_pool
  - memory layout reversed
  - y: no forward

the checks: museum 210-1a2b3c4d: 208 of 210 mutants killed (default profile, 20 seeds)
NOT VERIFIED: my_conv.py, orientation unknown, held to cross-correlation: 0 findings, 0 examples, \
0 exact comparisons, 0.2 s
"""

INTERRUPTED = (
    "INTERRUPTED: my_conv.py, cross-correlation (inferred from forward): 1 of 2 started checks ended, 1 finding, "
    "200 examples, 200 exact comparisons, 1.2 s"
)


def recording(name: str) -> list[Event]:
    return list(read_events((RECORDINGS / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()))


def finding() -> Finding:
    return next(event for event in recording("interrupted") if isinstance(event, Finding))


def shown(events: list[Event], *, interrupt: bool = False, quiet: bool = False, **console: Any) -> str:
    out = io.StringIO()
    settings: dict[str, Any] = {"file": out, "width": 60, "highlight": False, "markup": False, "emoji": False}
    with Terminal(Console(**{**settings, **console}), report="reports/my_conv.html", quiet=quiet) as terminal:
        for event in events:
            terminal.handle(event)
            if isinstance(event, CheckFinished):
                terminal.progress(event.check, 1, 2)
        if interrupt:
            terminal.interrupted()
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "expected"), [("passing", PASSING), ("failing", FAILING), ("nothing-verified", NOTHING)]
)
def test_plain(name: str, expected: str) -> None:
    assert shown(recording(name)).splitlines() == expected.splitlines()


def test_a_log_has_ascii_only() -> None:
    for name in ("passing", "failing", "nothing-verified"):
        assert shown(recording(name)).isascii()


def test_interrupted() -> None:
    lines = shown(recording("interrupted"), interrupt=True).splitlines()
    assert lines[-1] == INTERRUPTED
    assert "FINDING 1  [gradients] dw is the specification's rotated by 180 degrees" in lines
    assert "  - Gradients: it did not end [gradients]" in lines


def test_quiet_passing_is_the_verdict_alone() -> None:
    assert shown(recording("passing"), quiet=True).split("\n") == ["", PASSING.splitlines()[-1], ""]


def test_quiet_failing_keeps_findings_and_gaps() -> None:
    lines = shown(recording("failing"), quiet=True).splitlines()
    assert lines == [line for line in FAILING.splitlines()[4:] if not line.startswith("the checks: ")]


def test_a_terminal_has_colours_and_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = shown(recording("failing"), force_terminal=True, color_system="standard", _environ={"TERM": "xterm"})
    assert "\x1b[1;31mFAILED\x1b[0m: my_conv.py" in text
    assert "\x1b[?25l" in text  # the bar hides the cursor
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # and gives it back


def test_no_color_on_a_terminal() -> None:
    environ = {"TERM": "xterm", "NO_COLOR": "1"}
    text = shown(recording("failing"), force_terminal=True, color_system="standard", _environ=environ)
    assert "FAILED\x1b[0m: my_conv.py" in text
    assert "\x1b[1;31m" not in text
    assert "\x1b[31m" not in text


def test_the_bar_ends_with_an_exception() -> None:
    out = io.StringIO()
    with pytest.raises(ZeroDivisionError):
        fail(Terminal(Console(file=out, force_terminal=True, _environ={"TERM": "xterm"})))
    text = out.getvalue()
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def fail(terminal: Terminal) -> None:
    with terminal:
        terminal.progress("gradients", 1, 3)
        raise ZeroDivisionError


def test_escape_sequences_of_a_target_are_shown_not_obeyed() -> None:
    started = next(event for event in recording("passing") if isinstance(event, RunStarted))
    hostile = replace(started, target="\x1b[2J[red]evil\r\x07\x9b31m")
    text = shown([hostile, *recording("passing")[1:]])
    assert "PASSED: \\x1b[2J[red]evil\\r\\x07\\x9b31m, convolution" in text
    assert not set(text) & set("\x1b\r\x07\x9b")


def test_the_lines_of_a_message_are_indented() -> None:
    lines = shown([replace(finding(), summary="it raised\nValueError: no")], interrupt=True).splitlines()
    assert lines[1:3] == ["FINDING 1  [gradients] it raised", "         ValueError: no"]


def test_many_findings_are_cut_with_a_pointer() -> None:
    events: list[Event] = [replace(finding(), summary=f"mistake {number}") for number in range(30)]
    text = shown(events, interrupt=True)
    assert "mistake 19" in text
    assert "mistake 20" not in text
    assert "... and 10 more findings, in reports/my_conv.html" in text


def test_many_details_are_cut() -> None:
    text = shown([replace(finding(), details=[f"detail {number}" for number in range(9)])], interrupt=True)
    assert "detail 3\n" in text
    assert "detail 4\n" not in text
    assert "... and 5 more" in text


def test_reasons_that_differ_in_numbers_share_a_line() -> None:
    ended = next(event for event in recording("passing") if isinstance(event, CheckFinished))
    reasons = {f"padding ({n}, {n}) wraps": n for n in range(1, 31)}
    text = shown([replace(ended, not_supported={**reasons, "no groups": 2})], interrupt=True)
    assert "  - padding (30, 30) wraps and 29 more like it [forward]: 465 examples not called\n" in text
    assert "  - no groups [forward]: 2 examples not called\n" in text


def test_many_gaps_are_cut_with_a_pointer() -> None:
    ended = next(event for event in recording("passing") if isinstance(event, CheckFinished))
    reasons = {f"reason {'x' * n}": 1 for n in range(20)}
    text = shown([replace(ended, not_supported=reasons)], interrupt=True)
    assert "  ... and 8 more, in reports/my_conv.html\n" in text


def test_a_check_that_found_only_what_was_found_before() -> None:
    ended = next(event for event in recording("passing") if isinstance(event, CheckFinished))
    text = shown([replace(ended, verdict="failed")])
    assert text == "failed       forward: the finding of a check above, 200 examples, 200 comparisons, 1.2 s\n"
