"""A convolutional network of the post's architecture learns handwritten digits, from Backproof's own layers.

    python examples/digits.py           five splits of scikit-learn's 1797 digits; prints every accuracy and the median
    python examples/digits.py --exact   the gradients of a first training step, compared with PyTorch's by ==

Needs `pip install -e ".[examples]"`; the comparison also PyTorch.

The network: convolution, tanh, max pooling, twice; then a fully connected part.  The error is the post's,
E = 1/2 (t - o)^2, and learning is plain gradient descent on batches.  A fifth of the digits is for the test alone.  The
settings below were chosen on other splits (seeds 100 to 104).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from backproof_impl import Activation, Convolution, Dense, Flatten, Network, Pooling
from backproof_impl import half_squared_error_gradient as error_gradient

Array = np.ndarray[Any, np.dtype[Any]]
SEEDS = (0, 1, 2, 3, 4)
MAPS, HIDDEN, DIGITS = (12, 24), 64, 10
EPOCHS = 18


def digits() -> tuple[Array, Array]:
    """Images `x (1797, 1, 8, 8)`, whole numbers from 0 to 16, and the digits that they show; the order is fixed."""
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError:
        raise SystemExit('this example needs scikit-learn: pip install -e ".[examples]"') from None
    data = load_digits()
    return data.images[:, None].astype(np.float32), data.target


def one_hot(labels: Array, dtype: Any = np.float32) -> Array:
    """Targets `t (N, 10)`: 1 at the digit, 0 elsewhere."""
    return np.eye(DIGITS, dtype=dtype)[labels]


def network(activation: str = "tanh", pooling: Any = "max", *, dtype: Any = np.float32, rng: Any = None) -> Network:
    """The post's architecture: 1 x 8 x 8, 12 x 4 x 4, 24 x 2 x 2 feature maps, then 64 and 10 units."""
    first, second = MAPS
    return Network(
        [
            Convolution(1, first, 3, padding=1, dtype=dtype, rng=rng),
            Activation(activation),
            Pooling(pooling, 2),
            Convolution(first, second, 3, padding=1, dtype=dtype, rng=rng),
            Activation(activation),
            Pooling(pooling, 2),
            Flatten(),
            Dense(second * 2 * 2, HIDDEN, dtype=dtype, rng=rng),
            Activation(activation),
            Dense(HIDDEN, DIGITS, dtype=dtype, rng=rng),
        ]
    )


# ---- training


@dataclass(frozen=True, slots=True)
class Split:
    """A fixed permutation of the digits: the first fifth is for the test, the rest for training."""

    x: Array
    labels: Array
    x_test: Array
    labels_test: Array


