"""`python -m publish ...` in a checkout: `modelqa publish ...`, and its other commands by their names."""

import sys

from modelqa.cli import main

COMMANDS = ("card", "postmortem", "publish", "rollback", "verify")

given = sys.argv[1:]
sys.exit(main(given if given[:1] and given[0] in COMMANDS else ["publish", *given]))
