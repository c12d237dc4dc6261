"""What the guard leans on in MLflow that MLflow does not promise: a release that changes it turns a test here red, before anybody relies on the guard."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import FunctionType
from typing import Any

import mlflow
import pytest
from installed import installed_in
from mlflow.entities.model_registry.prompt_version import IS_PROMPT_TAG_KEY
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Tracking

from poc.rules.signoff.guarded import PROMPT_TAG
from poc.tools.tracking.guard.opening import REMEMBERED
from poc.tools.tracking.guard.registry import GuardedRegistry
from poc.tools.tracking.guard.server import APP
from poc.tools.tracking.guard.tracking import OF_EXPERIMENTS, OF_LOGGED_MODELS, OF_RUNS, GuardedTracking

PAGES = Path(mlflow.__file__).parent / "server/js/build/static/js"
#: What only reads.
READS = ("get_", "search_", "list_", "find_", "query_", "batch_get_", "calculate_", "filter_", "resolve_", "sanitize_", "sum_", "supports_")
#: What writes and asks nobody: what it changes is not what anybody signs. Prompts, which are registered models, are written by the methods that ask.
OPEN_OF_REGISTRY = """
copy_model_version create_prompt create_prompt_version create_webhook delete_prompt delete_prompt_alias delete_prompt_tag delete_prompt_version
delete_prompt_version_tag delete_webhook link_prompt_version_to_model link_prompt_version_to_run link_prompts_to_trace set_prompt_alias set_prompt_tag
set_prompt_version_tag test_webhook update_registered_model update_webhook
"""
#: The same of runs: new runs and experiments, what is brought back, traces, and what MLflow has for language models.
OPEN_OF_TRACKING = """
add_dataset_to_experiments add_guardrail_to_endpoint add_items_to_review_queue archive_traces attach_model_to_endpoint create_assessment create_budget_policy
create_dataset create_endpoint_binding create_gateway_endpoint create_gateway_guardrail create_gateway_model_definition create_gateway_secret
create_issue create_label_schema create_mcp_access_endpoint create_mcp_server create_mcp_server_version create_review_queue create_run delete_assessment
delete_budget_policy delete_dataset delete_dataset_records delete_dataset_tag delete_endpoint_binding delete_experiment_tag delete_gateway_endpoint
delete_gateway_endpoint_tag delete_gateway_guardrail delete_gateway_model_definition delete_gateway_secret delete_label_schema delete_mcp_access_endpoint
delete_mcp_server delete_mcp_server_alias delete_mcp_server_tag delete_mcp_server_version delete_mcp_server_version_tag delete_review_queue delete_scorer
delete_trace_tag delete_traces deprecated_end_trace_v2 deprecated_start_trace_v2 detach_model_from_endpoint end_async_logging flush_async_logging
link_mcp_server_versions_to_trace link_prompts_to_trace log_batch_async log_metric_async log_param_async log_spans log_spans_async register_scorer
remove_dataset_from_experiments remove_guardrail_from_endpoint remove_items_from_review_queue restore_experiment restore_run set_dataset_tags
set_experiment_tag set_gateway_endpoint_tag set_mcp_server_alias set_mcp_server_tag set_mcp_server_version_tag set_review_queue_item_status set_tag_async
set_trace_tag shut_down_async_logging start_trace update_assessment update_budget_policy update_endpoint_guardrail_config update_gateway_endpoint
update_gateway_model_definition update_gateway_secret update_issue update_label_schema update_mcp_access_endpoint update_mcp_server update_mcp_server_version
update_review_queue upsert_dataset_records upsert_online_scoring_config
"""
#: Routes of MLflow's server that write or remove artifacts, or hand out addresses that do, each without asking a store.
ARTIFACT_ROUTES = {
    "DELETE /2.0/mlflow-artifacts/artifacts/<path:artifact_path>",
    "POST /2.0/mlflow-artifacts/mpu/abort/<path:artifact_path>",
    "POST /2.0/mlflow-artifacts/mpu/complete/<path:artifact_path>",
    "POST /2.0/mlflow-artifacts/mpu/create/<path:artifact_path>",
    "POST /2.0/mlflow/artifacts/presigned-download-url",
    "POST /2.0/mlflow/artifacts/presigned-upload-url",
    "POST /2.0/mlflow/upload-artifact",
    "PUT /2.0/mlflow-artifacts/artifacts/<path:artifact_path>",
}
#: Where the routes begin that go past Flask, and whether they write artifacts, below.
NATIVE = ("/v1/traces", "/3.0/jobs/", "/gateway/", "/3.0/mlflow/assistant/", "/3.0/mlflow/mcp-servers")


def writes(store: type) -> set[str]:
    return {name for name in dir(store) if not name.startswith(("_", *READS)) and inspect.isfunction(getattr(store, name))}


@pytest.mark.parametrize(("ours", "theirs", "open_ones"), [(GuardedRegistry, Registry, OPEN_OF_REGISTRY), (GuardedTracking, Tracking, OPEN_OF_TRACKING)])
def test_every_write_of_mlflows_asks_the_guard_or_is_known_to_be_harmless(ours: type, theirs: type, open_ones: str) -> None:
    assert writes(theirs) - set(vars(ours)) == set(open_ones.split())


@pytest.mark.parametrize(("ours", "theirs"), [(GuardedRegistry, Registry), (GuardedTracking, Tracking)])
def test_what_the_guard_overrides_takes_what_mlflow_hands_it(ours: type, theirs: type) -> None:
    for name in set(vars(ours)) & (writes(theirs) | {"get_model_version"}):
        mine, of_mlflow = (list(inspect.signature(getattr(store, name)).parameters.values()) for store in (ours, theirs))
        fixed = [each.name for each in mine if each.kind is each.POSITIONAL_OR_KEYWORD]
        assert fixed == [each.name for each in of_mlflow][: len(fixed)], name
        assert len(fixed) == len(of_mlflow) or any(each.kind is each.VAR_POSITIONAL for each in mine), name


def test_what_asks_by_an_argument_finds_it_under_its_name() -> None:
    for names, argument in ((OF_RUNS, "run_id"), (OF_LOGGED_MODELS, "model_id"), (OF_EXPERIMENTS, "experiment_id")):
        assert [name for name in names if argument not in inspect.signature(getattr(Tracking, name)).parameters] == []


def test_what_is_meant_for_later_and_for_prompts_ends_in_a_method_that_asks() -> None:
    ends = {
        (Tracking, "log_metric_async"): "self.log_batch_async(", (Tracking, "log_param_async"): "self.log_batch_async(",
        (Tracking, "set_tag_async"): "self.log_batch_async(", (Registry, "delete_prompt"): "self.delete_registered_model(",
        (Registry, "delete_prompt_version"): "self.delete_model_version(", (Registry, "set_prompt_alias"): "self.set_registered_model_alias(",
        (Registry, "delete_prompt_alias"): "self.delete_registered_model_alias(", (Registry, "set_prompt_tag"): "self.set_registered_model_tag(",
        (Registry, "delete_prompt_tag"): "self.delete_registered_model_tag(", (Registry, "set_prompt_version_tag"): "self.set_model_version_tag(",
        (Registry, "delete_prompt_version_tag"): "self.delete_model_version_tag(", (Registry, "copy_model_version"): "self.create_model_version(",
        (Registry, "link_prompt_version_to_run"): "tracking_store.set_tag(",
    }  # fmt: skip
    assert [name for (store, name), call in ends.items() if call not in inspect.getsource(getattr(store, name))] == []


def test_the_ledgers_entries_go_in_the_way_that_mlflow_writes_a_tag_but_for_writing_over() -> None:
    source = inspect.getsource(Registry.set_registered_model_tag)
    assert "session.merge(" in source
    assert all(word in source for word in ("self.ManagedSessionMaker(read_only=False)", "self._get_registered_model(session, name)", "workspace="))


def test_a_prompt_is_told_from_a_model_by_the_tag_that_the_guard_keeps_off() -> None:
    assert IS_PROMPT_TAG_KEY == PROMPT_TAG


def test_versions_are_kept_where_the_guard_looks_for_those_of_a_run() -> None:
    assert {"name", "version", "run_id", "source"} <= set(SqlModelVersion.__table__.columns.keys())


# The server


@pytest.fixture(scope="module")
def server() -> Any:
    """Import MLflow's server, which takes two seconds."""
    return importlib.import_module("mlflow.server")


