"""UniGeoCLIP Explorer: ``streamlit run app.py``.

Streamlit uses this file twice. The server imports it once and serves ``app``: the pages together with our own routes
for map tiles, pictures and heatmaps, on one port. Each visit then executes it as a script, named ``__main__``, which
only picks the page.
"""

import streamlit as st

from pages.ui import network, shell
from pages.ui.http import server
from pages.ui.poster import mode
from pages.ui.services import Services

if __name__ == "__main__":
    shell.dress()
    page = st.navigation(shell.pages(), position="top")
    mode.show(page)
    page.run()
else:
    shell.own_navigation()
    shell.stay_home()
    app = st.App(__file__, **server.options(Services.create(origin=network.origin)))
