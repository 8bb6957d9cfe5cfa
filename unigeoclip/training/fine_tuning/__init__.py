"""Pretrained towers in a training: where their weights come from, how they learn, what a step costs."""
