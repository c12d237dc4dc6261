"""Write the locks again: the generated repository's from a bake, then the template's so that both fit in one environment.

Arguments go to uv, for example --upgrade.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cookiecutter.main import cookiecutter

TEMPLATE = Path(__file__).resolve().parent.parent
GENERATED = TEMPLATE / "{{cookiecutter.project_slug}}"
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-lab.lock", "requirements-mlserver.lock")
COMPILE = ("pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate")


def lock_generated(uv: Path, flags: list[str]) -> None:
    """Lock a baked project, whose pyproject.toml has a real name, and bring the locks home."""
    with tempfile.TemporaryDirectory() as folder:
        baked = Path(cookiecutter(str(TEMPLATE), no_input=True, default_config=True, output_dir=folder))
        environment = os.environ | {"LOCK": " ".join(flags)}
        subprocess.run(["make", "lock", f"UV={uv}", f"PYTHON={sys.executable}"], cwd=baked, check=True, env=environment)
        for lock in LOCKS:
            shutil.copyfile(baked / lock, GENERATED / lock)


def lock_template(uv: Path, flags: list[str]) -> None:
    """Lock the template's own tools within what the generated repository allows."""
    subprocess.run([uv, *COMPILE, *flags, "-c", GENERATED / LOCKS[1], "pyproject.toml", "-o", LOCKS[0]], cwd=TEMPLATE, check=True)


if __name__ == "__main__":
    lock_generated(TEMPLATE / ".tools/bin/uv", sys.argv[1:])
    lock_template(TEMPLATE / ".tools/bin/uv", sys.argv[1:])
