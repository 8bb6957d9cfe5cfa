"""UniGeoCLIP Explorer: ``streamlit run app.py``.

Streamlit uses this file twice. The server imports it once and serves ``app``: the pages together with our own routes
for map tiles, pictures and heatmaps, on one port. Each visit then executes it as a script, named ``__main__``, which
only picks the page.
"""

import streamlit as st
from starlette.middleware import Middleware

from pages.ui import shell
from pages.ui.http import index, protection, routes
from pages.ui.poster import mode

if __name__ == "__main__":
    shell.dress()
    page = st.navigation(shell.pages(), position="top")
    mode.show(page)
    page.run()
else:
    shell.own_navigation()
    shell.stay_home()
    visitors = protection.Visitors.from_environment()
    app = st.App(
        __file__,
        routes=[*routes.ROUTES, *index.routes(visitors)],
        middleware=[Middleware(protection.Protection, visitors=visitors, script_hashes=index.script_hashes())],
        lifespan=routes.lifespan,
    )
