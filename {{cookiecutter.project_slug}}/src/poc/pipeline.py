"""The steps as one Kubeflow pipeline; the same object runs here, with Kubeflow's local runner, and on the cluster.

Each component is a thin body: Kubeflow ships its source to the container, where the image brings `poc`. A body names its artifacts and calls
`perform_in_pipeline`; everything else is in `poc.steps`.
"""

import os
import sys

from kfp import dsl
from kfp.dsl import Artifact, Input, Output

#: The project's image, one per commit; the local runner only looks whether the name says Python.
IMAGE = os.environ.get("POC_IMAGE", "python:prod-first-poc")
_component = dsl.component(base_image=IMAGE, install_kfp_package=False)


@_component
def charter(mlflow_run: str, agreement: Output[Artifact]) -> str:
    from poc.steps.perform import perform_in_pipeline

    return perform_in_pipeline("charter", inputs={}, outputs={"agreement": agreement.path}, mlflow_run=mlflow_run)


@_component
def ingest(mlflow_run: str, agreement: Input[Artifact], data: Output[Artifact], sealed_labels: Output[Artifact]) -> None:
    from poc.steps.perform import perform_in_pipeline

    perform_in_pipeline("ingest", inputs={"agreement": agreement.path}, outputs={"data": data.path, "sealed_labels": sealed_labels.path}, mlflow_run=mlflow_run)


@_component
def validate(mlflow_run: str, agreement: Input[Artifact], data: Input[Artifact], validation: Output[Artifact]) -> None:
    from poc.steps.perform import perform_in_pipeline

    perform_in_pipeline("validate", inputs={"agreement": agreement.path, "data": data.path}, outputs={"validation": validation.path}, mlflow_run=mlflow_run)


@_component
def train(mlflow_run: str, agreement: Input[Artifact], data: Input[Artifact], validation: Input[Artifact], models: Output[Artifact]) -> None:
    from poc.steps.perform import perform_in_pipeline

    perform_in_pipeline(
        "train", inputs={"agreement": agreement.path, "data": data.path, "validation": validation.path}, outputs={"models": models.path}, mlflow_run=mlflow_run
    )


@_component
def export(mlflow_run: str, agreement: Input[Artifact], data: Input[Artifact], models: Input[Artifact], graphs: Output[Artifact]) -> None:
    from poc.steps.perform import perform_in_pipeline

    perform_in_pipeline(
        "export", inputs={"agreement": agreement.path, "data": data.path, "models": models.path}, outputs={"graphs": graphs.path}, mlflow_run=mlflow_run
    )


@_component
def compress(
    mlflow_run: str, agreement: Input[Artifact], data: Input[Artifact], models: Input[Artifact], graphs: Input[Artifact], variants: Output[Artifact]
) -> None:
    from poc.steps.perform import perform_in_pipeline

    perform_in_pipeline(
        "compress",
        inputs={"agreement": agreement.path, "data": data.path, "models": models.path, "graphs": graphs.path},
        outputs={"variants": variants.path},
        mlflow_run=mlflow_run,
    )


@_component
def benchmark(mlflow_run: str, agreement: Input[Artifact], data: Input[Artifact], variants: Input[Artifact], timings: Output[Artifact]) -> None:
    from poc.steps.perform import perform_in_pipeline

    perform_in_pipeline(
        "benchmark",
        inputs={"agreement": agreement.path, "data": data.path, "variants": variants.path},
        outputs={"timings": timings.path},
        mlflow_run=mlflow_run,
    )


@_component
def evaluate(
    mlflow_run: str, agreement: Input[Artifact], data: Input[Artifact], variants: Input[Artifact], timings: Input[Artifact], candidate: Output[Artifact]
) -> None:
    from poc.steps.perform import perform_in_pipeline

    perform_in_pipeline(
        "evaluate",
        inputs={"agreement": agreement.path, "data": data.path, "variants": variants.path, "timings": timings.path},
        outputs={"candidate": candidate.path},
        mlflow_run=mlflow_run,
    )


@_component
def replay(mlflow_run: str, agreement: Input[Artifact], data: Input[Artifact], candidate: Input[Artifact], rehearsal: Output[Artifact]) -> None:
    from poc.steps.perform import perform_in_pipeline

    perform_in_pipeline(
        "replay",
        inputs={"agreement": agreement.path, "data": data.path, "candidate": candidate.path},
        outputs={"rehearsal": rehearsal.path},
        mlflow_run=mlflow_run,
    )


@_component
def gate(
    mlflow_run: str,
    agreement: Input[Artifact],
    data: Input[Artifact],
    sealed_labels: Input[Artifact],
    validation: Input[Artifact],
    models: Input[Artifact],
    graphs: Input[Artifact],
    variants: Input[Artifact],
    timings: Input[Artifact],
    candidate: Input[Artifact],
    rehearsal: Input[Artifact],
    verdict: Output[Artifact],
) -> None:
    from poc.steps.perform import perform_in_pipeline

    perform_in_pipeline(
        "gate",
        inputs={
            "agreement": agreement.path,
            "data": data.path,
            "sealed_labels": sealed_labels.path,
            "validation": validation.path,
            "models": models.path,
            "graphs": graphs.path,
            "variants": variants.path,
            "timings": timings.path,
            "candidate": candidate.path,
            "rehearsal": rehearsal.path,
        },
        outputs={"verdict": verdict.path},
        mlflow_run=mlflow_run,
    )


