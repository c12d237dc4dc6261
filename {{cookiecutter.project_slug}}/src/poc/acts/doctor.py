"""Look at this machine before a run does: what is there, what is missing, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from poc import layout
from poc.errors import PocError

NEEDED = ("mlflow", "kfp", "great-expectations", "onnxruntime", "onnx", "skl2onnx", "scikit-learn", "pandas", "uvicorn")
FREE_BYTES = 2 * 10**9


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at; `is_needed` findings that are not ok stop a run."""

    name: str
    is_ok: bool
    is_needed: bool
    found: str
    fix: str = ""


def examine(root: Path) -> list[Finding]:
    """Examine interpreter, packages, disk, charter, data contract, and what later stages need."""
    return [
        _python(),
        *_packages(),
        _disk(root),
        *_project(root),
        _bytecode(),
        _pinning(),
        _openssh(),
        _trust(root),
        _program("git", "tying a run to a commit"),
        _printer(),
    ]


def _python() -> Finding:
    is_ok = (3, 11) <= sys.version_info[:2] < (3, 14)
    return Finding(
        name="Python", is_ok=is_ok, is_needed=True, found=platform.python_version(), fix="use Python 3.11, 3.12 or 3.13: make setup PYTHON=python3.12"
    )


def _packages() -> list[Finding]:
    findings = []
    for package in NEEDED:
        try:
            findings.append(Finding(name=package, is_ok=True, is_needed=True, found=importlib.metadata.version(package)))
        except importlib.metadata.PackageNotFoundError:
            findings.append(Finding(name=package, is_ok=False, is_needed=True, found="not installed", fix="make setup"))
    return findings


def _disk(root: Path) -> Finding:
    free = shutil.disk_usage(root).free
    return Finding(name="disk", is_ok=free >= FREE_BYTES, is_needed=True, found=f"{free / 1e9:.0f} GB free", fix="free 2 GB")


def _project(root: Path) -> list[Finding]:
    from poc.tools import strict_yaml

    findings = []
    try:
        charter = strict_yaml.load_charter(root / layout.CHARTER)
        findings.append(Finding(name="charter", is_ok=True, is_needed=True, found=f"{charter.project}, version {charter.version}"))
    except PocError as error:
        findings.append(Finding(name="charter", is_ok=False, is_needed=True, found=f"{len(error.problems)} problems", fix="poc charter"))
    has_suite = (root / layout.SUITE).is_file()
    findings.append(
        Finding(name="data contract", is_ok=has_suite, is_needed=True, found=str(layout.SUITE) if has_suite else "missing", fix="poc draft-expectations")
    )
    return findings


def _bytecode() -> Finding:
    is_off = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    return Finding(
        name="bytecode",
        is_ok=not is_off,
        is_needed=False,
        found="not written" if is_off else "written",
        fix="unset PYTHONDONTWRITEBYTECODE: imports take three times as long",
    )


def _pinning() -> Finding:
    can = hasattr(os, "sched_setaffinity")
    return Finding(
        name="core pinning", is_ok=can, is_needed=False, found="possible" if can else "not on this system", fix="time on Linux: here latency stays NOT PROVEN"
    )


def _program(name: str, why: str) -> Finding:
    path = shutil.which(name)
    return Finding(name=name, is_ok=path is not None, is_needed=False, found="found" if path else "missing", fix=f"install it: needed for {why}")


def _openssh() -> Finding:
    from poc.tools import ssh

    try:
        return Finding(name="ssh-keygen", is_ok=True, is_needed=False, found=ssh.find())
    except PocError as error:
        problem = error.problems[0]
        return Finding(name="ssh-keygen", is_ok=False, is_needed=False, found=problem.what, fix=f"{problem.fix}: needed for signing and verifying decisions")


def _trust(root: Path) -> Finding:
    from poc.steps.trust import load_trust

    try:
        trust = load_trust(root)
        problems = [finding.problem for finding in trust.found]
    except PocError as error:
        problems = error.problems
    if problems:
        return Finding(name="trust files", is_ok=False, is_needed=False, found=problems[0].what, fix=problems[0].fix)
    return Finding(name="trust files", is_ok=True, is_needed=False, found=trust.where + (", DEMO" if trust.roles.is_demo else ""))


def _printer() -> Finding:
    from poc.tools import browser

    path = browser.find()
    return Finding(
        name="chromium",
        is_ok=path is not None,
        is_needed=False,
        found="found" if path else "missing",
        fix="install it for `poc brief --pdf`, or print from any browser",
    )
