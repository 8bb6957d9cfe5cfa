"""Serve the app over the fake atlas: ``python -m tests.app.serve_fake PORT``."""

import sys

from streamlit.web import cli

from tests.app import fake

if __name__ == "__main__":
    fake.install()
    cli.main(["run", str(fake.ROOT / "app.py"), "--server.port", sys.argv[1], "--server.address", "127.0.0.1"])
