from __future__ import annotations

from bot.service.throttle import Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_allowed_and_then_one_for_each_interval() -> None:
    clock = Clock()
    throttle = Throttle(burst=2, every_s=10, clock=clock)
    assert [throttle.wait_s("ada") for _ in range(3)] == [0, 0, 10]
    clock.now += 4
    assert throttle.wait_s("ada") == 6
    clock.now += 6
    assert [throttle.wait_s("ada") for _ in range(2)] == [0, 10]


def test_a_full_bucket_allows_the_burst_again_and_no_more() -> None:
    clock = Clock()
    throttle = Throttle(burst=2, every_s=10, clock=clock)
    throttle.wait_s("ada")
    clock.now += 1000
    assert [throttle.wait_s("ada") for _ in range(3)] == [0, 0, 10]


def test_each_key_has_its_own_bucket() -> None:
    throttle = Throttle(burst=1, every_s=10, clock=Clock())
    assert [throttle.wait_s(key) for key in ("ada", "ben", "ada")] == [0, 0, 10]


def test_full_buckets_are_dropped() -> None:
    clock = Clock()
    throttle = Throttle(burst=1, every_s=1, clock=clock)
    for key in range(10_000):
        throttle.wait_s(key)
    clock.now += 5
    throttle.wait_s("ada")
    assert len(throttle._full_at) == 1