@pytest.mark.slow
def test_every_route_that_writes_artifacts_without_a_store_is_one_that_the_shield_knows(server: Any) -> None:
    found = set()
    for rule in server.app.url_map.iter_rules():
        source = inspect.getsource(inspect.unwrap(server.app.view_functions[rule.endpoint]))
        if "artifact_repo" in source or "upload_artifact_handler" in source:
            found |= {f"{method} {str(rule).replace('/ajax-api', '').replace('/api', '')}" for method in rule.methods - {"GET", "HEAD", "OPTIONS"}}
    assert found == ARTIFACT_ROUTES


@pytest.mark.slow
def test_every_route_that_goes_past_flask_is_one_that_is_known(server: Any) -> None:
    app = importlib.import_module("mlflow.server.fastapi_app").app
    found = {(method, path) for path, methods in routes_of(app.routes) for method in methods - {"GET", "HEAD", "OPTIONS"}}
    assert sorted({(method, path) for method, path in found if not path.startswith(NATIVE)}) == [
        ("PUT", "/2.0/mlflow-artifacts/artifacts/{artifact_path:path}")
    ]


def routes_of(routes: Any, prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    for each in routes:
        if hasattr(each, "original_router"):
            yield from routes_of(each.original_router.routes, prefix + each.include_context.prefix)
        elif getattr(each, "methods", None):
            yield (prefix + each.path).replace("/ajax-api", "").replace("/api", ""), set(each.methods)


@pytest.mark.slow
def test_mlflow_finds_the_guard_by_the_entry_points(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*installed_in(tmp_path).split(":"), *sys.path])
    assert server._find_app(APP) == "poc.acts.guarded_server:create_app"
    assert server._is_factory("poc.acts.guarded_server:create_app")
    for group, arguments in (("mlflow.model_registry_store", ["store_uri", "tracking_uri"]), ("mlflow.tracking_store", ["store_uri", "artifact_uri"])):
        (point,) = set(entry_points(group=group, name="guarded"))  # where the project is installed, its own are there beside these
        made = point.load()
        assert isinstance(made, FunctionType) and list(inspect.signature(made).parameters) == arguments


