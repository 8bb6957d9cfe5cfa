"""Serve the app over the fake atlases: ``python -m tests.app.serve_fake PORT``."""

import sys

from streamlit.web import cli

from tests.app import fake

if __name__ == "__main__":
    fake.install(names=("boston", "world"))
    cli.main(["run", str(fake.ROOT / "app.py"), "--server.port", sys.argv[1], "--server.address", "127.0.0.1"])
