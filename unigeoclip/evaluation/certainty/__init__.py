"""Whether texts are about anything in an atlas: a model fitted to lists of texts, and its test."""
