"""Run the command line: python -m polyvalent.cli."""

import sys

from polyvalent.cli import main

if __name__ == "__main__":
    sys.exit(main())
