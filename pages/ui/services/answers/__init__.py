"""Parts of answers that are computed apart from the page: before its run, or when it is idle."""
