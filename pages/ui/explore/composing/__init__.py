"""How a query of page Explore is composed: within an area, any of several examples, votes, files of examples."""
