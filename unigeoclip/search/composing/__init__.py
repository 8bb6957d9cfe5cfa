"""What queries are composed of: any of several examples, votes on results, sets of examples as files."""
