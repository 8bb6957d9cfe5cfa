"""Studies of the modalities of each atlas, and layouts of some of their places; shared by all visitors."""

from pages.ui.services.modalities.layouts import LayoutKey, LayoutQueue, LayoutTask
from pages.ui.services.modalities.service import ModalitiesService
from pages.ui.services.modalities.studies import StudyJob

__all__ = ["LayoutKey", "LayoutQueue", "LayoutTask", "ModalitiesService", "StudyJob"]
