"""`backproof show`: what is bound to what, and what will not be verified; the target is a stand-in."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from backproof import cli
from backproof.contract import PoolConventions
from backproof.targets.binding import Binding, BoundFunction, BoundParameter
from backproof.targets.errors import TargetError

OPTIONS = ("stride", "padding", "dilation", "groups", "padding_mode", "orientation")
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["backproof", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return run


class FakeTarget:
    """Stands in for `Target`: a binding, or the error that opening it gives."""

    def __init__(self, binding: Binding | TargetError) -> None:
        self.bound, self.asked = binding, ("", {})

    def open(self, target: str, *, declarations: dict[str, str]) -> FakeTarget:
        self.asked = (target, declarations)
        if isinstance(self.bound, TargetError):
            raise self.bound
        return self

    @property
    def binding(self) -> Binding | TargetError:
        return self.bound

    def __enter__(self) -> FakeTarget:
        return self

    def __exit__(self, *error: object) -> None:
        pass


FORWARD = BoundFunction(
    "forward",
    "conv(img, w, s=1)",
    (BoundParameter("img", "x"), BoundParameter("w", "w"), BoundParameter("s", "stride", "int")),
)
BINDING = Binding(
    "my.py:conv",
    "/home/ada/my.py",
    None,
    (FORWARD,),
    options=(("stride", "int"),),
    layouts=("C", "offset", "read-only", "F", "nhwc", "reversed", "broadcast", "sliced"),
    known_defects=(("L1", "it crashes", "examples/L1.py"),),
    not_bound=("dx: no backward or input_gradient",),
)
SHOWN = """\
my.py:conv (/home/ada/my.py)
  orientation    undeclared; inferred from what forward computes
  bias           never
  dtypes         float32, float64
  padding modes  zeros
  layouts        C, offset, read-only, F, nhwc, reversed, broadcast, sliced

forward
  conv(img, w, s=1)
    img  ->  x
    w    ->  w
    s    ->  stride  one int

will not be verified:
  - dx: no backward or input_gradient
  - padding: forward takes no such option, so it only ever has its neutral value
  - dilation: forward takes no such option, so it only ever has its neutral value
  - groups: forward takes no such option, so it only ever has its neutral value
  - padding_mode: forward takes no such option, so it only ever has its neutral value
  - memory layout channel-slice: excluded
known defects (calls that run into them are not made):
  - L1: it crashes (examples/L1.py)
"""


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> FakeTarget:
    fake = FakeTarget(BINDING)
    monkeypatch.setattr("backproof.targets.process.Target", fake)
    return fake


def test_show(command: Command, target: FakeTarget) -> None:
    code, out, err = command("show", "my.py:conv", "--declare", "DTYPES=float32")
    assert (code, err) == (0, "")
    assert out.splitlines() == SHOWN.splitlines()
    assert target.asked == ("my.py:conv", {"DTYPES": "float32"})


def test_show_where_everything_is_bound(command: Command, target: FakeTarget) -> None:
    options = tuple((name, "int") for name in OPTIONS)
    target.bound = replace(
        BINDING, version="2.1", options=options, known_defects=(), not_bound=(), algorithm="indirect",
        layouts=(*BINDING.layouts, "channel-slice"),
    )  # fmt: skip
    _, out, _ = command("show", "my.py:conv")
    assert out.splitlines()[:2] == [
        "my.py:conv 2.1 (/home/ada/my.py)",
        "  orientation    both: forward takes it as an option",
    ]
    assert "  algorithm      indirect" in out
    assert "  pooling " not in out
    assert out.splitlines()[-1] == "will not be verified: nothing is known to be left out"


def test_show_the_conventions_of_pooling(command: Command, target: FakeTarget) -> None:
    pool = BoundFunction("max_pool", "pool(x, kernel_size)", ())
    target.bound = replace(BINDING, functions=(pool,), pooling=PoolConventions(ties="last"))
    _, out, _ = command("show", "my.py:conv")
    assert "  pooling        ties: last, divisor: kernel" in out


def test_show_as_json(command: Command, target: FakeTarget) -> None:
    code, out, _ = command("show", "my.py:conv", "--json")
    shown = json.loads(out)
    assert code == 0
    assert shown["functions"][0]["parameters"][2] == {
        "name": "s", "role": "stride", "form": "int", "keyword": False, "required": True,
    }  # fmt: skip
    assert shown["layouts_excluded"] == ["channel-slice"]
    assert shown["not_bound"] == ["dx: no backward or input_gradient"]


def test_show_what_cannot_be_used(command: Command, target: FakeTarget) -> None:
    target.bound = TargetError("nope.py: no such file")
    assert command("show", "nope.py") == (2, "", "Error: nope.py: no such file\n")


def test_show_with_a_target_itself(command: Command) -> None:
    code, out, _ = command("show", "numpy")
    assert code == 0
    assert "    stride        ->  stride        a pair (vertical, horizontal)\n" in out
