"""Objects made once at start-up that all visitors share. No Streamlit here."""
