"""Python environments with the packages that tests need."""

import hashlib
import subprocess
import sys


def ensure_environment(venv, requirements):
    """Makes `venv` hold what the file `requirements` lists; costs nothing when it does."""
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    stamp = venv / "requirements.sha256"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"e2e: installing the packages of {requirements} into {venv}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
    subprocess.run(
        [
            str(venv / "bin" / "pip"),
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
            str(requirements),
        ],
        check=True,
    )
    stamp.write_text(wanted)
