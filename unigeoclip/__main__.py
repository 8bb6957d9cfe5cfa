"""``python -m unigeoclip``."""

import sys

from unigeoclip.cli.main import main

sys.exit(main())
