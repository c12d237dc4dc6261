"""Move the chosen scenario into place, remove the others, and say what to type next."""

import json
import shlex
import shutil
from pathlib import Path

# Two filters: the inner one writes JSON, the outer one makes a Python string of it. No answer can end that string.
ANSWERS: dict[str, str] = json.loads({{cookiecutter | tojson | tojson}})  # type: ignore[name-defined, arg-type]  # noqa: F821 - cookiecutter fills it in

#: The default scenario lies in place, so that the template is a working project; the others lie in scenarios/.
DEFAULT = "production-line"
#: What belongs to one scenario alone and goes before another moves in; any other file that a scenario brings replaces the default one.
OWNED = ("charter.yaml", "expectations", "data", "docs/exercises")


def choose(root: Path, scenario: str) -> None:
    """Leave exactly the chosen scenario in the project."""
    overlays = root / "scenarios"
    if scenario != DEFAULT:
        for path in OWNED:
            _remove(root / path)
        _move_into(overlays / scenario, root)
    _remove(overlays)


def _move_into(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def next_commands(folder: Path, scenario: str) -> list[str]:
    """Say the three commands that come next."""
    last = "make candidate" if scenario == DEFAULT else "make run        # README.md leads from here to your own data in five steps"
    return [f"cd {shlex.quote(str(folder))}", "make setup", last]


def main() -> None:
    """Arrange the project in the current folder."""
    choose(Path(), ANSWERS["scenario"])
    print("\nThe repository is ready. Next:\n")
    for command in next_commands(Path.cwd(), ANSWERS["scenario"]):
        print(f"  {command}")
    print()


if __name__ == "__main__":
    main()
