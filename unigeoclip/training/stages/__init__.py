"""Late parts of a training, in which one encoder learns against the others, which keep still."""
