from __future__ import annotations

from typing import Any

import pytest
from builders import a_charter, a_machine

from poc.rules.charter import Hardware
from poc.rules.evidence import Machine
from poc.rules.hardware import differences


def a_larger_machine(**changes: Any) -> Machine:
    """Return a machine with more than the charter asks for."""
    return a_machine(**{"instruction_sets": ["avx2", "fma"], "cores": 8, "memory_mb": 16000} | changes)


def hardware(**changes: Any) -> Hardware:
    """Two cores, 4,096 MB, x86_64."""
    return a_charter(limits={"hardware": changes}).limits.hardware[0]


def test_a_larger_machine_pinned_to_the_charters_cores_does_not_differ() -> None:
    assert differences(a_larger_machine(), hardware(instruction_sets=["avx2"]), [0, 1]) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"architecture": "arm64"}, "architecture"), ({"cores": 1}, "cores"), ({"memory_mb": 3686}, "memory"), ({"instruction_sets": ["fma"]}, "avx2")],
)
def test_what_differs_is_named(changes: dict[str, Any], named: str) -> None:
    found = differences(a_larger_machine(**changes), hardware(instruction_sets=["avx2"]), [0, 1])
    assert len(found) == 1 and named in found[0]


@pytest.mark.parametrize("pinned", [[], [0], [0, 1, 2]])
def test_a_machine_that_was_not_pinned_to_as_many_cores_differs(pinned: list[int]) -> None:
    assert differences(a_larger_machine(), hardware(), pinned) == ["cores: could not pin to the charter's 2"]


def test_every_difference_is_listed_at_once() -> None:
    found = differences(a_larger_machine(architecture="arm64", cores=1, memory_mb=512), hardware(instruction_sets=["avx512f"]), [])
    assert [each.split(":")[0] for each in found] == ["architecture", "cores", "memory", "instruction sets"]


@pytest.mark.parametrize("shown", [4096, 3904, 3687])
def test_a_machine_sold_with_the_charters_memory_shows_less_of_it_and_is_the_charters(shown: int) -> None:
    assert differences(a_larger_machine(memory_mb=shown), hardware(), [0, 1]) == []


@pytest.mark.parametrize(
    ("named", "there", "further"),
    [
        (["avx2"], ["avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "amx_int8"], "avx512f, avx512_vnni, amx_int8"),
        (["avx2", "fma"], ["avx2", "fma", "avx_vnni"], "avx_vnni"),
        (["sse4_2"], ["sse4_2", "avx", "avx2"], "avx, avx2"),
        (["asimddp"], ["asimd", "asimddp", "i8mm"], "i8mm"),
    ],
)
def test_a_processor_that_multiplies_faster_than_the_charters_differs(named: list[str], there: list[str], further: str) -> None:
    [found] = differences(a_larger_machine(instruction_sets=there), hardware(instruction_sets=named), [0, 1])
    assert found == f"instruction sets: {further} on this machine multiply faster than {', '.join(named)}, which the charter names"


@pytest.mark.parametrize("named", [[], ["avx512_vnni"], ["avx512f", "avx512_vnni"]])
def test_a_charter_that_names_no_instruction_set_leaves_them_open_and_one_that_names_a_fast_one_means_the_slower_too(named: list[str]) -> None:
    modern = a_larger_machine(instruction_sets=["avx", "avx2", "fma", "avx512f", "avx512bw", "avx512_vnni"])
    assert differences(modern, hardware(instruction_sets=named), [0, 1]) == []


def test_an_instruction_set_that_nobody_looks_for_is_not_taken_as_there() -> None:
    found = differences(a_larger_machine(instruction_sets=["avx2", "warp9"]), hardware(instruction_sets=["warp9"]), [0, 1])
    assert len(found) == 1 and "warp9 not among the names" in found[0]


def test_half_a_core_is_not_one() -> None:
    assert differences(a_larger_machine(cores=0), hardware(cores=1), [0]) == ["cores: the charter says 1, this machine has less than one"]
