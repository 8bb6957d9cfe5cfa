"""Probes for visitors: jobs, the fair worker that does them, and the limits of what one visitor may ask for."""

from pages.ui.services.probe.jobs import Job
from pages.ui.services.probe.library import Library
from pages.ui.services.probe.service import ProbeService

__all__ = ["Job", "Library", "ProbeService"]
