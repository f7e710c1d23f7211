"""Run every benchmark, or those named: ``python -m benchmarks sweep scaling``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ORDER = ("speed", "scaling", "sweep", "peers")


def main() -> int:
    """One process each, so that none warms up another."""
    names = sys.argv[1:] or [name for name in ORDER if (HERE / f"{name}.py").exists()]
    codes = [subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode for name in names]
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main())
