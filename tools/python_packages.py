"""Python packages of a requirements file in an environment of their own; for tests and benchmarks."""

import hashlib
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def environment(folder, requirements):
    """-> the environment's Python, or None when pip can't install the packages. Costs nothing when they are there."""
    folder, requirements = pathlib.Path(folder), pathlib.Path(requirements)
    python = folder / "bin" / "python"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    stamp = folder / "requirements.sha256"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"installing the Python packages of {requirements.relative_to(ROOT)}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, "-r", str(requirements)], check=False).returncode != 0:
        return None
    stamp.write_text(wanted)
    return python


def engines():
    """The Python with pyarrow, DuckDB and chdb, or None."""
    return environment(
        ROOT / "build" / "test-block" / "venv", ROOT / "test" / "block" / "requirements.txt"
    )
