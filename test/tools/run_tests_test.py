"""tools/run_tests: what it counts, what it skips, and when it fails."""

import contextlib
import importlib.machinery
import importlib.util
import io
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def load():
    """A fresh copy of the program as a module."""
    loader = importlib.machinery.SourceFileLoader("run_tests", str(ROOT / "tools" / "run_tests"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_tests", loader))
    loader.exec_module(module)
    return module


class Counts(unittest.TestCase):
    def test_reads_the_usual_runners(self):
        count = load().count_words
        self.assertEqual(count(" Test Files  2 passed (2)\n      Tests  1 failed | 40 passed (41)\n"), (40, 1))
        self.assertEqual(count("===== 3 failed, 12 passed in 4.2s =====\n"), (12, 3))
        self.assertEqual(count("part a: 2 passed\npart b: 3 passed\n5 passed, 0 failed\n"), (5, 0))
        self.assertEqual(count("no such line\n"), (0, 0))


class Runs(unittest.TestCase):
    def run_steps(self, arguments, make_steps):
        """Runs main() over the steps that make_steps(module) returns -> (exit code, printed text)."""
        module = load()
        with tempfile.TemporaryDirectory() as folder:
            module.ROOT, module.LOGS = Path(folder), Path(folder) / "build" / "test-logs"
            module.STEPS = make_steps(module)
            module.BY_NAME = {step.name: step for step in module.STEPS}
            module.sys.argv = ["run_tests", *arguments]
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                code = module.main()
            return code, printed.getvalue()

    def test_sums_up_and_skips(self):
        code, text = self.run_steps([], lambda m: [
            m.Step("plain", "true"),
            m.Step("counted", "echo 7 passed, 0 failed", count=m.count_words),
            m.Step("absent", "false", only_if="no/such/folder"),
            m.Step("on-demand", "false", by_default=False),
        ])
        self.assertEqual(code, 0)
        self.assertEqual(text.splitlines()[-1], "8 passed, 0 failed")
        self.assertIn("SKIP  absent", text)
        self.assertNotIn("on-demand", text)

    def test_a_failure_shows_its_log_and_fails_the_run(self):
        code, text = self.run_steps([], lambda m: [
            m.Step("good", "true"),
            m.Step("bad", "echo the reason; echo 4 passed, 2 failed; exit 3", count=m.count_words),
        ])
        self.assertEqual(code, 1)
        self.assertIn("| the reason", text)
        self.assertEqual(text.splitlines()[-1], "5 passed, 2 failed")

    def test_a_part_is_not_run_when_its_build_fails(self):
        code, text = self.run_steps([], lambda m: [
            m.Step("build-it", "exit 1", is_part=False),
            m.Step("it", "true", needs=("build-it",)),
        ])
        self.assertEqual(code, 1)
        self.assertIn("FAIL  it", text)

    def test_good_counts_do_not_hide_a_bad_exit(self):
        code, text = self.run_steps([], lambda m: [m.Step("a", "echo 3 passed; exit 1", count=m.count_words)])
        self.assertEqual((code, text.splitlines()[-1]), (1, "3 passed, 1 failed"))

    def test_a_hanging_part_is_killed(self):
        code, text = self.run_steps([], lambda m: [m.Step("hangs", "sleep 60", minutes=0.005)])
        self.assertEqual(code, 1)
        self.assertIn("killed after", text)

    def test_flags_go_to_their_part(self):
        code, _ = self.run_steps(["one", "--times", "3"], lambda m: [m.Step("one", 'test "$*" = "" && f() { [ "$2" = 3 ]; } && f')])
        self.assertEqual(code, 0)

    def test_unknown_part(self):
        module = load()
        module.sys.argv = ["run_tests", "nonsense"]
        with contextlib.redirect_stderr(io.StringIO()) as complaint:
            self.assertEqual(module.main(), 2)
        self.assertIn("nonsense", complaint.getvalue())


if __name__ == "__main__":
    unittest.main()
