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
#: Those that multiply faster than what was there before them: ONNX Runtime picks its kernels by them, int8 above all, which then answers otherwise too.
#: A charter that names one is taken to mean those before it as well.
FASTER = (
    "avx", "avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8", "asimd", "asimdhp", "asimddp", "i8mm",
    "bf16", "sve", "sve2", "sme",
)  # fmt: skip
#: Firmware, the kernel and a graphics unit keep up to a tenth of the memory that a machine is sold with: of 4,096 MB Linux shows 3,800 to 3,950, of 512 MB 460.
LEAST_SHOWN = 0.9


def differences(machine: Machine, hardware: Hardware, pinned: Sequence[int]) -> list[str]:
    """List what differs, in plain words; empty only on the charter's hardware. More cores than it names are fine once pinned down."""
    found = []
    if machine.architecture != hardware.architecture:
        found.append(f"architecture: the charter says {hardware.architecture}, measured on {machine.architecture}")
    if machine.cores < hardware.cores:
        found.append(f"cores: the charter says {hardware.cores}, this machine has {machine.cores or 'less than one'}")
    elif len(pinned) != hardware.cores:
        found.append(f"cores: could not pin to the charter's {hardware.cores}")
    if machine.memory_mb < LEAST_SHOWN * hardware.memory_mb:
        found.append(f"memory: the charter says {hardware.memory_mb} MB, this machine has {machine.memory_mb} MB")
    known = [name for name in hardware.instruction_sets if name in INSTRUCTION_SETS]
    if missing := [name for name in known if name not in machine.instruction_sets]:
        found.append(f"instruction sets: {', '.join(missing)} missing on this machine")
    if further := _further(machine, known):
        found.append(f"instruction sets: {', '.join(further)} on this machine multiply faster than {', '.join(known)}, which the charter names")
    if unknown := [name for name in hardware.instruction_sets if name not in known]:
        found.append(f"instruction sets: {', '.join(unknown)} not among the names that are looked for ({', '.join(INSTRUCTION_SETS)})")
    return found


def _further(machine: Machine, named: Sequence[str]) -> list[str]:
    """Return what the machine has beyond the fastest set that the charter names; nothing where it names none, and so leaves the kind of processor open."""
    fastest = max((FASTER.index(name) for name in named if name in FASTER), default=-1)
    return [name for name in FASTER[fastest + 1 :] if name in machine.instruction_sets] if named else []
