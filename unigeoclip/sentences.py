"""What atlas files and the text encoder both know of the model that embeds sentences, all-MiniLM-L6-v2."""

SENTENCE_DIM = 384  # numbers of a sentence's vector
