"""Write every attack as a folder: `python -m tests.attacks.build [DIR]`.

Deterministic: the same keys, texts and times in every run, so the folders only
change when an attack or a format does (tests/test_attacks.py compares them).

    <defect>_fail/        must end with exit code 1
    <defect>_unchecked/   must end with exit code 3
    honest_pass/          must verify; what the attacks differ from
        attack.toml       the defect in a sentence, and who must notice what
        ledger/           the published folder
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from tests.attacks import on_governance, on_log, on_records, on_signatures
from tests.attacks.forge import ATTACKS, Attack, Forged, story, witnessed

DESCRIPTION, LEDGER = "attack.toml", "ledger"
# A checkpoint that the verifier kept from before, for `auzolan verify --seen`.
SEEN = "seen.checkpoint"
SUFFIXES = ("_fail", "_pass", "_unchecked")
MODULES = (  # importing them fills ATTACKS
    on_log,
    on_records,
    on_governance,
    on_signatures,
)


def honest() -> Forged:
    """Nothing: this is the honest town."""
    forged = story().publish()
    forged.seen = story().head(3)
    return forged


CONTROL = Attack("honest_pass", honest.__doc__ or "", 0, "", 0, honest)


def folder_of(attack: Attack) -> dict[str, bytes]:
    """Return the files of one attack's folder by path."""
    forged = attack.forge()
    files = {f"{LEDGER}/{path}": data for path, data in forged.files.items()}
    if forged.seen:
        files[SEEN] = witnessed(forged.seen)
    return {DESCRIPTION: describe(attack, forged).encode(), **files}


def describe(attack: Attack, forged: Forged) -> str:
    """Return attack.toml."""
    fields: dict[str, str | int] = {"defect": attack.defect, "exit": attack.exit_code}
    if attack.step:
        fields |= {"step": attack.step, "says": attack.says}
    if forged.root:
        fields["root"] = forged.root
    fields["now"] = forged.now
    # JSON strings and integers are TOML strings and integers.
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    if forged.seen:
        lines += ["", "[seen]", f"size = {forged.seen.size}", f'root = "{forged.seen.root.hex()}"']
    return "\n".join(lines) + "\n"


def build(target: Path) -> list[Path]:
    """Write all folders below `target`, in place of those that are there, and return them."""
    for old in target.iterdir():
        if old.is_dir() and old.name.endswith(SUFFIXES):
            shutil.rmtree(old)
    folders = []
    for attack in (CONTROL, *ATTACKS):
        folders.append(target / attack.name)
        for path, data in folder_of(attack).items():
            place = target / attack.name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
    return folders


if __name__ == "__main__":
    written = build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
    print(f"{len(written)} folders")
