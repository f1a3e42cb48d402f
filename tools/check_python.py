"""Stop with a way out where this Python cannot make the virtual environment. Every Python can run this file."""

from __future__ import print_function

import sys

OLDEST, NEWEST = (3, 11), (3, 13)
FOUND = ".".join(str(part) for part in sys.version_info[:3])


def main():
    """Return 0 where this Python fits, else print the fact and the way out and return 1."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        print("The kit runs on Python 3.11, 3.12 or 3.13. Found: Python {} at {}.".format(FOUND, sys.executable))
        print("Install one of these and name it, for example: make lab PYTHON=python3.12")
        return 1
    try:
        import ensurepip  # noqa: F401  (Debian ships Python without it)
        import venv  # noqa: F401
    except ImportError:
        print("Python {} at {} lacks the modules that make a virtual environment.".format(FOUND, sys.executable))
        print("On Debian and Ubuntu they come with: sudo apt-get install python3-venv")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
