"""`python -m function`: the tools around the function. They are not deployed, so a deployed package has no commands."""

import sys

from function.tools.command_line import main

if __name__ == "__main__":
    sys.exit(main())
