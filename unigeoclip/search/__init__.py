"""Search: query items, embeddings of the gallery, and the explorer that answers queries."""
