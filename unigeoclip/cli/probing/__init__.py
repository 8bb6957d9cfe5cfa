"""Commands about probes: tasks, and what embeddings know of them."""
