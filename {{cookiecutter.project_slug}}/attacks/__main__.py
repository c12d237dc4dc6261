"""Attack the sign-off: every attack through the real programs, each beside a control that differs in one thing and is accepted.

python attacks                          all of them
python attacks --only 'model byte'      those whose name holds these words
python attacks --list                   their names, reasons and guards
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from attack import Attack
from listed import ATTACKS
from preparing import prepare_all
from trying import all_tried


def main(arguments: Sequence[str]) -> int:
    """Try the attacks; 1 if one came through, was stopped by something else, or its control was refused."""
    parser = argparse.ArgumentParser(prog="attacks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="WORDS", help="try those whose name holds one of these")
    parser.add_argument("--list", action="store_true", help="name them, and try none")
    chosen = parser.parse_args(arguments)
    attacks = [each for each in ATTACKS if not chosen.only or any(words in each.name for words in chosen.only)]
    if chosen.list:
        print("\n".join(f"{each.name:<88}  {each.reason:<30}  {each.guard}" for each in attacks))
        return 0
    return _try(attacks)


def _try(attacks: Sequence[Attack]) -> int:
    started, wrong = time.perf_counter(), 0
    folder = Path(tempfile.mkdtemp(prefix="attacks-"))
    try:
        prepare_all(folder)
        for tried in all_tried(attacks, folder):
            print(tried, flush=True)
            wrong += not tried.is_as_expected
            if not tried.is_as_expected:
                print(tried.explained, file=sys.stderr)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(attacks)} attacks, {wrong or 'none'} passing or not as expected, each beside its control, in {time.perf_counter() - started:.0f} s")
    return 1 if wrong or not attacks else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
