"""Every way to write TARGET, and the one clear message for every way to get it wrong."""

import textwrap

import pytest

from backproof.targets.errors import TargetError
from backproof.targets.process import Target

CONV = """
def forward(x, w):
    return x
def backward(dy, x, w):
    return x, w
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(textwrap.dedent(text))


def opened(target: str, **declared: str):
    with Target.open(target, declarations=declared) as opened:
        return opened.binding


def error(target: str, **options) -> str:
    with pytest.raises(TargetError) as caught, Target.open(target, **options):
        pass
    assert "Traceback" not in str(caught.value)
    return str(caught.value)


def functions(target: str) -> list[str]:
    return [item.role for item in opened(target).functions]


# ---- what is accepted


def test_file_with_siblings_and_without_main_guard(folder):
    write(folder, "code/helper.py", CONV)
    write(folder, "code/my_conv.py", "import sys\nprint(sys.argv)\nfrom helper import forward, backward\n")
    binding = opened("code/my_conv.py")
    assert [item.role for item in binding.functions] == ["forward", "backward"]
    assert (binding.name, binding.origin) == ("code/my_conv.py", "code/my_conv.py")


def test_file_named_like_a_library(folder):
    write(folder, "numpy.py", f"import numpy\nnumpy.zeros(1)\n{CONV}")
    assert functions("numpy.py") == ["forward", "backward"]


def test_module_in_the_current_folder_and_its_version(folder):
    write(folder, "package/__init__.py", "")
    write(folder, "package/conv.py", "from . import part\n__version__ = '7'\n" + CONV)
    write(folder, "package/part.py", "")
    binding = opened("package.conv")
    assert (binding.origin, binding.version) == ("package.conv", "7")


def test_attributes(folder):
    write(
        folder,
        "many.py",
        """
        class Conv:
            ORIENTATION = "cross-correlation"
            def __init__(self, scale=1): ...
            def forward(self, x, w): ...
        class Space: ...
        conv, space = Conv(2), Space()
        space.inner = Conv()
        def my_forward(x, w): ...
        def my_backward(dy, x, w): ...
        ORIENTATION = "convolution"
        """,
    )
    assert functions("many.py:Conv") == ["forward"]
    assert opened("many.py:conv").orientation == "cross-correlation"
    assert functions("many:space.inner") == ["forward"]
    assert functions("many.py:my_forward") == ["forward"]
    assert functions("many.py:my_forward,my_backward") == ["forward", "backward"]
    assert opened("many.py:my_forward").orientation == "convolution"


def test_registered_name():
    binding = opened("numpy")
    assert binding.origin == "backproof.targets.adapters.plain_numpy"
    assert binding.bias == "optional"
    assert binding.padding_modes == ("zeros", "circular")
    assert binding.not_bound == ()


# ---- what is not found


def test_unknown_name():
    assert error("nunpy") == (
        "unknown target 'nunpy': no module of that name can be imported from here, and the registered names are "
        "jax, numba, numpy, scipy-fft, scipy-ndimage, scipy-signal, torch, winograd, winograd-2x2; "
        "did you mean 'numpy'?; "
        "write a registered name, my_conv.py or package.module"
    )
    assert error("my conv").startswith("unknown target 'my conv'")
    assert error("os.paht").startswith("unknown target 'os.paht'")


def test_file_not_found(folder):
    write(folder, "my_conv.py", CONV)
    assert error("my_covn.py") == f"my_covn.py: no such file in {folder}; did you mean 'my_conv.py'?"
    assert error("nowhere/my_conv.py") == f"nowhere/my_conv.py: there is no folder {folder / 'nowhere'}"


def test_attribute_not_found(folder):
    write(folder, "my_conv.py", CONV)
    assert error("my_conv.py:forwad") == "my_conv.py has no attribute 'forwad'; did you mean 'forward'?"


def test_no_forward(folder):
    write(
        folder, "a.py", "from os import getcwd\ndef conv(x, w): ...\ndef conv_backward(dy, x, w): ...\nclass Conv: ..."
    )
    assert error("a.py") == (
        "a.py has no function `forward`; it has conv, conv_backward, Conv (class); "
        "name two of them: a.py:conv,conv_backward"
    )
    write(folder, "b.py", "def conv(x, w): ...")
    assert error("b.py").endswith("it has conv; name it: b.py:conv")
    write(folder, "c.py", "x = 1")
    assert "it has no public functions; write forward(x, w, b, *, stride, padding) and backward" in error("c.py")
    write(folder, "d.py", "def backward(dy, x, w): ...")
    assert error("d.py").startswith("d.py has no function `forward`; it has backward")


def test_classes_that_cannot_be_used(folder):
    write(
        folder,
        "layers.py",
        """
        class Conv:
            def __init__(self, channels): ...
            def forward(self, x, w): ...
        class Other: ...
        number = 3
        """,
    )
    message = error("layers.py:Conv")
    assert message.startswith("layers.py:Conv cannot be constructed without arguments (")
    assert message.endswith("pass an instance: write `conv = Conv(...)` there and layers.py:conv here")
    assert error("layers.py:Other").startswith("layers.py:Other is a class without forward; write forward(")
    assert error("layers.py:number,Conv") == "layers.py:number is 3, not a function"
    assert error("layers.py:number").startswith("layers.py:number has no function `forward`")


# ---- imports that fail


def test_import_raises_in_a_helper(folder):
    write(folder, "helper.py", "\ndef setup():\n    return 1 / 0\n")
    write(folder, "my_conv.py", "import helper\n\nhelper.setup()\n")
    expected = "importing my_conv.py failed: ZeroDivisionError: division by zero (helper.py:3 in setup)"
    assert error("my_conv.py") == expected
    assert error("my_conv") == expected.replace("my_conv.py", "my_conv")


def test_the_users_line_not_the_librarys(folder):
    write(folder, "my_conv.py", "import json\nx = json.loads('{')\n")
    assert error("my_conv.py").endswith("(my_conv.py:2 in <module>)")


def test_other_failures_of_an_import(folder):
    write(folder, "syntax.py", "def forward(x, w)\n    return x\n")
    assert error("syntax.py") == "importing syntax.py failed: SyntaxError: expected ':' (syntax.py:1)"
    write(folder, "missing.py", "import no_such_library\n")
    assert error("missing") == (
        "importing missing failed: ModuleNotFoundError: No module named 'no_such_library' (missing.py:1 in <module>)"
    )
    write(folder, "exits.py", "import sys\nsys.exit('usage')\n")
    assert error("exits.py") == "importing exits.py failed: SystemExit: usage (exits.py:2 in <module>)"
    write(folder, "relative.py", "from . import part\n")
    assert error("relative.py").endswith("; a module of a package is written package.module")
    write(folder, "package/broken.py", "boom\n")
    assert "NameError: name 'boom' is not defined (package/broken.py:1" in error("package.broken")


def test_import_that_crashes_or_never_ends(folder):
    write(folder, "crash.py", "import ctypes\nprint('so far')\nctypes.string_at(0)\n")
    assert error("crash.py") == (
        "importing crash.py ended the process at crash.py:3 in <module>: killed by SIGSEGV (Segmentation fault)\nso far"
    )
    write(folder, "endless.py", "while True:\n    pass\n")
    assert error("endless.py", load_limit=0.7) == "importing endless.py did not finish within 0.7 s"


def test_registered_target_without_its_library(folder, monkeypatch):
    # A `torch` that cannot be imported stands before the real one.
    write(folder, "torch.py", "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n")
    assert error("torch") == "target 'torch' needs torch, which is not installed: pip install 'backproof[torch]'"


def test_declarations_name_the_target(folder):
    write(folder, "my_conv.py", CONV)
    assert error("my_conv.py", declarations={"STRIDE": "1"}).startswith("my_conv.py: unknown declaration 'STRIDE'")
    write(folder, "star.py", "def forward(*arguments): ...\n")
    assert error("star.py").startswith("star.py: forward(*arguments): *arguments hides")
