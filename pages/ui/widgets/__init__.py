"""Parts of pages that several of them use: components, tables, popovers, downloads, progress."""
