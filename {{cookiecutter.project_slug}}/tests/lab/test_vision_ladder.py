"""The ladder of a convolutional network: int8 and structured pruning together take at most 0.65 of its time and at most a point of its accuracy."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxscript")

import onnx
import torch
from small_cnn import as_arrays, export, fit, images, network, pruned

from poc.rules.evidence import Interval
from poc.rules.rounds import is_enough, paired_ratio
from poc.steps.paired_rounds import Rounds, paired_rounds
from poc.steps.timing import loading
from poc.tools.machine import Clocks
from poc.tools.onnx_runtime import Scorer
from poc.tools.quantization import halve, quantise_static

pytestmark = [pytest.mark.lab, pytest.mark.slow]
WIDTHS = (24, 48, 96)
EPOCHS, EPOCHS_ON = 10, 20
KEEP = 0.5
CALIBRATION = 256
BEST = "pruned, int8"


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One file of the network: its size, its latency as a share of float32's with an interval, and its accuracy on images that were held out."""

    path: Path
    ratio: Interval
    accuracy: float


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rung]:
    """Fit, prune, fit on, quantize, time and judge."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("vision")
    train, held_out = images()
    whole = fit(network(WIDTHS), train, epochs=EPOCHS)
    small = fit(pruned(whole, KEEP), train, epochs=EPOCHS_ON)
    paths = {"float32": export(whole, folder / "float32.onnx"), "pruned": export(small, folder / "pruned.onnx")}
    pixels, digits = as_arrays(train)
    batches = [{"image": pixels[at : at + 64]} for at in range(0, CALIBRATION, 64)]
    for name, source in (("int8", "float32"), (BEST, "pruned")):
        paths[name] = folder / f"{name}.onnx"
        quantise_static(paths[source], paths[name], batches)
    paths["fp16"] = folder / "fp16.onnx"
    halve(paths["float32"], paths["fp16"])
    pixels, digits = as_arrays(held_out)
    ratios = _ratios(paths, [{"image": pixels[at : at + 1]} for at in range(256)])
    return {
        name: Rung(path=path, ratio=ratios[name], accuracy=float(np.mean(Scorer(path).answers({"image": pixels}).argmax(axis=1) == digits)))
        for name, path in paths.items()
    }


def _ratios(paths: dict[str, Path], rows: list[dict[str, Any]]) -> dict[str, Interval]:
    """Time in rounds and compare with float32; by CPU time where the machine was too busy for its clock to be believed."""
    rounds = paired_rounds({name: loading(path, 1, rows) for name, path in paths.items()}, dict.fromkeys(paths, 40), Clocks(), seed=0)
    return {name: _ratio(rounds, name) for name in paths}


def _ratio(rounds: Rounds, name: str) -> Interval:
    if is_enough(rounds.counts):
        return paired_ratio(rounds.walls(name), rounds.walls("float32"), rounds.counts, 0.95)
    return paired_ratio(rounds.cpu[name], rounds.cpu["float32"], np.ones_like(rounds.counts), 0.95)


def test_int8_and_pruning_together_take_at_most_two_thirds_of_the_time_and_a_point_of_accuracy(
    ladder: dict[str, Rung], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{'':14}{'kB':>8}{'of the time':>13}{'95 % interval':>16}{'accuracy':>10}\n")
        for name, rung in ladder.items():
            bounds = f"{rung.ratio.low:.2f} to {rung.ratio.high:.2f}"
            sys.stdout.write(f"{name:14}{rung.path.stat().st_size / 1e3:8.1f}{rung.ratio.middle:13.2f}{bounds:>16}{rung.accuracy:10.1%}\n")
    assert ladder["float32"].accuracy > 0.9
    assert ladder[BEST].ratio.high <= 0.65
    assert ladder[BEST].accuracy >= ladder["float32"].accuracy - 0.01


def test_each_rung_is_a_smaller_file(ladder: dict[str, Rung]) -> None:
    sizes = {name: rung.path.stat().st_size for name, rung in ladder.items()}
    assert sizes["float32"] > sizes["fp16"] > sizes["int8"] > sizes[BEST] and sizes["float32"] > sizes["pruned"]


def test_every_convolution_multiplies_integers(ladder: dict[str, Rung]) -> None:
    nodes = {name: [node.op_type for node in onnx.load(ladder[name].path).graph.node] for name in ("float32", "int8")}
    assert nodes["int8"].count("Conv") == nodes["float32"].count("Conv") == len(WIDTHS)
    model = onnx.load(ladder["int8"].path).graph
    made_by = {output: node for node in model.node for output in node.output}
    assert {made_by[name].op_type for node in model.node if node.op_type in ("Conv", "Gemm") for name in node.input[:2]} == {"DequantizeLinear"}