@pytest.mark.slow
def test_the_server_has_its_stores_destination_and_kind_where_the_guard_asks(server: Any) -> None:
    source = inspect.getsource(server._run_server)
    assert callable(server.handlers._get_tracking_store) and callable(server.handlers._get_model_registry_store)
    assert (server.ARTIFACTS_DESTINATION_ENV_VAR, server._MLFLOW_SGI_NAME.name) == ("_MLFLOW_SERVER_ARTIFACT_DESTINATION", "_MLFLOW_SGI_NAME")
    assert 'env_map[_MLFLOW_SGI_NAME.name] = "uvicorn"' in source


# The pages


def chunks_with(word: str) -> list[str]:
    return [text for path in sorted(PAGES.glob("*.js")) if word in (text := path.read_text())]


@pytest.mark.slow
def test_the_dialog_for_aliases_shows_the_message_that_a_refusal_carries() -> None:
    dialogs = [text.partition("mlflow.edit-aliases-modal.save-button")[2][:600] for text in chunks_with("mlflow.edit-aliases-modal.save-button")]
    assert dialogs
    assert all(".getMessageField()" in dialog for dialog in dialogs)


@pytest.mark.slow
def test_the_index_page_and_what_it_remembers_are_called_as_the_guard_calls_them(server: Any) -> None:
    assert "<head>" in (PAGES.parents[1] / "index.html").read_text()
    names = [each.split(b'"')[0].decode() for each in REMEMBERED.replace(b"_v1", b"").split(b'["')[1:]]
    assert len(names) == 4
    assert [name for name in names if not chunks_with(f'"{name}"')] == []
