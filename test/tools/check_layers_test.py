"""tools/check_layers against small trees that break one rule each."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYERS = "base:\nmodel: base\nquery: base model\napp: *\nmodel never: <fstream> <grpc\n"


class CheckLayers(unittest.TestCase):
    def check(self, files, layers=LAYERS):
        """Lays out `files` (path -> text) and returns (exit code, printed lines)."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {"tools/layers.txt": layers, **files}.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            done = subprocess.run(
                [sys.executable, ROOT / "tools/check_layers", folder], capture_output=True, text=True, check=False
            )
            return done.returncode, done.stdout.replace(folder + "/", "").splitlines()

    def test_clean_tree_passes(self):
        code, lines = self.check(
            {
                "src/model/span.h": '#include <vector>\n#include "base/error.h"\n#include "model/ids.h"\n',
                "src/app/main.cc": '#include "query/plan/plan.h"\n#include "opentelemetry/trace.pb.h"\n',
            }
        )
        self.assertEqual((code, lines), (0, []))

    def test_breach_names_file_line_and_rule(self):
        code, lines = self.check({"src/model/span.h": '#pragma once\n\n  #  include "query/plan/plan.h"\n'})
        self.assertEqual(code, 1)
        self.assertEqual(lines, ["src/model/span.h:3: model may not include query (layers.txt, 'model: base')"])

    def test_room_by_angle_brackets_is_no_way_round(self):
        code, lines = self.check({"src/base/error.h": "#include <model/ids.h>\n"})
        self.assertEqual(code, 1)
        self.assertIn("base may not include model", lines[0])

    def test_forbidden_third_party_header(self):
        code, lines = self.check({"src/model/span.cc": "#include <string>\n#include <grpcpp/grpcpp.h>\n"})
        self.assertEqual(code, 1)
        self.assertIn("src/model/span.cc:2: model may never include <grpcpp/grpcpp.h>", lines[0])

    def test_relative_include(self):
        code, lines = self.check({"src/query/plan/plan.cc": '#include "../exec/exec.h"\n'})
        self.assertEqual(code, 1)
        self.assertIn("src/query/plan/plan.cc:1:", lines[0])

    def test_include_not_written_from_src(self):
        code, _ = self.check({"src/model/span.cc": '#include "span.h"\n'})
        self.assertEqual(code, 1)

    def test_unknown_room(self):
        code, lines = self.check({"src/util/strings.h": "\n"})
        self.assertEqual(code, 1)
        self.assertIn("'util'", lines[0])

    def test_sdk_and_server_keep_apart(self):
        code, lines = self.check(
            {
                "sdk/weft/span.h": '#include "model/ids.h"\n',
                "src/app/main.cc": '#include "sdk/weft/span.h"\n',
            }
        )
        self.assertEqual(code, 1)
        self.assertEqual(len(lines), 2)

    def test_row_naming_a_room_below_it(self):
        code, lines = self.check({}, layers="base: model\nmodel: base\n")
        self.assertEqual(code, 1)
        self.assertEqual(lines, ["tools/layers.txt:1: 'base' names 'model', which is not a room above it"])


if __name__ == "__main__":
    unittest.main()
