"""One list of steps: the pipeline's tasks, the commands and the README's table are held to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from poc.cli import poc
from poc.errors import Refused
from poc.pipeline import prod_first_poc
from poc.steps import STEPS
from poc.tools import kubeflow


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("compiled") / "pipeline.yaml"
    kubeflow.compile_to(prod_first_poc, target)
    return target


def test_the_compiled_tasks_are_the_steps_in_their_order(compiled: Path) -> None:
    assert kubeflow.check_compiled(compiled) == [step.name for step in STEPS]


def test_every_step_is_a_command() -> None:
    assert [name for name in poc.commands if name in {step.name for step in STEPS}] == [step.name for step in STEPS]


def test_the_readme_lists_the_steps_as_they_are() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    assert "\n".join(f"| {step.name} | {step.does} | {step.refuses_when} |" for step in STEPS) in readme


def test_compiling_twice_gives_the_same_bytes(compiled: Path, tmp_path: Path) -> None:
    kubeflow.compile_to(prod_first_poc, tmp_path / "again.yaml")
    assert (tmp_path / "again.yaml").read_bytes() == compiled.read_bytes()


def dangle_component(document: dict[str, Any]) -> None:
    document["root"]["dag"]["tasks"]["train"]["componentRef"]["name"] = "comp-nobody"


def dangle_producer(document: dict[str, Any]) -> None:
    document["root"]["dag"]["tasks"]["train"]["inputs"]["artifacts"]["data"]["taskOutputArtifact"]["producerTask"] = "nobody"


def dangle_executor(document: dict[str, Any]) -> None:
    document["components"]["comp-train"]["executorLabel"] = "exec-nobody"


@pytest.mark.parametrize("dangle", [dangle_component, dangle_producer, dangle_executor])
def test_a_reference_to_nothing_is_refused(compiled: Path, tmp_path: Path, dangle: Any) -> None:
    document = yaml.safe_load(compiled.read_text())
    dangle(document)
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(Refused) as caught:
        kubeflow.check_compiled(tmp_path / "broken.yaml")
    assert caught.value.code == "pipeline_dangles"


def test_the_sealed_labels_go_to_the_gate_and_nowhere_else() -> None:
    assert [step.name for step in STEPS if "sealed_labels" in step.inputs] == ["gate"]