@_component
def register(
    mlflow_run: str,
    agreement: Input[Artifact],
    data: Input[Artifact],
    validation: Input[Artifact],
    models: Input[Artifact],
    graphs: Input[Artifact],
    variants: Input[Artifact],
    timings: Input[Artifact],
    candidate: Input[Artifact],
    rehearsal: Input[Artifact],
    verdict: Input[Artifact],
    version: Output[Artifact],
) -> None:
    from poc.steps.perform import perform_in_pipeline

    perform_in_pipeline(
        "register",
        inputs={
            "agreement": agreement.path,
            "data": data.path,
            "validation": validation.path,
            "models": models.path,
            "graphs": graphs.path,
            "variants": variants.path,
            "timings": timings.path,
            "candidate": candidate.path,
            "rehearsal": rehearsal.path,
            "verdict": verdict.path,
        },
        outputs={"version": version.path},
        mlflow_run=mlflow_run,
    )


@_component
def decide(mlflow_run: str, verdict: Input[Artifact], version: Input[Artifact], decision: Output[Artifact]) -> None:
    from poc.steps.perform import perform_in_pipeline

    perform_in_pipeline("decide", inputs={"verdict": verdict.path, "version": version.path}, outputs={"decision": decision.path}, mlflow_run=mlflow_run)


@dsl.pipeline(name="prod-first-poc", description="From a charter to a verdict: see the table of steps in the README")
def prod_first_poc(candidate: bool = False, mlflow_run: str = "") -> None:
    agreed = charter(mlflow_run=mlflow_run)
    made = {"agreement": agreed.outputs["agreement"]}
    run = agreed.outputs["Output"]
    ingest_task = ingest(mlflow_run=run, agreement=made["agreement"])
    made |= {"data": ingest_task.outputs["data"], "sealed_labels": ingest_task.outputs["sealed_labels"]}
    validate_task = validate(mlflow_run=run, agreement=made["agreement"], data=made["data"])
    made |= {"validation": validate_task.outputs["validation"]}
    train_task = train(mlflow_run=run, agreement=made["agreement"], data=made["data"], validation=made["validation"])
    made |= {"models": train_task.outputs["models"]}
    export_task = export(mlflow_run=run, agreement=made["agreement"], data=made["data"], models=made["models"])
    made |= {"graphs": export_task.outputs["graphs"]}
    compress_task = compress(mlflow_run=run, agreement=made["agreement"], data=made["data"], models=made["models"], graphs=made["graphs"])
    made |= {"variants": compress_task.outputs["variants"]}
    benchmark_task = benchmark(mlflow_run=run, agreement=made["agreement"], data=made["data"], variants=made["variants"])
    benchmark_task.set_caching_options(enable_caching=False)
    made |= {"timings": benchmark_task.outputs["timings"]}
    evaluate_task = evaluate(mlflow_run=run, agreement=made["agreement"], data=made["data"], variants=made["variants"], timings=made["timings"])
    made |= {"candidate": evaluate_task.outputs["candidate"]}
    replay_task = replay(mlflow_run=run, agreement=made["agreement"], data=made["data"], candidate=made["candidate"])
    made |= {"rehearsal": replay_task.outputs["rehearsal"]}
    with dsl.If(candidate == True, name="candidate"):  # noqa: E712  (Kubeflow compiles the comparison)
        gate_task = gate(
            mlflow_run=run,
            agreement=made["agreement"],
            data=made["data"],
            sealed_labels=made["sealed_labels"],
            validation=made["validation"],
            models=made["models"],
            graphs=made["graphs"],
            variants=made["variants"],
            timings=made["timings"],
            candidate=made["candidate"],
            rehearsal=made["rehearsal"],
        )
        gate_task.set_caching_options(enable_caching=False)
        made |= {"verdict": gate_task.outputs["verdict"]}
        register_task = register(
            mlflow_run=run,
            agreement=made["agreement"],
            data=made["data"],
            validation=made["validation"],
            models=made["models"],
            graphs=made["graphs"],
            variants=made["variants"],
            timings=made["timings"],
            candidate=made["candidate"],
            rehearsal=made["rehearsal"],
            verdict=made["verdict"],
        )
        register_task.set_caching_options(enable_caching=False)
        made |= {"version": register_task.outputs["version"]}
        decide_task = decide(mlflow_run=run, verdict=made["verdict"], version=made["version"])
        decide_task.set_caching_options(enable_caching=False)


if __name__ == "__main__":
    # What `poc run` starts: kfp patches print and logging while it runs, so it gets a process of its own.
    from poc.tools import kubeflow

    kubeflow.run_here(prod_first_poc, candidate=sys.argv[2] == "candidate", root=sys.argv[1])
