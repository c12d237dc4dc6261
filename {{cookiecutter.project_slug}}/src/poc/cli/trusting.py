"""Whom to believe: trust files for trying things out."""

from __future__ import annotations

import click

from poc.cli.options import as_json
from poc.cli.printing import print_json
from poc.layout import project_root


@click.command("demo-trust")
@click.option("--force", is_flag=True, help="Make new keys in place of those that are there; what those signed verifies no longer.")
@as_json
def demo_trust(force: bool, as_json: bool) -> None:
    """Make keys for everybody who signs, for trying things out; they vouch for nothing outside of this folder."""
    from poc.acts.demo_trust import make_demo_trust

    root = project_root()
    made = make_demo_trust(root, force=force)
    where, keys = made.folder.relative_to(root), {person: str(key.relative_to(root)) for person, key in made.keys.items()}
    if as_json:
        print_json({"folder": str(where), "setting": f"POC_TRUST={where}", "keys": keys})
        return
    print(f"wrote {where}: DEMO keys of {len(keys)} people, without passphrases; what they sign verifies nowhere else")
    print(f"  export POC_TRUST={where}")
    print(f"  poc sign charter --key {next(iter(keys.values()))}")
