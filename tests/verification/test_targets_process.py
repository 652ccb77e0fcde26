"""Whatever a target does in its process is seen, named, and over before the next call."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
import pytest

from backproof.contract import Geometry, PoolGeometry
from backproof.targets import arena
from backproof.targets.calls import Crashed, Excluded, Malformed, NotSupported, Raised, Request, Results, TimedOut
from backproof.targets.layouts import LAYOUTS
from backproof.targets.process import Target

SPECIMENS = Path(__file__).parent / "specimens"
MISBEHAVING = str(SPECIMENS / "misbehaving.py")
WAYS = [
    line.split()[1].split("(")[0]
    for before, line in zip(
        Path(MISBEHAVING).read_text().splitlines(), Path(MISBEHAVING).read_text().splitlines()[1:], strict=False
    )
    if before == "@way"
]
GEOMETRY = Geometry(out_channels=1, size=(2, 3), kernel_size=(1, 1), bias=False)
posix = pytest.mark.skipif(os.name != "posix", reason="signals")


def request(way: str = "fine", layout: str = "C", **changes) -> Request:
    x = np.arange(6, dtype=np.float64).reshape(1, 1, 2, 3)
    x[0, 0, 0, 0] = WAYS.index(way)
    x[0, 0, 0, 1] = 0
    arrays = {"x": x, "w": np.ones((1, 1, 1, 1))}
    return Request(**{"geometry": GEOMETRY, "arrays": arrays, "layouts": {"x": layout}, **changes})


def both(dy: float) -> Request:
    arrays = {**request().arrays, "dy": np.full((1, 1, 2, 3), dy)}
    return request(arrays=arrays, functions=("backward",))


@pytest.fixture(scope="module")
def target():
    with Target.open(MISBEHAVING, time_limit=1.0) as opened:
        yield opened


def line_of(text: str) -> int:
    return next(n for n, line in enumerate(Path(MISBEHAVING).read_text().splitlines(), 1) if text in line)


# ---- ends of the process


@posix
@pytest.mark.parametrize(
    ("way", "how", "output"),
    [
        ("segmentation_fault", "killed by SIGSEGV (Segmentation fault)", "about to read address 0"),
        ("exits_at_once", "exited with code 3", "last words"),
        ("aborts", "killed by SIGABRT (Aborted)", ""),
        ("killed", "killed by SIGKILL (Killed)", ""),
    ],
)
def test_crashes(target, way, how, output):
    assert isinstance(target.call(request()), Results)
    restarts = target.restarts
    reply = target.call(request(way))
    assert isinstance(reply, Crashed)
    assert (reply.function, reply.how) == ("forward", how)
    assert reply.output.splitlines()[-1:] == [output] if output else "Fatal" not in reply.output
    if way == "segmentation_fault":
        assert reply.where.endswith(f"misbehaving.py:{line_of('ctypes.string_at')} in segmentation_fault")
    assert isinstance(target.call(request()), Results)
    assert target.restarts == restarts + 1


@pytest.mark.parametrize("way", ["endless", "endless_in_compiled_code"])
def test_endless_loop(target, way):
    assert target.call(request(way)) == TimedOut("forward", 1.0)
    assert isinstance(target.call(request()), Results)


# ---- exceptions


def test_raises(target):
    reply = target.call(request("raises"))
    assert isinstance(reply, Raised)
    assert (reply.function, reply.type) == ("forward", "ValueError")
    assert reply.message == "cannot reshape array of size 6 into shape (1,2,3,4,5)"
    assert reply.where.endswith(f"misbehaving.py:{line_of('reshape(1, 2, 3, 4, 5)')} in raises")


def test_sys_exit_and_exceptions_without_text(target):
    restarts = target.restarts
    reply = target.call(request("sys_exit"))
    assert isinstance(reply, Raised)
    assert (reply.type, reply.message) == ("SystemExit", "enough")
    reply = target.call(request("unspeakable"))
    assert isinstance(reply, Raised)
    assert (reply.type, reply.message) == ("UnspeakableError", "(its message cannot be shown)")
    assert target.restarts == restarts


def test_not_supported(target):
    assert target.call(request("unsupported")) == NotSupported("forward", "not on a Tuesday")


@posix
def test_an_interrupt_from_the_keyboard_does_not_reach_the_worker(target):
    worker = int(target.call(request("returns_process")).values["y"][0])
    assert os.getpgid(worker) != os.getpgid(0)


def test_stdin_is_empty(target):
    assert target.call(request("reads_stdin")).values["y"].tolist() == [0]


# ---- malformed results


@pytest.mark.parametrize(
    ("way", "what"),
    [
        ("returns_none", "returned None"),
        ("returns_pair", "returned a tuple of 2 (ndarray, dict)"),
        ("returns_objects", "returned an array of dtype object"),
    ],
)
def test_malformed_forward(target, way, what):
    assert target.call(request(way)) == Malformed("forward", "y", f"{what}; return an array of shape (1, 1, 2, 3)")


@pytest.mark.parametrize(
    ("dy", "quantity", "what"),
    [
        (0, "dx", "returned None; return (dx, dw)"),
        (1, "dx", "returned one array; return (dx, dw)"),
        (2, "dw", "returned 1 results; return (dx, dw)"),
        (3, "dw", "returned None; return an array of shape (1, 1, 1, 1)"),
    ],
)
def test_malformed_backward(target, dy, quantity, what):
    assert target.call(both(dy)) == Malformed("backward", quantity, what)


def test_a_bias_asks_for_its_gradient(tmp_path):
    (tmp_path / "conv.py").write_text(
        "def forward(x, w, b=None):\n    return x\n"
        "def backward(dy, x, w, b=None):\n    return (x, w) if b is None or b[0] else (x, w, None)\n"
    )
    arrays = {**both(0).arrays, "b": np.ones(1)}
    geometry = Geometry(size=(2, 3))
    with Target.open(str(tmp_path / "conv.py")) as target:
        assert target.call(Request(geometry, arrays, functions=("backward",))) == Malformed(
            "backward", "db", "returned 2 results; return (dx, dw, db)"
        )
        arrays["b"] = np.zeros(1)
        assert target.call(Request(geometry, arrays, functions=("backward",))) == Malformed(
            "backward", "db", "returned None; return an array of shape (1,)"
        )
        assert set(target.call(both(0)).values) == {"dx", "dw"}


# ---- results and what happened to the inputs


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "broadcast"])
def test_values_come_back_in_c_order(target, layout):
    reply = target.call(request(layout=layout))
    assert isinstance(reply, Results)
    np.testing.assert_array_equal(reply.values["y"], request().arrays["x"])
    assert reply.values["y"].flags.c_contiguous
    assert (reply.mutated, reply.aliased, reply.reused) == ((), (), ())


@pytest.mark.parametrize("way", ["writes_into_x", "writes_next_to_x", "writes_minus_zero"])
def test_mutation(target, way):
    reply = target.call(request(way))
    assert reply.mutated == ("x",)
    assert reply.aliased == ()


def test_aliased_result(target):
    reply = target.call(request("returns_x", layout="F"))
    assert reply.aliased == ("y",)
    assert target.call(request("fine")).reused == ()


def test_reused_buffer(target):
    assert target.call(request("reuses_a_buffer")).reused == ()
    second = target.call(request("reuses_a_buffer"))
    assert second.reused == ("y",)
    assert target.call(request("fine")).reused == ()


def test_a_result_is_taken_before_the_next_function_writes_over_it(target):
    arrays = {**request("reuses_a_buffer").arrays, "dy": np.full((1, 1, 2, 3), 4.0)}
    reply = target.call(request(arrays=arrays, functions=("forward", "backward")))
    np.testing.assert_array_equal(reply.values["y"], arrays["x"])
    assert reply.reused == ("dx",)


def test_unexpectedly_large_result(target):
    y = target.call(request("returns_much")).values["y"]
    assert y.shape == (500, 1000)
    assert (y == 1).all()


def test_layouts_have_their_strides_in_the_target():
    geometry = Geometry(batch=2, in_channels=3, out_channels=2, size=(4, 5), kernel_size=(1, 2), bias=False)
    x, w, dy = np.arange(120.0).reshape(2, 3, 4, 5), np.arange(12.0).reshape(2, 3, 1, 2), np.ones((2, 2, 4, 4))
    with Target.open(str(SPECIMENS / "reports_strides.py")) as target:

        def seen(**layouts: str) -> dict[str, list[int]]:
            asked = Request(geometry, {"x": x, "w": w, "dy": dy}, layouts, ("forward", "backward"))
            return {name: value.astype(int).tolist() for name, value in target.call(asked).values.items()}

        assert seen()["y"] == [60, 20, 5, 1, 0, 1]
        assert seen(x="offset")["y"] == [60, 20, 5, 1, 8, 1]
        assert seen(x="read-only")["y"][-1] == 0
        assert seen(x="F")["y"][:4] == [1, 2, 6, 24]
        assert seen(x="nhwc")["y"][:4] == [60, 1, 15, 3]
        assert seen(x="reversed")["y"][:4] == [-60, -20, -5, -1]
        assert seen(x="sliced")["y"][:4] == [960, 160, 20, 2]
        assert seen(x="channel-slice")["y"][:4] == [100, 1, 25, 5]
        assert seen(dy="broadcast")["dx"] == [0, 0, 0, 0]
        assert seen(w="nhwc")["dw"] == [6, 1, 6, 3]


# ---- mistakes of the caller's


def test_value_errors(target):
    def refused(**changes) -> str:
        with pytest.raises(ValueError) as caught:
            target.call(request(**changes))
        return str(caught.value)

    arrays = request().arrays
    assert "has no function 'forwards'; it has forward, backward" in refused(functions=("forwards",))
    assert "functions is empty" in refused(functions=())
    assert "ask in two requests" in refused(functions=("forward", "forward"))
    assert refused(functions=("backward",)) == "backward needs the array dy"
    assert refused(geometry=Geometry(bias=True)).endswith("forward takes a bias never, and bias=True")
    assert "no max_pool" in refused(geometry=PoolGeometry())
    assert "has no parameter for stride=(2, 2)" in refused(geometry=Geometry(stride=(2, 2), bias=False))
    assert "not 'NCHW' for x" in refused(layouts={"x": "NCHW"})
    assert "layout 'broadcast' cannot hold x" in refused(layouts={"x": "broadcast"})
    assert "x must be C-contiguous" in refused(arrays={**arrays, "x": arrays["x"].T})
    assert "geometry.bias is False, and the arrays are x, w, b" in refused(arrays={**arrays, "b": np.ones(1)})


def test_a_gradient_without_an_option_is_not_verified_with_it(tmp_path):
    (tmp_path / "conv.py").write_text(
        "def forward(x, w, stride=1):\n    return x\ndef input_gradient(dy, w):\n    return dy\n"
    )
    with Target.open(str(tmp_path / "conv.py")) as target:
        geometry = Geometry(size=(3, 3), stride=(2, 2), bias=False)
        arrays = {"x": np.ones((1, 1, 3, 3)), "w": np.ones((1, 1, 1, 1)), "dy": np.ones((1, 1, 2, 2))}
        reply = target.call(Request(geometry, arrays, functions=("input_gradient",)))
        assert reply == NotSupported("input_gradient", "input_gradient has no parameter for stride=(2, 2)")


def test_a_closed_target_stays_closed():
    with Target.open(MISBEHAVING) as target:
        pass
    with pytest.raises(ValueError, match="is closed"):
        target.call(request())


# ---- known defects


def test_excluded_before_the_call(tmp_path):
    (tmp_path / "conv.py").write_text(
        textwrap.dedent("""
        import os
        from backproof.targets.declarations import KnownDefect
        def forward(x, w):
            os._exit(1)
        def applies(call):
            if call.geometry.size == (9, 9):
                raise KeyError("size")
            return call.dtype == "float64" and call.layouts["x"] == "F" and call.function == "forward"
        KNOWN_DEFECTS = [KnownDefect("D7", "ends the process", "examples/d7.py", applies)]
        """)
    )
    with Target.open(str(tmp_path / "conv.py")) as target:
        assert target.call(request(layout="F")) == Excluded("D7")
        assert isinstance(target.call(request(layout="C")), Crashed)
        reply = target.call(request(geometry=Geometry(size=(9, 9), bias=False)))
        assert isinstance(reply, Raised)
        assert reply.function == "KNOWN_DEFECTS D7"


# ---- nothing is left behind


def test_no_shared_memory_is_left(monkeypatch):
    names = []

    class Recorded(SharedMemory):
        def __init__(self, *positional, **keywords):
            super().__init__(*positional, **keywords)
            names.append(self.name)

    monkeypatch.setattr(arena, "SharedMemory", Recorded)
    with Target.open(MISBEHAVING) as target:
        for call in range(200):
            x = np.zeros((1, 1, 2, 3 + 50 * call))
            x.flat[:] = np.arange(x.size)
            x.flat[0] = 0
            geometry = Geometry(size=(2, x.shape[3]), bias=False)
            reply = target.call(request(geometry=geometry, arrays={"x": x, "w": np.ones((1, 1, 1, 1))}))
            np.testing.assert_array_equal(reply.values["y"], x)
    assert len(names) > 1, "never grew"
    for name in names:
        with pytest.raises(FileNotFoundError):
            SharedMemory(name=name)


def test_script_without_main_guard_and_without_warnings(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(f"""
        import sys
        import numpy as np
        from backproof.contract import Geometry
        from backproof.targets.calls import Request
        from backproof.targets.process import Target
        with Target.open({MISBEHAVING!r}) as target:
            x = np.arange(6.0).reshape(1, 1, 2, 3)
            print(target.call(Request(Geometry(size=(2, 3), bias=False), {{"x": x, "w": x[..., :1, :1].copy()}})))
        print(sorted({{"torch", "numba", "sympy", "hypothesis", "misbehaving"}} & set(sys.modules)))
        """)
    )
    done = subprocess.run([sys.executable, "-W", "error", script], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.startswith("Results(")
    assert done.stdout.endswith("[]\n")


@posix
@pytest.mark.parametrize("way", ["fine", "endless", "endless_in_compiled_code"])
def test_the_worker_dies_with_its_parent(tmp_path, way):
    if way == "endless_in_compiled_code" and sys.platform != "linux":
        pytest.skip("only Linux tells compiled code that holds the interpreter lock")
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(f"""
        import time
        import numpy as np
        from backproof.contract import Geometry
        from backproof.targets.calls import Request
        from backproof.targets.process import Target
        target = Target.open({MISBEHAVING!r})
        def call(way):
            x = np.full((1, 1, 2, 3), float(way))
            return target.call(Request(Geometry(size=(2, 3), bias=False), {{"x": x, "w": x[..., :1, :1].copy()}}))
        print(int(call({WAYS.index("returns_process")}).values["y"][0]), flush=True)
        call({WAYS.index(way)})
        time.sleep(60)
        """)
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        worker = int(parent.stdout.readline())
        assert running(worker)
        time.sleep(0.3)  # until it is in the call
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while running(worker) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not running(worker)


def running(process: int) -> bool:
    """A dead process that nobody has waited for yet does not count."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
