"""MLflow: runs, evidence, looks at the sealed set, and registered versions."""

from poc.tools.tracking.connection import UI_PORT_SETTING, artifact_root, one_at_a_time, prepare_database, tracking_uri, ui_port, ui_root
from poc.tools.tracking.registry import Registered, create_version, find_version, log_model, model_bytes, set_alias, withdraw_alias
from poc.tools.tracking.runs import RunRow, adopt_run, close_dead_runs, close_run, log_step, log_variants, open_run, reopen_run, run_rows, run_url, set_verdict
from poc.tools.tracking.sealed_looks import Look, finish_look, looks, looks_at, newest_look, open_look, result_of_look

__all__ = [
    "UI_PORT_SETTING",
    "Look",
    "Registered",
    "RunRow",
    "adopt_run",
    "artifact_root",
    "close_dead_runs",
    "close_run",
    "create_version",
    "find_version",
    "finish_look",
    "log_model",
    "log_step",
    "log_variants",
    "looks",
    "looks_at",
    "model_bytes",
    "newest_look",
    "one_at_a_time",
    "open_look",
    "open_run",
    "prepare_database",
    "reopen_run",
    "result_of_look",
    "run_rows",
    "run_url",
    "set_alias",
    "set_verdict",
    "tracking_uri",
    "ui_port",
    "ui_root",
    "withdraw_alias",
]
