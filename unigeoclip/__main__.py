"""``python -m unigeoclip``."""

import sys

from unigeoclip.cli import main

sys.exit(main())
