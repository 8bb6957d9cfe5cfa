"""Serve the app over fake atlases: ``python -m tests.app.serve_fake [ATLAS ...] [--OPTION VALUE ...] PORT``.

The options are those of Streamlit.
"""

import os
import sys
import tempfile

from streamlit.web import cli

from tests.app import fake

if __name__ == "__main__":
    os.environ["UNIGEOCLIP_CACHE"] = tempfile.mkdtemp(prefix="unigeoclip-cache-")
    *rest, port = sys.argv[1:]
    first = next((place for place, word in enumerate(rest) if word.startswith("--")), len(rest))
    names, options = rest[:first], rest[first:]
    os.environ["UNIGEOCLIP_FAKE_ATLASES"] = ",".join(names or ("boston", "world"))
    cli.main(["run", str(fake.ROOT / "tests" / "app" / "fake_app.py"), *options, "--server.port", port])
