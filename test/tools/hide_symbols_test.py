"""tools/hide_symbols on two small libraries that define the same function."""

import ctypes
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CARRIER = "int SSL_answer(void) { return 1; } int arrow_ask(void) { return SSL_answer(); }"
OTHER = "int SSL_answer(void) { return 2; }"
ASKER = "int SSL_answer(void); int ask(void) { return SSL_answer(); }"


class HideSymbols(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def library(self, name, code, *link):
        path = self.folder / f"lib{name}.so"
        (self.folder / f"{name}.c").write_text(code)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", path, self.folder / f"{name}.c", *link], check=True)
        return path

    def hide(self, path):
        done = subprocess.run(
            [sys.executable, ROOT / "tools/hide_symbols", path, "arrow"], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def answers(self, *paths):
        """Loads the libraries in one fresh process, in this order -> what arrow_ask() and ask() answer."""
        code = (
            "import ctypes, sys\n"
            "libraries = [ctypes.CDLL(p, ctypes.RTLD_GLOBAL) for p in sys.argv[1:]]\n"
            "print(ctypes.CDLL(None).arrow_ask(), ctypes.CDLL(None).ask())\n"
        )
        done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)
        return done.stdout.split()

    def test_each_finds_its_own(self):
        carrier, other = self.library("carrier", CARRIER), self.library("other", OTHER)
        asker = self.library("asker", ASKER)
        # As they come, the first library answers for everyone.
        self.assertEqual(self.answers(other, carrier, asker), ["2", "2"])
        self.assertEqual(self.answers(carrier, other, asker), ["1", "1"])
        self.assertEqual(self.hide(carrier), "libcarrier.so: 1 names hidden")
        self.assertEqual(self.answers(other, carrier, asker), ["1", "2"])
        self.assertEqual(self.answers(carrier, other, asker), ["1", "2"])

    def test_linkers_do_not_take_it(self):
        carrier, other = self.library("carrier", CARRIER), self.library("other", OTHER)
        self.hide(carrier)
        asker = self.library("asker", ASKER, "-Wl,--as-needed", carrier, other)
        needed = subprocess.run(["readelf", "-d", asker], capture_output=True, text=True, check=True).stdout
        self.assertIn("libother.so", needed)

    def test_twice_changes_nothing(self):
        carrier = self.library("carrier", CARRIER)
        self.hide(carrier)
        once = carrier.read_bytes()
        self.assertEqual(self.hide(carrier), "libcarrier.so: 0 names hidden")
        self.assertEqual(carrier.read_bytes(), once)
        self.assertEqual(ctypes.CDLL(carrier).arrow_ask(), 1)


if __name__ == "__main__":
    unittest.main()