def split(x: Array, labels: Array, seed: int) -> Split:
    """The split of a seed; pixels are scaled to 0 .. 1."""
    order = np.random.default_rng(seed).permutation(len(x))
    test, training = np.split(order, [len(x) // 5])
    return Split(x[training] / 16, labels[training], x[test] / 16, labels[test])


def train(
    data: Split,
    seed: int,
    *,
    epochs: int = EPOCHS,
    rate: float = 0.6,
    batch: int = 16,
    after: Callable[[int], None] = lambda epoch: None,
) -> Network:
    """Train a new network; the rate falls linearly, and is that of the batch's mean error.  `after` every epoch."""
    rng = np.random.default_rng([seed, 1])
    net = network(rng=rng)
    t = one_hot(data.labels)
    for epoch in range(epochs):
        order = rng.permutation(len(t))
        for start in range(0, len(t), batch):
            chosen = order[start : start + batch]
            net.train_step(data.x[chosen], t[chosen], rate * (1 - epoch / epochs) / len(chosen))
        after(epoch + 1)
    return net


def accuracy(net: Network, x: Array, labels: Array) -> float:
    """Share of the images whose largest output is the right one."""
    return float(np.mean(net.forward(x).argmax(axis=1) == labels))


def run(seeds: tuple[int, ...] = SEEDS, epochs: int = EPOCHS) -> list[float]:
    """Train once per seed; prints and returns the test accuracies."""
    x, labels = digits()
    accuracies = []
    with progress(len(seeds), epochs) as (advance, say):
        for seed in seeds:
            clock = time.perf_counter()
            data = split(x, labels, seed)
            net = train(data, seed, epochs=epochs, after=partial(advance, seed))
            accuracies.append(accuracy(net, data.x_test, data.labels_test))
            correct = round(accuracies[-1] * len(data.x_test))
            seconds = time.perf_counter() - clock
            say(f"split {seed}: {accuracies[-1]:.2%} of the test ({correct} of {len(data.x_test)}), {seconds:.1f} s")
    print(f"median of {len(seeds)} splits: {statistics.median(accuracies):.2%}")
    return accuracies


@contextmanager
def progress(splits: int, epochs: int) -> Iterator[tuple[Callable[[int, int], None], Callable[[str], None]]]:
    """`advance(seed, epoch)`, a step of a bar, seen on a terminal only, and `say(text)`, a line in either case."""
    from rich.progress import Progress

    with Progress(transient=True, disable=not sys.stdout.isatty()) as bar:
        task = bar.add_task("training", total=splits * epochs)

        def advance(seed: int, epoch: int) -> None:
            bar.update(task, advance=1, description=f"split {seed}, epoch {epoch} of {epochs}")

        def say(text: str) -> None:
            if bar.disable:
                print(text, flush=True)
            else:
                bar.console.print(text, highlight=False)

        yield advance, say


# ---- the first training step, exactly


def integer_network(rng: np.random.Generator) -> Network:
    """The twin of `network` with ReLU, sum pooling, and weights and biases of -1, 0 and 1, in float64."""
    net = network("relu", "sum", dtype=np.float64, rng=rng)
    for layer in net.layers:
        for value in layer.parameters.values():
            value[...] = rng.choice([-1, 0, 0, 1], value.shape)
    return net


def first_step(net: Network, x: Array, t: Array) -> dict[str, Array]:
    """Output and gradients of one training step, `o`, `dx` and for example `0.dw`, by the layer's place."""
    o = net.forward(x)
    dx = net.backward(error_gradient(o, t))
    gradients = {f"{i}.d{name}": dw for i, layer in enumerate(net.layers) for name, dw in layer.gradients.items()}
    return {"o": o, "dx": dx, **gradients}


def torch_first_step(net: Network, x: Array, t: Array) -> dict[str, Array]:
    """The same from PyTorch's autograd: its convolution is a cross-correlation, so the kernels are turned round."""
    import torch
    from torch.nn import functional as F  # noqa: N812 - PyTorch's custom

    leaf = torch.tensor(x, requires_grad=True)
    parameters = {
        f"{i}.d{name}": torch.tensor(value, requires_grad=True)
        for i, layer in enumerate(net.layers)
        for name, value in layer.parameters.items()
    }
    o = leaf
    for i, layer in enumerate(net.layers):
        if isinstance(layer, Convolution):
            o = F.conv2d(o, parameters[f"{i}.dw"].flip(2, 3), parameters[f"{i}.db"], padding=1)
        elif isinstance(layer, Dense):
            o = F.linear(o, parameters[f"{i}.dw"], parameters[f"{i}.db"])
        elif isinstance(layer, Pooling):
            o = F.avg_pool2d(o, 2, divisor_override=1)
        else:
            o = o.flatten(1) if isinstance(layer, Flatten) else F.relu(o)
    error = ((torch.tensor(t) - o) ** 2).sum() / 2
    error.backward()
    leaves = {"dx": leaf, **parameters}
    return {"o": o.detach().numpy(), **{name: value.grad.numpy() for name, value in leaves.items()}}


def largest_sum(net: Network, x: Array, t: Array) -> float:
    """A bound on every sum in the step, in whatever order it is taken: the same step without signs."""
    signs = [(value, value.copy()) for layer in net.layers for value in layer.parameters.values()]
    for value, _ in signs:
        np.abs(value, out=value)
    bound = max(float(values.max()) for values in first_step(net, np.abs(x), -np.abs(t)).values())
    for value, before in signs:
        value[...] = before
    return bound


def exact(images: int = 32, seed: int = 0) -> list[str]:
    """Compare a first step with PyTorch's; prints what is equal and returns the names of what is not."""
    try:
        import torch
    except ModuleNotFoundError:
        raise SystemExit("the comparison needs PyTorch: pip install torch") from None
    x, labels = digits()
    x, t = x[:images].astype(np.float64), one_hot(labels[:images], np.float64)
    net = integer_network(np.random.default_rng(seed))
    bound = largest_sum(net, x, t)
    if bound >= 2**53:
        raise SystemExit(f"sums reach {bound:.3g}, above 2**53, and may be rounded; take fewer images than {images}")
    ours, theirs = first_step(net, x, t), torch_first_step(net, x, t)
    print(f"{images} images, float64, whole numbers; no sum exceeds {bound:.3g} < 2**53; PyTorch {torch.__version__}")
    for name, value in ours.items():
        differ = np.count_nonzero(value != theirs[name])
        print(f"  {name:5} {value.shape!s:18} largest {np.abs(value).max():14,.0f}   {differ} of {value.size} differ")
    return [name for name, value in ours.items() if not np.array_equal(value, theirs[name])]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--exact", action="store_true", help="compare the first training step with PyTorch's")
    if parser.parse_args().exact:
        return int(bool(exact()))
    run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
