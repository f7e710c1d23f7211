"""``python -m costline``."""

import sys

from costline.cli import main

if __name__ == "__main__":
    sys.exit(main())
