"""The permit for pixels: never more out than there is, first come first served, and no wait without an end."""

from __future__ import annotations

import threading
import time

import pytest

from function.deadline import Deadline
from function.errors import DeadlineExceeded
from function.pipeline.memory_budget import PixelPermit, Turn


def test_never_more_is_held_than_there_is():
    permit, lock = PixelPermit(100, 8), threading.Lock()
    held, most = 0, 0

    def work(wanted: int) -> None:
        nonlocal held, most
        with permit.hold(wanted, Deadline(30)):
            with lock:
                held += wanted
                most = max(most, held)
            time.sleep(0.005)
            with lock:
                held -= wanted

    threads = [threading.Thread(target=work, args=(10 + 7 * number % 60,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 60 < most <= 100


def test_no_more_work_at_once_than_there_are_workers():
    permit, lock = PixelPermit(100, 2), threading.Lock()
    at_work = most = 0

    def work() -> None:
        nonlocal at_work, most
        with permit.hold(1, Deadline(30)):
            with lock:
                at_work += 1
                most = max(most, at_work)
            time.sleep(0.01)
            with lock:
                at_work -= 1

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_who_asks_for_more_than_there_is_gets_all_of_it_alone():
    permit = PixelPermit(100, 8)
    with permit.hold(1000, Deadline(1)), pytest.raises(DeadlineExceeded), permit.hold(1, Deadline(0.05)):
        pass
    with permit.hold(100, Deadline(1)):
        pass


def test_a_large_one_is_not_overtaken_for_ever_by_small_ones():
    permit, order = PixelPermit(100, 8), []

    def work(name: str, wanted: int) -> None:
        with permit.hold(wanted, Deadline(30)):
            order.append(name)

    with permit.hold(50, Deadline(1)):
        large = threading.Thread(target=work, args=("large", 100))
        large.start()
        time.sleep(0.5)  # it has to be waiting before the small one comes, on a loaded machine too
        small = threading.Thread(target=work, args=("small", 10))
        small.start()
        time.sleep(0.05)
    large.join()
    small.join()
    assert order == ["large", "small"]


def test_what_the_model_waits_for_goes_first_and_then_what_is_nearly_done():
    permit, order = PixelPermit(100, 1), []

    def work(name: str, turn: Turn) -> None:
        with permit.hold(10, Deadline(30), turn):
            order.append(name)

    wanted = (("a", Turn.EXAMINE), ("b", Turn.FINISH), ("c", Turn.BEFORE_MODEL), ("d", Turn.BEFORE_MODEL))
    threads = [threading.Thread(target=work, args=args) for args in wanted]
    with permit.hold(10, Deadline(1)):
        for thread in threads:
            thread.start()
            time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert order == ["c", "d", "b", "a"]


def test_one_whose_time_is_up_leaves_the_queue():
    permit = PixelPermit(100, 8)
    with permit.hold(60, Deadline(1)):
        with pytest.raises(DeadlineExceeded), permit.hold(60, Deadline(0.05)):
            pass
        with permit.hold(40, Deadline(1)):
            pass


def test_what_is_kept_is_bounded_and_takes_nothing_from_who_works():
    permit = PixelPermit(100, 8, kept_bytes=50)
    assert permit.keep(30)
    assert not permit.keep(30)
    with permit.hold(100, Deadline(1)):
        pass
    permit.give_back(30)
    assert permit.keep(50)
