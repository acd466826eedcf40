"""`python -m mmcore`: the command line."""

import sys

from mmcore.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
