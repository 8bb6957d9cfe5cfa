"""Every figure of quality in one place: collected from records, stored as JSON that ships, shown in the docs."""
