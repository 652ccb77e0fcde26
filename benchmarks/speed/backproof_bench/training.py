"""LeNet on scikit-learn's digits, once in our layers and once in PyTorch's: the same weights to begin with, the same
batches in the same order, the post's error, plain gradient descent.

    1 x 8 x 8 -- 5x5, tanh, 2x2 maximum -- 6 x 4 x 4 -- 5x5, tanh, 2x2 maximum -- 16 x 2 x 2 -- 120 -- 84 -- 10

The maps and units are LeNet-5's; the digits have 8 x 8 pixels, so that the convolutions are padded by 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np

from .layers import Array

NAME = "LeNet training"
BATCH, RATE, REHEARSAL = 32, 0.3, 3
CONVOLUTIONS = ((6, 1, 5, 5), (16, 6, 5, 5))
DENSE = ((120, 64), (84, 120), (10, 84))


@dataclass(frozen=True, slots=True)
class Digits:
    """Images `(N, 1, 8, 8)` from 0 to 1, their digits, and one-hot targets of those for training."""

    x: Array
    t: Array
    x_test: Array
    labels_test: Array


@cache
def digits() -> Digits:
    """A fifth, chosen at random, is for the test alone."""
    from sklearn.datasets import load_digits

    data = load_digits()
    x, labels = (data.images[:, None] / 16).astype(np.float32), data.target
    test, train = np.split(np.random.default_rng(0).permutation(len(x)), [len(x) // 5])
    return Digits(x[train], np.eye(10, dtype=np.float32)[labels[train]], x[test], labels[test])


def initial() -> list[Array]:
    """Weights of the five layers, drawn uniformly from +-1/sqrt(inputs per output); biases start at 0."""
    rng = np.random.default_rng(1)
    limits = [(shape, 1 / math.sqrt(math.prod(shape[1:]))) for shape in (*CONVOLUTIONS, *DENSE)]
    return [rng.uniform(-limit, limit, shape).astype(np.float32) for shape, limit in limits]


def batches(epoch: int) -> Iterator[Array]:
    """Positions of the images of each batch; the last one is smaller."""
    order = np.random.default_rng([2, epoch]).permutation(len(digits().x))
    return (order[start : start + BATCH] for start in range(0, len(order), BATCH))


class Student(Protocol):
    """A network that learns; the constructor takes the initial weights."""

    def epoch(self, number: int, most: int | None = None) -> float:
        """Go through the training images once, or through `most` batches and the last; the error on the way."""

    def accuracy(self) -> float:
        """Share of the test's digits that it knows."""


def chosen(epoch: int, most: int | None) -> list[Array]:
    """The batches of an epoch; with `most`, so many and the last, which has a size of its own."""
    every = list(batches(epoch))
    return every if most is None else [*every[:most], every[-1]]


class Ours:
    """In the layers of `backproof_impl`."""

    def __init__(self) -> None:
        from backproof_impl import Activation, Convolution, Dense, Flatten, Layer, Network, Pooling

        layers: list[Layer] = []
        for outputs, inputs, kernel, _ in CONVOLUTIONS:
            layers.append(
                Convolution(inputs, outputs, kernel, padding=2, orientation="cross-correlation", dtype=np.float32)
            )
            layers += [Activation("tanh"), Pooling("max", 2)]
        layers.append(Flatten())
        for outputs, inputs in DENSE:
            layers += [Dense(inputs, outputs, dtype=np.float32), Activation("tanh")]
        self.network = Network(layers[:-1])
        weighted = [layer for layer in layers if layer.parameters]
        for layer, w in zip(weighted, initial(), strict=True):
            layer.parameters["w"][...] = w

    def epoch(self, number: int, most: int | None = None) -> float:
        """See `Student`."""
        data, error = digits(), 0.0
        for batch in chosen(number, most):
            error += self.network.train_step(data.x[batch], data.t[batch], RATE / len(batch))
        return error

    def accuracy(self) -> float:
        """See `Student`."""
        return float(np.mean(self.network.forward(digits().x_test).argmax(1) == digits().labels_test))


class Torch:
    """In the modules of PyTorch, with its optimizer."""

    def __init__(self) -> None:
        import torch
        from torch import nn

        layers: list[Any] = []
        for outputs, inputs, kernel, _ in CONVOLUTIONS:
            layers += [nn.Conv2d(inputs, outputs, kernel, padding=2), nn.Tanh(), nn.MaxPool2d(2)]
        layers.append(nn.Flatten())
        for outputs, inputs in DENSE:
            layers += [nn.Linear(inputs, outputs), nn.Tanh()]
        self.network = nn.Sequential(*layers[:-1])
        weighted = [layer for layer in layers if hasattr(layer, "weight")]
        with torch.no_grad():
            for layer, w in zip(weighted, initial(), strict=True):
                layer.weight.copy_(torch.from_numpy(w))
                layer.bias.zero_()
        self.descent = torch.optim.SGD(self.network.parameters(), RATE)
        data = digits()
        self.x, self.t, self.x_test = (torch.from_numpy(array) for array in (data.x, data.t, data.x_test))
        self._torch: Any = torch

    def epoch(self, number: int, most: int | None = None) -> float:
        """See `Student`."""
        total = 0.0
        for batch in map(self._torch.from_numpy, chosen(number, most)):
            error = ((self.t[batch] - self.network(self.x[batch])) ** 2).sum() / 2
            self.descent.zero_grad()
            (error / len(batch)).backward()
            self.descent.step()
            total += error.item()
        return total

    def accuracy(self) -> float:
        """See `Student`."""
        with self._torch.inference_mode():
            known = self.network(self.x_test).argmax(1).numpy() == digits().labels_test
        return float(known.mean())


STUDENTS: dict[str, type[Student]] = {"ours": Ours, "pytorch": Torch}
