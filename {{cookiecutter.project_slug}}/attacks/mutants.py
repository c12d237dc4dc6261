"""Take out each guard of the signature in turn, and see that an attack is then no longer stopped by what has to stop it.

A guard is a function decorated with `@check`. Each is emptied in a copy of the sources of its own, and the attacks that name it go through that copy,
server and all. A guard without which everything is stopped as before would be one that no attack needs.

    python attacks/mutants.py                       every guard
    python attacks/mutants.py --only is_canonical   those whose name holds these words
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from compileall import compile_dir
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))
PROCESSES = 2
#: An attack is not stopped as before; or none comes through, which is known.
RED, STILL = "red", "doubled"
#: Guards behind which something else stands that refuses the same, so that without them nothing comes through.
DOUBLED: Mapping[str, str] = {
    "algorithm_is_sound": "ssh-keygen refuses the same",
    "key_is_listed": "what was signed is verified before it is written down; this one speaks before anybody is asked",
}


@dataclass(frozen=True, kw_only=True)
class Guard:
    """A function that refuses: in which file, its name, and the lines of its body."""

    file: Path
    name: str
    first: int
    last: int
    indent: int

    def empty(self, sources: Path) -> None:
        """Let it find nothing, in a copy of the sources."""
        path = sources / self.file
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        lines[self.first - 1 : self.last] = [f"{' ' * self.indent}return []\n"]
        path.write_text("".join(lines), encoding="utf-8")


def guards(sources: Path) -> Iterator[Guard]:
    """Find all functions that are decorated with `@check`."""
    for path in sorted(sources.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text if "@check" in text else "")):
            if isinstance(node, ast.FunctionDef) and any(isinstance(each, ast.Name) and each.id == "check" for each in node.decorator_list):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                assert body and body[-1].end_lineno, f"{path}: {node.name} has no body"
                yield Guard(file=path.relative_to(sources), name=node.name, first=body[0].lineno, last=body[-1].end_lineno, indent=body[0].col_offset)


def without(guard: Guard, prepared: Path) -> str:
    """Try, without a guard, the attacks that name it, until one is not stopped as before, and say how that one ended; nothing where all are."""
    with tempfile.TemporaryDirectory(dir=prepared) as folder:
        shutil.copytree(prepared / "src", Path(folder) / "src")
        shutil.copy(ROOT / "pyproject.toml", folder)  # the server finds the guard by what stands there
        guard.empty(Path(folder) / "src")
        paths = [Path(folder) / "src", ROOT / "tests", ROOT / "attacks"]
        settings = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([sys.executable, __file__, "--tried", guard.name, str(prepared)], env=settings, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"BROKEN: {done.stderr.strip().splitlines()[-1][:200]}"
    found: str = json.loads(done.stdout.splitlines()[-1])
    return found


def _tried(name: str, prepared: Path) -> None:
    """Try the attacks that name a guard in this process, whose sources lack it."""
    from listed import ATTACKS
    from trying import on_copies, on_one_server

    attacks = [each for each in ATTACKS if each.guard == name]
    served = [each for each in attacks if each.begins == "served"]
    tried = chain(
        on_copies([each for each in attacks if each not in served], prepared, has_control=False),
        on_one_server(served, prepared, has_control=False) if served else (),
    )
    first = next((f"{each.attack.name}: {each.attacked}" for each in tried if not each.is_stopped), "")
    print(json.dumps(first))


def main(arguments: Sequence[str]) -> int:
    """Take out the guards; 1 if without one of them every attack is stopped as before."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="WORDS", help="take out those whose name holds one of these")
    parser.add_argument("--tried", nargs=2, metavar=("GUARD", "FOLDER"), help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.tried:
        _tried(chosen.tried[0], Path(chosen.tried[1]))
        return 0
    return _take_out([each for each in guards(ROOT / "src") if not chosen.only or any(words in each.name for words in chosen.only)])


def _take_out(chosen: Sequence[Guard]) -> int:
    from preparing import prepare_all

    started, unneeded = time.perf_counter(), 0
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    try:
        prepare_all(folder)
        shutil.copytree(ROOT / "src", folder / "src")
        compile_dir(folder / "src", quiet=1)  # once for all copies
        with ThreadPoolExecutor(PROCESSES) as pool:
            for guard, through in zip(chosen, pool.map(lambda each: without(each, folder), chosen), strict=True):
                mark, why = _seen(guard.name, through)
                unneeded += mark not in (RED, STILL)
                print(f"{mark:<7}  {guard.name:<28}  {why}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(chosen)} guards taken out, {unneeded or 'none'} of them unnoticed, in {time.perf_counter() - started:.0f} s")
    return 1 if unneeded or not chosen else 0


def _seen(name: str, through: str) -> tuple[str, str]:
    """Say in a word and in a line what became of the attacks without a guard; one that cannot be taken out so is not shown to be needed."""
    if through.startswith("BROKEN"):
        return "BROKEN", through.partition(": ")[2]
    if through:
        return RED, through
    return (STILL, DOUBLED[name]) if name in DOUBLED else ("GREEN", "every attack is stopped as before")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
