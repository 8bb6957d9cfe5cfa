"""Results as files: GIS formats, tables, a page of maps, lines of Python."""
