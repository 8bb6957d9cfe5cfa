"""Serve the app over fake atlases: ``python -m tests.app.serve_fake [ATLAS ...] [--OPTION VALUE ...] PORT``.

The options are those of Streamlit.
"""

import os
import sys
import tempfile

from streamlit.web import cli

from pages.ui.http import qr
from tests.app import fake

if __name__ == "__main__":
    os.environ["UNIGEOCLIP_CACHE"] = tempfile.mkdtemp(prefix="unigeoclip-cache-")
    *rest, port = sys.argv[1:]
    first = next((place for place, word in enumerate(rest) if word.startswith("--")), len(rest))
    names, options = rest[:first], rest[first:]
    fake.install(names=names or ("boston", "world"))
    qr.origin = lambda: fake.ORIGIN
    cli.main(["run", str(fake.ROOT / "app.py"), *options, "--server.port", port])
