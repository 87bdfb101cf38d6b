"""Prometheus as the judge of test/corpus/promql: promtool answers every query of the corpus as the files say."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

CORPUS = pathlib.Path(__file__).resolve().parents[2] / "corpus" / "promql"
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def seconds(text):
    match = re.fullmatch(r"(\d+)(ms|s|m|h)", text)
    return int(match[1]) * UNITS[match[2]]


def read_cases(path):
    """-> (step of the series, [(series, values)], [(query, [seconds], answer lines)])"""
    step, series, cases = None, [], []
    times, query, answer, in_series = [], None, [], False
    for line in path.read_text().splitlines() + [""]:
        if line.startswith("#"):
            continue
        if not line.startswith("  "):
            if query is not None:
                cases.append((query, times, answer))
            query, answer, in_series = None, [], False
            if line.startswith("series "):
                step, in_series = line.split()[1], True
            elif line.startswith("@"):
                options = dict(word.split("=") for word in line[1:].split())
                if "at" in options:
                    times = [seconds(options["at"])]
                else:
                    begin, end, every = (seconds(options[k]) for k in ("from", "to", "step"))
                    times = [begin + i * every for i in range(int((end - begin) / every) + 1)]
            elif line:
                query = line
        elif in_series:
            match = re.match(r"  (\w*(?:\{.*\})?) +(.*)", line)
            series.append((match[1], match[2]))
        else:
            answer.append(line.strip())
    return step, series, cases


def expected_samples(answer, index):
    """The samples of one instant, as promtool wants them."""
    samples = []
    for line in answer:
        if line == "nothing":
            continue
        labels, values = line[: line.rfind(":")], line[line.rfind(":") + 1 :].split()
        if values[index] in ("-", "NaN"):
            continue
        labels = "{}" if labels == "scalar" else labels
        samples.append((labels, {"+Inf": ".Inf", "-Inf": "-.Inf"}.get(values[index], values[index])))
    return samples


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def as_promtool_test(path):
    step, series, cases = read_cases(path)
    lines = ["evaluation_interval: 1s", "tests:", f"- interval: {step}", "  input_series:"]
    for name, values in series:
        lines += [f"  - series: {quoted(name)}", f"    values: {quoted(values)}"]
    lines.append("  promql_expr_test:")
    count = 0
    for query, times, answer in cases:
        if answer and answer[0].startswith(("error", "unsupported")):
            continue
        if any("NaN" in line for line in answer):
            # promtool takes no NaN for equal: what is left without them is asked.
            vector = f"vector({query})" if answer[0].startswith("scalar") else query
            query = f"({vector}) == ({vector})"
        for index, at in enumerate(times):
            count += 1
            lines += [f"  - expr: {quoted(query)}", f"    eval_time: {int(at * 1000)}ms"]
            samples = expected_samples(answer, index)
            lines.append("    exp_samples:" + ("" if samples else " []"))
            for labels, value in samples:
                lines += [f"    - labels: {quoted(labels)}", f"      value: {value}"]
    return "\n".join(lines) + "\n", count


class PromtoolCorpus(unittest.TestCase):
    def test_prometheus_answers_as_the_corpus_says(self):
        self.assertIsNotNone(shutil.which("promtool"), "promtool is not there: ./dev setup")
        asked = 0
        with tempfile.TemporaryDirectory(prefix="promtool-") as folder:
            for path in sorted(CORPUS.glob("*.test")):
                text, count = as_promtool_test(path)
                asked += count
                if count == 0:
                    continue
                with self.subTest(path.name):
                    file = pathlib.Path(folder) / (path.stem + ".yaml")
                    file.write_text(text)
                    done = subprocess.run(
                        ["promtool", "test", "rules", str(file)], capture_output=True, text=True
                    )
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(asked, 100)
