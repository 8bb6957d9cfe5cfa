"""Words: vectors of the shared space described by the phrases of a vocabulary."""
