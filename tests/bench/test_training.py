"""LeNet in our layers and in PyTorch's: the same network, which learns the same."""

from __future__ import annotations

import numpy as np
import pytest

from backproof_bench import training

pytestmark = [pytest.mark.torch, pytest.mark.examples]


@pytest.fixture(autouse=True)
def libraries() -> None:
    pytest.importorskip("torch", reason="needs the extra `torch`")
    pytest.importorskip("sklearn", reason="needs the extra `examples`")


def test_every_image_is_in_one_batch_of_an_epoch() -> None:
    data = training.digits()
    assert sorted(np.concatenate(list(training.batches(3)))) == list(range(len(data.x)))
    assert [len(batch) for batch in training.chosen(0, 2)] == [32, 32, len(data.x) % 32]
    assert data.t.sum() == len(data.x)
    assert (data.x.min(), data.x.max(), len(data.x_test)) == (0, 1, 359)


def test_both_make_the_same_errors_on_the_way() -> None:
    ours, torch = training.Ours(), training.Torch()
    assert ours.accuracy() == torch.accuracy()
    for number in range(2):
        assert ours.epoch(number, 3) == pytest.approx(torch.epoch(number, 3), rel=1e-5)
    assert ours.epoch(2, 0) < training.Ours().epoch(2, 0)  # it learns


def test_another_network_makes_other_errors() -> None:
    ours, torch = training.Ours(), training.Torch()
    ours.network.layers[0].parameters["w"] *= 1.5
    assert ours.epoch(0, 3) != pytest.approx(torch.epoch(0, 3), rel=1e-5)
