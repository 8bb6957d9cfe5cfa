"""The map component: what it is given and how it is mounted."""
