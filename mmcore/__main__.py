"""`python -m mmcore`: the command line."""

import sys

if __name__ == "__main__":
    try:
        from mmcore.cli.app import main

        code = main()
    except KeyboardInterrupt:  # before `main` listens or after it has let go
        code = 130
    sys.exit(code)
