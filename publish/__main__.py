"""`python -m publish ...` in a checkout: the same as `modelqa publish ...`."""

import sys

from modelqa.cli import main

sys.exit(main(["publish", *sys.argv[1:]]))
