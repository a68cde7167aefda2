"""Tests the queue."""

import os
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

from runner import tree
from runner.pool import Children, longest_first, run_all


class Order(unittest.TestCase):
    def test_longest_first(self) -> None:
        self.assertEqual(longest_first(["a", "b", "c"], {"a": 1, "b": 3, "c": 2}), ["b", "c", "a"])

    def test_unmeasured_before_all_and_as_they_stand(self) -> None:
        self.assertEqual(longest_first(["a", "x", "b", "y"], {"a": 1, "b": 3}), ["x", "y", "b", "a"])


class Locks(unittest.TestCase):
    def child_has(self, quiet: bool) -> bool:
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(tree, "CACHE", Path(folder)):
            with tree.lock("of-a-test", quiet=quiet):
                return Children().run(["sh", "-c", "ls -l /proc/$$/fd | grep -q of-a-test"]) == 0

    def test_children_keep_the_lock(self) -> None:
        self.assertTrue(self.child_has(quiet=False))

    def test_but_not_a_short_one(self) -> None:
        self.assertFalse(self.child_has(quiet=True))


class Queue(unittest.TestCase):
    def most_at_once(self, jobs: int) -> int:
        lock, now, most = threading.Lock(), [0], [0]

        def job(_: Children) -> None:
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.02)
            with lock:
                now[0] -= 1

        run_all(jobs, [job] * 8)
        return most[0]

    def test_never_more_than_jobs(self) -> None:
        self.assertEqual(self.most_at_once(1), 1)
        self.assertLessEqual(self.most_at_once(2), 2)

    def test_no_jobs_is_one(self) -> None:
        self.assertEqual(self.most_at_once(0), 1)

    def test_all_run(self) -> None:
        done: list[int] = []
        run_all(3, [lambda _, n=n: done.append(n) for n in range(20)])
        self.assertEqual(sorted(done), list(range(20)))

    def test_exit_codes(self) -> None:
        codes: list[int] = []
        run_all(1, [lambda children: codes.append(children.run(["sh", "-c", "exit 7"]))])
        self.assertEqual(codes, [7])

    def test_failure_comes_out_after_the_others_ran(self) -> None:
        done: list[int] = []

        def fail(_: Children) -> None:
            raise SystemExit(1)

        with self.assertRaises(SystemExit):
            run_all(1, [fail, lambda _: done.append(1)])
        self.assertEqual(done, [1])


class Output(unittest.TestCase):
    def test_what_a_command_prints(self) -> None:
        self.assertEqual(Children().output(["sh", "-c", "echo one; echo two"]), "one\ntwo")

    def test_a_command_that_fails(self) -> None:
        self.assertIsNone(Children().output(["sh", "-c", "echo one; exit 3"]))


class End(unittest.TestCase):
    def test_children_end_with_their_own(self) -> None:
        children = Children()
        reader, writer = os.pipe()
        command = ["sh", "-c", "echo begun; sleep 60 & wait"]
        thread = threading.Thread(target=children.run, args=(command,), kwargs={"stdout": writer})
        thread.start()
        self.assertEqual(os.read(reader, 6), b"begun\n")
        os.close(writer)
        children.end()
        # The pipe ends when no process has it open any more.
        self.assertEqual(os.read(reader, 1), b"")
        os.close(reader)
        thread.join()

    def test_none_begins_after_the_end(self) -> None:
        children = Children()
        children.end()
        self.assertEqual(children.run(["true"]), 130)


if __name__ == "__main__":
    unittest.main()
