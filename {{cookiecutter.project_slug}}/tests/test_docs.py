"""What the documentation holds in files of its own is what the code says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from builders import a_plain_amount_charter, a_plain_multiclass_charter
from charters import PLACES, charter_text
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from poc.cli import poc
from poc.rules.charter import CHARTERS
from poc.rules.cross_checks import check_charter
from poc.rules.signoff import Reason
from poc.steps import STEP
from poc.steps.trust import load_trust
from poc.tools.strict_yaml import load_yaml

DOCS = Path(__file__).parents[1] / "docs"


def test_editors_complete_the_charter_by_the_schema_it_is_checked_with() -> None:
    said = CliRunner().invoke(poc, ["charter", "--schema"])
    assert (said.exit_code, said.output) == (0, (DOCS / "charter.schema.json").read_text())


@pytest.mark.parametrize("place", PLACES)
def test_an_editor_has_nothing_to_say_of_a_charter_that_lies_here(place: str) -> None:
    schema = json.loads((DOCS / "charter.schema.json").read_text())
    read = json.loads(json.dumps(load_yaml(charter_text(place), where=place).value, default=float))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(read)] == []


@pytest.mark.parametrize("place", PLACES)
def test_the_first_line_of_a_charter_shows_editors_the_schema(place: str) -> None:
    assert charter_text(place).splitlines()[0] == "# yaml-language-server: $schema=docs/charter.schema.json"


def test_the_image_starts_what_the_command_line_starts() -> None:
    dockerfile = (Path(__file__).parents[1] / "deploy" / "Dockerfile").read_text()
    entry = next(line.removeprefix("ENTRYPOINT ") for line in dockerfile.splitlines() if line.startswith("ENTRYPOINT"))
    done = subprocess.run([sys.executable, *json.loads(entry)[1:], "no-such-command"], capture_output=True, text=True, check=False)
    assert (done.returncode, "no-such-command" in done.stderr) == (2, True)


def manifest() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((Path(__file__).parents[1] / "deploy" / "mlflow.yaml").read_text()))


def test_the_manifest_starts_mlflow_with_options_that_it_takes() -> None:
    (container,) = next(each for each in manifest() if each["kind"] == "Deployment")["spec"]["template"]["spec"]["containers"]
    name, *options = container["args"]
    assert poc.commands[name].make_context(name, options).params["port"] == container["ports"][0]["containerPort"]


def test_the_manifest_names_settings_that_somebody_reads() -> None:
    (container,) = next(each for each in manifest() if each["kind"] == "Deployment")["spec"]["template"]["spec"]["containers"]
    ours = "\n".join(path.read_text() for path in (DOCS.parent / "src" / "poc").rglob("*.py"))
    mlflows = (Path(find_spec("mlflow").submodule_search_locations[0]) / "environment_variables.py").read_text()  # type: ignore[union-attr, index]
    assert [each["name"] for each in container["env"] if f'"{each["name"]}"' not in (ours if each["name"].startswith("POC_") else mlflows)] == []


@pytest.mark.slow
def test_the_manifest_has_no_field_that_kubernetes_does_not_know() -> None:
    from kubernetes.client import ApiClient

    kinds = {"Deployment": "V1Deployment", "Ingress": "V1Ingress", "PersistentVolumeClaim": "V1PersistentVolumeClaim", "Service": "V1Service"}
    api = ApiClient()
    for each in manifest():
        read = api.deserialize(SimpleNamespace(data=json.dumps(each)), kinds[each["kind"]])
        assert api.sanitize_for_serialization(read) == each  # what it does not know it drops


def test_the_builders_page_names_every_command_that_is_no_step() -> None:
    page = (DOCS / "builder.md").read_text()
    assert [name for name in poc.commands if name not in STEP and f"`poc {name}" not in page] == []


def test_the_builders_page_names_what_the_steps_share() -> None:
    page, steps = (DOCS / "builder.md").read_text(), DOCS.parent / "src" / "poc" / "steps"
    assert [path.name for path in steps.glob("[a-z]*.py") if path.stem not in STEP and f"`{path.name}`" not in page] == []


def test_the_builders_page_shows_charters_that_are_valid_for_each_other_kind_of_problem() -> None:
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", (DOCS / "builder.md").read_text(), re.DOTALL)]
    shown = {block["problem"]: json.loads(json.dumps(block, default=str)) for block in blocks if "problem" in block}
    for problem, make in {"multiclass": a_plain_multiclass_charter, "count": a_plain_amount_charter}.items():
        charter = CHARTERS[problem].model_validate(make(**shown[problem]))
        assert check_charter(charter) == []


def test_the_page_of_reasons_says_of_each_code_what_it_means_and_what_to_do() -> None:
    rows = [line.strip("| ").split(" | ") for line in (DOCS / "reasons.md").read_text().splitlines() if line.startswith("| `")]
    assert [len(row) for row in rows] == [3] * len(rows)
    assert sorted(row[0].strip("`") for row in rows) == sorted(Reason)


def test_the_platforms_page_shows_trust_files_that_are_believed(tmp_path: Path) -> None:
    shown = (DOCS / "platform.md").read_text().partition("\n## Trust files\n")[2].partition("\n## ")[0]
    (project := tmp_path / "a project").mkdir()
    for name, text in zip(("allowed_signers", "revoked", "roles.yaml"), re.findall(r"```(?:text|yaml)\n(.*?)```", shown, re.DOTALL), strict=False):
        (tmp_path / name).write_text(text)
    trust = load_trust(project, str(tmp_path))
    assert (trust.found, len(trust.lines), trust.roles.is_demo) == ((), 4, False)
    assert {line.person for line in trust.lines} == {person for people in trust.roles.people.values() for person in people}


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", sorted([*DOCS.rglob("*.md"), DOCS.parent / "README.md", *(DOCS.parent / "deploy").glob("*.md")]), ids=lambda page: page.name)
def test_links_between_pages_lead_to_a_heading_that_is_there(page: Path) -> None:
    links = [link.partition("#") for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()) if "://" not in link]
    lead_to = [(page.parent / path if path else page, anchor) for path, _, anchor in links]
    assert [str(to) for to, anchor in lead_to if not to.exists() or (anchor and anchor not in anchors(to))] == []
