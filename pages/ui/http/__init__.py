"""Routes of the app beside Streamlit's own: tiles, pictures, protection."""
