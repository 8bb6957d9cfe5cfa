// Streamlit's client looks for its server below the page's own address first: on /compare it would ask for
// /compare/_stcore/health, be told that there is none, and leave two errors in the console of every visitor.
window.__streamlit = { BACKEND_BASE_URL: new URL("/", window.location.href).href };
