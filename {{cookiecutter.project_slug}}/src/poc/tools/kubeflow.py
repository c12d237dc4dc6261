"""Kubeflow Pipelines: run a pipeline on this machine, write its YAML, and check that YAML without a cluster."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from poc.errors import InputRefused, Refused


def run_here(pipeline: Callable[..., Any], *, candidate: bool, root: str) -> None:
    """Run the pipeline with Kubeflow's local runner, each task in a fresh process of this environment.

    The process must lead its own group, and be given the MLflow run's id as the only line on a standard input that stays open as long
    as somebody follows the run. Exits 1 when a task failed; which, and why, stands in that step's report.
    """
    from kfp import local

    mlflow_run = sys.stdin.buffer.readline().decode().strip()
    if not mlflow_run:
        sys.exit("the launcher ended before the run began")
    _end_with_launcher()
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=root)
    with _interpreter_on_path():
        try:
            pipeline(candidate=candidate, mlflow_run=mlflow_run)
        except RuntimeError as error:  # "Inner task failed": all that kfp says
            sys.exit(str(error))


def _end_with_launcher() -> None:
    """End this process and its tasks when the launcher is gone, killed or not: it holds the other end of standard input and writes nothing more.

    Else a run that nobody follows would go on, spend a look and register a version.
    """

    def wait() -> None:
        os.read(0, 1)  # not through sys.stdin, whose lock Python could not take back when it ends
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def _interpreter_on_path() -> Iterator[None]:
    """Let kfp find this interpreter by name: it pastes `sys.executable` unquoted into a shell line, which a space in a path breaks."""
    here = sys.executable
    os.environ["PATH"] = f"{Path(here).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    sys.executable = "python3"
    try:
        yield
    finally:
        sys.executable = here


def compile_to(pipeline: Any, target: Path) -> None:
    """Write the pipeline's intermediate representation as YAML; the same source gives the same bytes.

    Raises:
        InputRefused: the file's name does not end in .yaml, or its folder is not there.
    """
    if target.suffix not in (".yaml", ".yml") or not target.parent.is_dir():
        raise InputRefused(f"a pipeline cannot be written to {target}", where="--to", fix="name a .yaml file in a folder that exists")
    from kfp import compiler

    compiler.Compiler().compile(pipeline, str(target))


def check_compiled(path: Path) -> list[str]:
    """List the tasks of a compiled pipeline, in the order of their dependencies, after checking what kfp's own parser accepts blindly.

    Raises:
        Refused: unknown fields, or a task, component, executor, producer, output or input that is named but not there.
    """
    import yaml
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    document = next(iter(yaml.safe_load_all(path.read_text())))
    try:
        json_format.ParseDict(document, pipeline_spec_pb2.PipelineSpec())
    except json_format.ParseError as error:
        raise Refused(f"{path.name} is no pipeline: {error}", where=str(path), fix="poc compile", code="pipeline_is_malformed") from error
    dangling, tasks = _walk(document["root"], document)
    if dangling:
        raise Refused(f"{path.name} names what is not there: {'; '.join(dangling)}", where=str(path), fix="poc compile", code="pipeline_dangles")
    return tasks


def _walk(parent: dict[str, Any], document: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Follow a component's graph and those inside it; return what dangles and the names of the tasks that do work."""
    components, executors = document.get("components", {}), document.get("deploymentSpec", {}).get("executors", {})
    dangling: list[str] = []
    names: list[str] = []
    tasks = parent["dag"].get("tasks", {})
    for name, task in sorted(tasks.items(), key=lambda item: _depth(item[0], tasks)):
        reference = task.get("componentRef", {}).get("name", "")
        component = components.get(reference)
        if component is None:
            dangling.append(f"task {name} uses component {reference!r}")
            continue
        dangling += [f"task {name} waits for {producer!r}" for producer in task.get("dependentTasks", []) if producer not in tasks]
        dangling += [f"task {name} takes {missing}" for missing in _not_given(task, parent, components)]
        if "dag" in component:
            inner_dangling, inner = _walk(component, document)
            dangling, names = dangling + inner_dangling, names + inner
        elif component.get("executorLabel") in executors:
            names.append(name)
        else:
            dangling.append(f"component {reference} runs on executor {component.get('executorLabel')!r}")
    return dangling, names


def _not_given(task: dict[str, Any], parent: dict[str, Any], components: dict[str, Any]) -> Iterator[str]:
    """Name each input of a task that no task beside it makes, or that the graph around it is not given."""
    tasks = parent["dag"]["tasks"]
    for kind, word in (("artifacts", "Artifact"), ("parameters", "Parameter")):
        for source in task.get("inputs", {}).get(kind, {}).values():
            if made := source.get(f"taskOutput{word}"):
                producer, key = made.get("producerTask", ""), made.get(f"output{word}Key", "")
                component = components.get(tasks.get(producer, {}).get("componentRef", {}).get("name", ""), {})
                if key not in component.get("outputDefinitions", {}).get(kind, {}):
                    yield f"{key!r} from {producer!r}"
            given = source.get(f"componentInput{word}")
            if given is not None and given not in parent.get("inputDefinitions", {}).get(kind, {}):
                yield f"{given!r} from the graph around it"


def _depth(name: str, tasks: dict[str, Any]) -> int:
    """Count the tasks on the longest way to this one."""
    before = [task for task in tasks.get(name, {}).get("dependentTasks", []) if task in tasks and task != name]
    return 1 + max((_depth(task, tasks) for task in before), default=0)
