"""The memory budget: never more out than there is, first come first served, and no wait without an end."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from function.deadline import Deadline
from function.errors import DeadlineExceededError
from function.imaging.formats import FORMATS
from function.pipeline.memory_budget import MIN_BYTES, MemoryBudget, Priority
from function.settings import Settings
from tests.support import PATIENCE_S, wait_until


def test_never_more_is_held_than_there_is():
    budget, lock = MemoryBudget(100, 8), threading.Lock()
    held, most = 0, 0

    def work(wanted: int) -> None:
        nonlocal held, most
        with budget.acquire(wanted, Deadline(PATIENCE_S)):
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
    budget, lock, two = MemoryBudget(100, 2), threading.Lock(), threading.Barrier(2)
    at_work = most = 0

    def work() -> None:
        nonlocal at_work, most
        with budget.acquire(1, Deadline(PATIENCE_S)):
            with lock:
                at_work += 1
                most = max(most, at_work)
            two.wait(PATIENCE_S)
            time.sleep(0.01)
            with lock:
                at_work -= 1

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def in_another_thread(work):
    """Run `work` in a thread of its own; its result, or its exception raised here."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(work).result()


def acquire_and_release(budget, wanted, seconds=PATIENCE_S):
    with budget.acquire(wanted, Deadline(seconds)):
        pass


def wait_for_queue(budget, length):
    """Until so many threads wait for their turn."""
    wait_until(lambda: len(budget._queue) == length)


def test_a_request_larger_than_the_budget_runs_alone():
    budget = MemoryBudget(100, 8)
    with budget.acquire(1000, Deadline(PATIENCE_S)), pytest.raises(DeadlineExceededError):
        in_another_thread(lambda: acquire_and_release(budget, 1, 0.05))
    with budget.acquire(100, Deadline(PATIENCE_S)):
        pass


def test_what_fits_is_told_before_it_is_asked_for():
    budget = MemoryBudget(100, 8)
    assert budget.fits(100) and not budget.fits(101)


def test_a_picture_of_the_largest_size_allowed_fits_into_every_process():
    pixels = Settings.model_fields["max_source_pixels"].default
    assert max(row.decode_bytes for name, row in FORMATS.items() if name in ("png", "jpeg", "webp", "tiff")) == 8
    assert 8 * pixels <= MIN_BYTES


def test_a_large_one_is_not_overtaken_for_ever_by_small_ones():
    budget, order = MemoryBudget(100, 8), []

    def work(name: str, wanted: int) -> None:
        with budget.acquire(wanted, Deadline(PATIENCE_S)):
            order.append(name)

    with budget.acquire(50, Deadline(PATIENCE_S)):
        large = threading.Thread(target=work, args=("large", 100))
        large.start()
        wait_for_queue(budget, 1)
        small = threading.Thread(target=work, args=("small", 10))
        small.start()
        wait_for_queue(budget, 2)
    large.join()
    small.join()
    assert order == ["large", "small"]


def test_what_the_model_waits_for_goes_first_and_then_what_is_nearly_done():
    budget, order = MemoryBudget(100, 1), []

    def work(name: str, turn: Priority) -> None:
        with budget.acquire(10, Deadline(PATIENCE_S), turn):
            order.append(name)

    first = Priority.BEFORE_MODEL
    wanted = (("a", Priority.EXAMINE), ("b", Priority.FINISH), ("c", first), ("d", first))
    threads = [threading.Thread(target=work, args=args) for args in wanted]
    with budget.acquire(10, Deadline(PATIENCE_S)):
        for number, thread in enumerate(threads, start=1):
            thread.start()
            wait_for_queue(budget, number)
    for thread in threads:
        thread.join()
    assert order == ["c", "d", "b", "a"]


def test_one_whose_time_is_up_leaves_the_queue():
    budget = MemoryBudget(100, 8)
    with budget.acquire(60, Deadline(PATIENCE_S)):
        with pytest.raises(DeadlineExceededError):
            in_another_thread(lambda: acquire_and_release(budget, 60, 0.05))
        in_another_thread(lambda: acquire_and_release(budget, 40))


def test_a_thread_that_holds_memory_may_not_ask_for_more():
    """Two such threads would wait for each other."""
    budget = MemoryBudget(100, 8)
    with budget.acquire(10, Deadline(PATIENCE_S)):
        with pytest.raises(RuntimeError), budget.acquire(10, Deadline(PATIENCE_S)):
            pass
        in_another_thread(lambda: acquire_and_release(budget, 90))
    acquire_and_release(budget, 100)


def test_what_is_kept_is_bounded_and_takes_nothing_from_who_works():
    budget = MemoryBudget(100, 8, retained_bytes=50)
    assert budget.retain(30)
    assert not budget.retain(30)
    with budget.acquire(100, Deadline(PATIENCE_S)):
        pass
    budget.release_retained(30)
    assert budget.retain(50)


def test_what_is_kept_in_any_case_leaves_less_to_retain():
    budget = MemoryBudget(100, 1, retained_bytes=40)
    budget.keep(30)
    assert not budget.retain(11) and budget.retain(10)
    budget.keep(30)
    assert not budget.retain(1)
    budget.release_retained(70)
    assert budget.retain(40)
