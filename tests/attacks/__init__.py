"""Attacks that anyone can repeat on their own copy: each module prints counts as JSON."""
