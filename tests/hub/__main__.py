"""Serve a Hub on this machine until Ctrl-C, to try publishing without an account: `make hub`.

It prints the line that points other commands to it. Its repositories lie in a temporary folder and go with it.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
from pathlib import Path

from hub.server import WRITE, LoopbackHub

PORT = 8976  # no well-known service's


def main() -> None:
    """Parse the options, serve."""
    parser = argparse.ArgumentParser(prog="python -m hub", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=PORT, help=f"default: {PORT}; 0: any that is free")
    parser.add_argument("--xet", action="store_true", help="offer the Xet storage mode, not only LFS")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="modelqa-hub-") as folder,
        LoopbackHub(Path(folder), xet=options.xet, port=options.port) as hub,
    ):
        mode = "" if options.xet else " HF_HUB_DISABLE_XET=1"
        print(f"export HF_ENDPOINT={hub.endpoint} HF_TOKEN={WRITE}{mode}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("the Hub and its repositories are gone")


if __name__ == "__main__":
    main()
