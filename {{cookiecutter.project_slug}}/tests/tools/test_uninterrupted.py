from __future__ import annotations

import signal
import threading

import pytest

from poc.tools.tracking.uninterrupted import uninterrupted


def press() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("fails", [False, True])
def test_ctrl_c_comes_when_the_block_has_ended_however_it_ended(fails: bool) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        press()
        done.append("the write")
        if fails:
            raise ValueError
    assert done == ["the write"]
    with pytest.raises(KeyboardInterrupt):  # and waits no more
        press()


def test_who_presses_twice_waits_no_longer() -> None:
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        press()
        press()
        pytest.fail("it went on")


def test_a_block_within_a_block_waits_for_the_outer_one() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        with uninterrupted():
            press()
        done.append("the rest")
    assert done == ["the rest"]


def test_without_ctrl_c_nothing_comes_and_what_failed_is_told() -> None:
    with uninterrupted():
        pass
    with pytest.raises(ValueError, match="the write"), uninterrupted():
        raise ValueError("the write")


def test_in_another_thread_nothing_changes() -> None:
    seen = []

    def write() -> None:
        with uninterrupted():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
