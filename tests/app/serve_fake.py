"""Serve the app over the fake atlases: ``python -m tests.app.serve_fake [OPTIONS OF STREAMLIT] PORT``."""

import os
import sys
import tempfile

from streamlit.web import cli

from pages.ui import qr
from tests.app import fake

if __name__ == "__main__":
    os.environ["UNIGEOCLIP_CACHE"] = tempfile.mkdtemp(prefix="unigeoclip-cache-")
    fake.install(names=("boston", "world"))
    qr.origin = lambda: fake.ORIGIN
    cli.main(["run", str(fake.ROOT / "app.py"), *sys.argv[1:-1], "--server.port", sys.argv[-1]])
