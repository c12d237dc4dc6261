"""Where every artifact lives: the one place that knows a path."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from poc.errors import InputRefused

CHARTER = Path("charter.yaml")
PARAMS = Path("params.yaml")
SUITE = Path("expectations/suite.json")
#: Other scenarios of the template; its last hook removes them.
SCENARIOS = Path("scenarios")
STATE = Path(".poc")
RUNS = STATE / "runs"
RUN_LOG = "run.log"
#: Beside a run's artifacts: the id of the MLflow run that all of its steps log to, whoever performs them.
MLFLOW_RUN = "mlflow_run"
#: Where a run's artifacts lie when its steps are performed one at a time.
BY_HAND = "by-hand"
#: Stands beside the source: its title names the file, its first paragraph says what the rows are.
DATA_CARD = "DATA_CARD.md"
REPORT = "report.json"
#: Files of evidence that go to MLflow; rows, labels, graphs and fitted estimators stay in the run's folder, where reports hold their digests.
SHOWN = frozenset({".json", ".yaml", ".md", ".html", ".svg"})
#: The page for the sponsor, its Markdown form, the same printed, and what model builders call a model card.
BRIEF_HTML = "brief.html"
BRIEF_MD = "brief.md"
BRIEF_PDF = "brief.pdf"
MODEL_CARD = "model_card.md"

CHARTER_JSON = "charter.json"
PARAMS_JSON = "params.json"
SUITE_JSON = "suite.json"
#: The data card as it stood when the run began.
DATA_CARD_MD = "data_card.md"
SPLITS_JSON = "splits.json"
SPLIT_FILES = {"train": "train.parquet", "dev": "dev.parquet", "sealed": "sealed.parquet"}
SEALED_LABELS = "labels.parquet"
#: What dev rows share with the readings that were joined to them, as text, in the order of their rows.
DEV_KEYS = "dev_keys.parquet"
VALIDATION_JSON = "validation.json"
MODELS_JSON = "models.json"
GRAPHS_JSON = "graphs.json"
VARIANTS_JSON = "variants.json"
TIMINGS_JSON = "timings.json"
EVALUATION_JSON = "evaluation.json"
#: All variants as pictures: what a call costs, and how long the slowest take, against what each is worth.
COST_SVG = "cost_against_worth.svg"
LATENCY_SVG = "latency_against_worth.svg"
CANDIDATE_JSON = "candidate.json"
CANDIDATE_MODEL = "model.onnx"
SAMPLE_REQUEST = "sample_request.json"
REHEARSAL_JSON = "rehearsal.json"
VERDICT_JSON = "verdict.json"
VERSION_JSON = "version.json"
DECISION_JSON = "decision.json"
#: The charter's bytes as they stood when the run began, and whether they were signed then.
CHARTER_YAML = "charter.yaml"
SIGNOFF_JSON = "signoff.json"
#: The ledger: `0001.json` is the first statement, `0001.sig` its signature.
SIGNOFFS = Path("signoffs")
#: Where trust files for trying things out lie, with their private keys; what they sign verifies nowhere else.
DEMO_TRUST = STATE / "demo-trust"
#: What trust files are called, wherever they lie.
ALLOWED_SIGNERS = "allowed_signers"
REVOKED = "revoked"
ROLES = "roles.yaml"
#: Beside a run's artifacts: what `poc load` measured of its candidate, and the picture of it.
LOAD = "load"
LOAD_JSON = "load.json"
LOAD_SVG = "load.svg"


def project_root(start: Path | None = None) -> Path:
    """Find the folder that holds `charter.yaml`, here or above.

    Raises:
        InputRefused: no folder up to the root holds one.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / CHARTER).is_file():
            return folder
    raise InputRefused("there is no charter.yaml here or in any folder above", where=str(here), fix="go to the repository, then run the command again")


def artifact_folder(artifacts: Path, step: str, artifact: str) -> Path:
    """Say where a step's artifact lies among a run's artifacts: the layout of Kubeflow's local runner."""
    return artifacts / step / artifact


def new_run(root: Path) -> Path:
    """Make the folder of a new run, named by the time (UTC)."""
    while True:
        run = root / RUNS / datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S-%f")
        run.parent.mkdir(parents=True, exist_ok=True)
        try:
            run.mkdir()
        except FileExistsError:
            continue
        return run


def runs(root: Path) -> list[Path]:
    """List the folders of all runs, the newest first."""
    return sorted((root / RUNS).glob("20*"), reverse=True)


def artifacts_of(run: Path) -> Path:
    """Find the folder that holds a run's artifacts: the one that Kubeflow's local runner made, or `BY_HAND`.

    Raises:
        InputRefused: the run wrote nothing yet.
    """
    folders = sorted(path for path in run.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not folders:
        raise InputRefused("this run wrote nothing yet", where=str(run), fix="poc run")
    return folders[0]
