"""Objects made once at start-up that all visitors share. No Streamlit, no HTTP here.

Page scripts find them by `services`; routes and other objects are given what they need.
"""

from pages.ui.services.container import Services, services, serving

__all__ = ["Services", "services", "serving"]
