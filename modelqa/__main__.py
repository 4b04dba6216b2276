"""`python -m modelqa` is the command `modelqa`."""

import sys

from modelqa.cli import main

sys.exit(main())
