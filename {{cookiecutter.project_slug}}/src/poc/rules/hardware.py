"""Whether a measurement was taken on the hardware that the charter names, and if not, why not."""

from __future__ import annotations

from collections.abc import Sequence

from poc.rules.charter import Hardware
from poc.rules.evidence import Machine

#: The instruction sets that change how fast numbers multiply, as Linux names them; a charter may require these and no others.
INSTRUCTION_SETS = (
    "sse4_1", "sse4_2", "avx", "avx2", "fma", "f16c", "bmi2", "avx_vnni", "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512_vnni",
    "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "asimd", "asimdhp", "asimddp", "asimdfhm", "i8mm", "bf16", "sve", "sve2", "sme",
)  # fmt: skip


def differences(machine: Machine, hardware: Hardware, pinned: Sequence[int]) -> list[str]:
    """List what differs, in plain words; empty only on the charter's hardware. More cores than it names are fine once pinned down."""
    found = []
    if machine.architecture != hardware.architecture:
        found.append(f"architecture: the charter says {hardware.architecture}, measured on {machine.architecture}")
    if machine.cores < hardware.cores:
        found.append(f"cores: the charter says {hardware.cores}, this machine has {machine.cores or 'less than one'}")
    elif len(pinned) != hardware.cores:
        found.append(f"cores: could not pin to the charter's {hardware.cores}")
    if machine.memory_mb < hardware.memory_mb:
        found.append(f"memory: the charter says {hardware.memory_mb} MB, this machine has {machine.memory_mb} MB")
    known = [name for name in hardware.instruction_sets if name in INSTRUCTION_SETS]
    if missing := [name for name in known if name not in machine.instruction_sets]:
        found.append(f"instruction sets: {', '.join(missing)} missing on this machine")
    if unknown := [name for name in hardware.instruction_sets if name not in known]:
        found.append(f"instruction sets: {', '.join(unknown)} not among the names that are looked for ({', '.join(INSTRUCTION_SETS)})")
    return found
