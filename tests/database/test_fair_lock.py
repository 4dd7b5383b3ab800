import threading

from worker.database.fair_lock import FairLock


def test_threads_get_their_turns_in_the_order_in_which_they_asked() -> None:
    turns = FairLock()
    order: list[int] = []

    def take(number: int) -> None:
        assert turns.acquire(10)
        order.append(number)
        turns.release()

    assert turns.acquire(0)
    threads = [threading.Thread(target=take, args=[number]) for number in range(5)]
    for number, thread in enumerate(threads):
        thread.start()
        while len(turns._queue) < number + 2:
            pass
    turns.release()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_who_gives_up_is_passed_over() -> None:
    turns = FairLock()
    assert turns.acquire(0)
    assert not turns.acquire(0)
    turns.release()
    assert turns.acquire(0)


def test_turns_that_come_when_a_thread_gives_up_are_not_lost() -> None:
    turns = FairLock()
    inside: list[int] = []
    most: list[int] = []

    def take() -> None:
        for _ in range(300):
            if turns.acquire(0.0001):
                inside.append(1)
                most.append(len(inside))
                inside.pop()
                turns.release()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert turns.acquire(0)
