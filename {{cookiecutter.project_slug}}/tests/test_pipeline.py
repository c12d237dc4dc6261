"""One list of steps: the pipeline's tasks, the commands and the README's table are held to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from poc import layout
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


@pytest.mark.slow
def test_two_processes_compile_the_same_bytes(tmp_path: Path) -> None:
    """What depends on the order of a set is the same twice in one process, and differs between two."""
    code = (
        "import sys; from pathlib import Path; from poc.pipeline import prod_first_poc; from poc.tools import kubeflow;"
        "kubeflow.compile_to(prod_first_poc, Path(sys.argv[1]))"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(layout.__file__).parents[1])}
        subprocess.run([sys.executable, "-c", code, tmp_path / f"{seed}.yaml"], env=environment, check=True)
    assert (tmp_path / "1.yaml").read_bytes() == (tmp_path / "2.yaml").read_bytes()


def dangle_component(document: dict[str, Any]) -> None:
    document["root"]["dag"]["tasks"]["train"]["componentRef"]["name"] = "comp-nobody"


def dangle_producer(document: dict[str, Any]) -> None:
    document["root"]["dag"]["tasks"]["train"]["inputs"]["artifacts"]["data"]["taskOutputArtifact"]["producerTask"] = "nobody"


def dangle_parameter_s_producer(document: dict[str, Any]) -> None:
    document["root"]["dag"]["tasks"]["train"]["inputs"]["parameters"]["mlflow_run"]["taskOutputParameter"]["producerTask"] = "nobody"


def dangle_order(document: dict[str, Any]) -> None:
    document["root"]["dag"]["tasks"]["train"]["dependentTasks"].append("nobody")


def dangle_output(document: dict[str, Any]) -> None:
    document["root"]["dag"]["tasks"]["train"]["inputs"]["artifacts"]["data"]["taskOutputArtifact"]["outputArtifactKey"] = "nothing"


def dangle_artifact_from_around(document: dict[str, Any]) -> None:
    gate = document["components"]["comp-condition-1"]["dag"]["tasks"]["gate"]
    gate["inputs"]["artifacts"]["candidate"]["componentInputArtifact"] = "pipelinechannel--nothing"


def dangle_parameter_from_around(document: dict[str, Any]) -> None:
    del document["components"]["comp-condition-1"]["inputDefinitions"]["parameters"]["pipelinechannel--charter-Output"]


def dangle_executor(document: dict[str, Any]) -> None:
    document["components"]["comp-train"]["executorLabel"] = "exec-nobody"


@pytest.mark.parametrize(
    "dangle",
    [
        dangle_component,
        dangle_producer,
        dangle_parameter_s_producer,
        dangle_order,
        dangle_output,
        dangle_artifact_from_around,
        dangle_parameter_from_around,
        dangle_executor,
    ],
)
def test_a_reference_to_nothing_is_refused(compiled: Path, tmp_path: Path, dangle: Any) -> None:
    document = yaml.safe_load(compiled.read_text())
    dangle(document)
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(Refused) as caught:
        kubeflow.check_compiled(tmp_path / "broken.yaml")
    assert caught.value.code == "pipeline_dangles"


def test_the_sealed_labels_go_to_the_gate_and_nowhere_else() -> None:
    assert [step.name for step in STEPS if "sealed_labels" in step.inputs] == ["gate"]
