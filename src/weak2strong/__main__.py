"""``python -m weak2strong``: the command `w2s`."""

import sys

from weak2strong.cli import main

if __name__ == "__main__":
    sys.exit(main())
