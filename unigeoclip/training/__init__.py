"""Training: losses, samplers, the loop."""

from unigeoclip.training.configs import CONFIGS, TrainConfig, named_config
from unigeoclip.training.loop import train
from unigeoclip.training.losses import all_to_all_loss

__all__ = ["CONFIGS", "TrainConfig", "all_to_all_loss", "named_config", "train"]
