"""Shapes as people write them, and what they are told where one cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backproof.cases.shapes import OwnShape, ShapeError, as_text, own_shape, read_shapes, written
from backproof.contract import Geometry

PLAIN = Geometry(size=(4, 4), kernel_size=(3, 3), bias=False)


@pytest.mark.parametrize(
    ("text", "geometry"),
    [
        ("x=1,3,8,8 w=4,3,3,3", Geometry(1, 3, 4, (8, 8), (3, 3), bias=False)),
        (
            "x=1,3,8,8 w=4,3,3,3 stride=2 padding=1",
            Geometry(1, 3, 4, (8, 8), (3, 3), (2, 2), ((1, 1), (1, 1)), bias=False),
        ),
        (
            "x=2,3,9,8 w=4,3,2,3 stride=2,1 padding=1,2 dilation=1,3",
            Geometry(2, 3, 4, (9, 8), (2, 3), (2, 1), ((1, 1), (2, 2)), (1, 3), bias=False),
        ),
        ("x=1,1,4,4 w=1,1,3,3 padding=0,1,2,3", replace(PLAIN, padding=((0, 1), (2, 3)))),
        ("x=1,6,4,4 w=4,3,1,1", Geometry(1, 6, 4, (4, 4), (1, 1), groups=2, bias=False)),
        ("w=4,3,1,1  x=1,6,4,4 groups=2", Geometry(1, 6, 4, (4, 4), (1, 1), groups=2, bias=False)),
        ("x=1,1,4,4 w=1,1,3,3 padding_mode=circular", replace(PLAIN, padding_mode="circular")),
    ],
)
def test_what_is_written(text: str, geometry: Geometry) -> None:
    assert own_shape(text) == OwnShape(text, geometry)


def test_what_may_be_left_open() -> None:
    shape = own_shape("x=1,1,4,4 w=1,1,3,3 orientation=cross-correlation bias=true dtype=float32")
    assert (shape.orientation, shape.bias, shape.dtypes) == ("cross-correlation", True, ("float32",))
    assert shape.geometry.orientation == "cross-correlation"
    assert own_shape("x=1,1,4,4 w=1,1,3,3 dtype=float64,float32 bias=false").dtypes == ("float64", "float32")


def test_of_a_geometry_all_counts() -> None:
    g = Geometry(1, 4, 2, (5, 5), (3, 3), (2, 1), ((1, 0), (0, 1)), groups=2, padding_mode="circular")
    shape = own_shape(g)
    assert (shape.geometry, shape.orientation, shape.bias) == (g, "convolution", True)
    assert own_shape(written(g)).geometry == g
    assert own_shape(shape) is shape


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "x is missing; write x=N,C,H,W, for example x=1,3,8,8 w=4,3,3,3"),
        ("x=1,3,8,8", "w is missing; write w=O,C/groups,kh,kw"),
        ("x=1,3,8 w=4,3,3,3", "x=1,3,8 must be N,C,H,W, in whole numbers"),
        ("x=1,3,8,a w=4,3,3,3", "x=1,3,8,a must be N,C,H,W, in whole numbers"),
        ("x=1,3,8,-8 w=4,3,3,3", "x=1,3,8,-8 must be N,C,H,W, in whole numbers"),
        ("x=0,3,8,8 w=4,3,3,3", "x=0,3,8,8 must be at least 1 everywhere"),
        ("x=1,3,8,8 w=4,3,3,3 stride=0", "stride=0 must be at least 1 everywhere"),
        ("x=1,3,8,8 w=4,3,3,3 stride=1,1,1", "stride=1,1,1 must be one number or two, in whole numbers"),
        ("x=1,3,8,8 w=4,3,3,3 padding=1,1,1", "padding=1,1,1 must be one number, two or four, in whole numbers"),
        ("x=1, 3,8,8 w=4,3,3,3", "'3,8,8' is not KEY=VALUE; write for example"),
        ("x=1,3,8,8 w=4,3,3,3 same", "'same' is not KEY=VALUE"),
        ("x=1,3,8,8 w=4,3,3,3 strides=2", "there is no key 'strides'; the keys are x, w, .*; did you mean 'stride'"),
        ("x=1,3,8,8 w=4,3,3,3 x=1,3,8,8", "x is written twice, 1,3,8,8 and 1,3,8,8; leave one of them out"),
        ("x=1,4,8,8 w=4,3,3,3", "x has 4 channels, and w has 3 for each of 1 groups; write w=4,4,3,3, or x with 3"),
        ("x=1,6,8,8 w=4,3,3,3 groups=3", "x has 6 channels, and w has 3 for each of 3 groups; write w=4,2,3,3"),
        ("x=1,6,8,8 w=3,3,3,3", r"6 input and 3 output channels must be multiples of groups \(=2\)"),
        ("x=1,3,2,8 w=4,3,3,3", "the kernel spans 3 rows and the padded image has 2, so that no window fits"),
        ("x=1,3,8,4 w=4,3,3,3 dilation=1,2", "the kernel spans 5 columns and the padded image has 4"),
        ("x=1,3,8,8 w=4,3,3,3 padding_mode=zero", "padding_mode=zero must be zeros or circular; did you mean 'zeros'"),
        ("x=1,3,8,8 w=4,3,3,3 orientation=conv", "orientation=conv must be convolution or cross-correlation"),
        ("x=1,3,8,8 w=4,3,3,3 bias=1", "bias=1 must be true or false"),
        ("x=1,3,8,8 w=4,3,3,3 dtype=float16", "dtype=float16 must be float32 or float64"),
    ],
)
def test_what_cannot_be(text: str, problem: str) -> None:
    with pytest.raises(ShapeError, match=f"^shape {text!r}: {problem}"):
        own_shape(text)


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        (3, "a shape is a text such as 'x=1,3,8,8 .* or a Geometry, not 3"),
        (Geometry(in_channels=3, groups=2), "3 input and 1 output channels must be multiples of groups"),
        (Geometry(kernel_size=(2, 1)), "the kernel spans 2 rows and the padded image has 1"),
        (Geometry(batch=0), "every size must be at least 1"),
    ],
)
def test_what_is_no_shape(item: object, problem: str) -> None:
    with pytest.raises(ShapeError, match=problem):
        own_shape(item)  # type: ignore[arg-type]


def test_a_file_holds_texts_or_tables(tmp_path) -> None:
    file = tmp_path / "layers.toml"
    file.write_text(
        'shapes = [\n  "x=1,3,8,8 w=4,3,3,3",\n'
        '  {x = [1, 3, 8, 8], w = [4, 3, 3, 3], stride = 2, bias = true, dtype = ["float32", "float64"]},\n]\n'
    )
    first, second = read_shapes(file)
    assert first == own_shape("x=1,3,8,8 w=4,3,3,3")
    assert second == own_shape("x=1,3,8,8 w=4,3,3,3 stride=2 bias=true dtype=float32,float64")
    with pytest.raises(ShapeError, match=r"^7 is no shape; write for example 'x=1,3,8,8"):
        as_text(7)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "layers.toml cannot be read as TOML: "),
        ("shapes = [", "layers.toml cannot be read as TOML: "),
        ("", r'layers.toml must hold one list, such as shapes = \["x=1,3,8,8 .*"\]; it holds '),
        ("shapes = []", "layers.toml must hold one list"),
        ("shape = ['x=1,1,1,1 w=1,1,1,1']", "layers.toml must hold one list, .*; it holds shape"),
        ("shapes = ['x=1,1,1,1']", "layers.toml: shape 'x=1,1,1,1': w is missing"),
        ("shapes = [7]", "layers.toml: 7 is no shape"),
    ],
)
def test_what_a_file_cannot_hold(tmp_path, content: str | None, problem: str) -> None:
    file = tmp_path / "layers.toml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ShapeError, match=problem):
        read_shapes(file)
