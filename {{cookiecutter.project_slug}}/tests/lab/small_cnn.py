"""A small convolutional network for scikit-learn's digits: fitted, pruned by whole filters, and written as ONNX."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor, nn

# Threads that wait for each other spin: on two busy cores two of them took 25 times as long as one.
torch.set_num_threads(1)
Network: TypeAlias = nn.Sequential
#: A convolution, its normalisation and its activation.
BLOCK = 3


@dataclass(frozen=True, kw_only=True)
class Images:
    """Grey images, shape (n, 1, 32, 32), float32 from 0 to 1, and the digits on them, shape (n,), int64."""

    pixels: Tensor
    digits: Tensor


def images() -> tuple[Images, Images]:
    """Return 1,200 images to train on and 597 held out, enlarged from 8 by 8 pixels to 32 by 32 so that convolutions have work to do."""
    found = load_digits()
    small = torch.tensor(found.images / 16.0, dtype=torch.float32)[:, None]
    pixels, digits = nn.functional.interpolate(small, size=(32, 32), mode="bilinear"), torch.tensor(found.target)
    order = torch.tensor(np.random.default_rng(1).permutation(len(digits)))
    pixels = pixels.contiguous(memory_format=torch.channels_last)  # channel by channel, fitting takes twice as long
    train, held_out = (Images(pixels=pixels[rows], digits=digits[rows]) for rows in (order[:1200], order[1200:]))
    return train, held_out


def network(widths: tuple[int, ...]) -> Network:
    """Return convolutions of 3 by 3 pixels with so many filters, each but the first halving the image, and one linear layer behind their mean."""
    layers: list[nn.Module] = []
    for place, (before, filters) in enumerate(pairwise((1, *widths))):
        layers += [nn.Conv2d(before, filters, 3, stride=1 if place == 0 else 2, padding=1, bias=False), nn.BatchNorm2d(filters), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 10)).to(memory_format=torch.channels_last)


def fit(net: Network, train: Images, *, epochs: int, batch: int = 32) -> Network:
    """Fit, or fit on, with a learning rate that rises and falls once (Smith and Topin, "Super-convergence", 2018)."""
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=1e-2)
    steps = len(train.digits) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=epochs * steps)
    net.train()
    for epoch in range(epochs):
        shuffled = torch.tensor(np.random.default_rng(epoch).permutation(len(train.digits))[: steps * batch]).reshape(steps, batch)
        for rows in shuffled:
            loss = nn.functional.cross_entropy(net(train.pixels[rows]), train.digits[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def pruned(net: Network, keep: float) -> Network:
    """Return the network without the filters through which least passes: |incoming| times |scale of the normalisation| times |outgoing| weights."""
    convolutions = [layer for layer in net if isinstance(layer, nn.Conv2d)]
    kept = [_strongest(net, place, keep) for place in range(len(convolutions))]
    small = network(tuple(len(filters) for filters in kept))
    with torch.no_grad():
        for place, (before, filters) in enumerate(pairwise([torch.arange(1), *kept])):
            convolution, norm = (net[BLOCK * place + at] for at in (0, 1))
            small[BLOCK * place].weight.copy_(convolution.weight[filters][:, before])
            for name in ("weight", "bias", "running_mean", "running_var"):
                getattr(small[BLOCK * place + 1], name).copy_(getattr(norm, name)[filters])
        small[-1].weight.copy_(net[-1].weight[:, kept[-1]])
        small[-1].bias.copy_(net[-1].bias)
    return small


def _strongest(net: Network, place: int, keep: float) -> Tensor:
    convolution, norm = net[BLOCK * place], net[BLOCK * place + 1]
    following = net[BLOCK * (place + 1)] if BLOCK * (place + 1) < len(net) - BLOCK else net[-1]
    outgoing = following.weight.abs().transpose(0, 1).flatten(1).sum(1)
    strength = convolution.weight.abs().flatten(1).sum(1) * norm.weight.abs() * outgoing
    return strength.topk(max(1, round(keep * len(strength)))).indices.sort().values


def export(net: Network, path: Path) -> Path:
    """Write the network as one ONNX file that takes any number of images."""
    batch = torch.export.Dim("batch", min=1, max=4096)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.to(memory_format=torch.contiguous_format), (torch.zeros(2, 1, 32, 32),), path, input_names=["image"], output_names=["logits"],
            dynamo=True, opset_version=21, external_data=False, dynamic_shapes=({0: batch},), verbose=False,
        )  # fmt: skip
    return path


def as_arrays(each: Images) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return images and digits as ONNX Runtime and numpy take them."""
    return np.ascontiguousarray(each.pixels.numpy()), each.digits.numpy()
