from __future__ import annotations

import os

import pytest

from placet.project.workers import in_order


def square(n: int) -> tuple[int, int]:
    return n * n, os.getpid()


def fail(n: int) -> int:
    if n == 3:
        raise ValueError("three")
    return n


@pytest.mark.parametrize("jobs", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_results_come_in_order_whatever_the_number_of_workers(jobs, count):
    results = list(in_order(square, range(count), jobs))
    assert [n for n, _ in results] == [n * n for n in range(count)]
    assert all((pid == os.getpid()) == (jobs == 1 or count <= 1) for _, pid in results)


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_exception_reaches_the_caller_after_the_results_before_it(jobs):
    results = in_order(fail, range(6), jobs)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)


def test_a_caller_may_stop_early():
    results = in_order(square, range(1000), 2)
    assert next(results)[0] == 0
    results.close()
