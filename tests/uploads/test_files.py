"""What the command line and the app's upload field let in."""

import subprocess
import sys
import tomllib
from pathlib import Path

from unigeoclip.uploads import MAX_FILE_BYTES

ROOT = Path(__file__).parents[2]


def test_the_command_line_does_not_read_devices():
    """--image /dev/zero read until memory ended: this child has 3 GB, and needs none of it."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (3 * 10**9, 3 * 10**9))\n"
        "from unigeoclip.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["search", "--atlas", "world", "--image", "/dev/zero", "--modality", "aerial"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert done.returncode == 2
    assert "no regular file" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_upload_field_accepts_what_the_reader_accepts():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["server"]["maxUploadSize"] * 2**20 == MAX_FILE_BYTES
