"""What descriptions in words explain, and whether they are true."""
