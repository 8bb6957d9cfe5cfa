"""Layers of towers learn the faster, the further they are from the input; every parameter is in one group."""

import pytest
import torch

from tests import towers
from unigeoclip.model import UniGeoCLIP
from unigeoclip.training.configs import CONFIGS
from unigeoclip.training.fine_tuning.rates import SHARE, parameter_groups
from unigeoclip.training.fine_tuning.weights import prepare_towers
from unigeoclip.training.gradients import decay_groups


def share_of(model, groups):
    """Name of each parameter -> the share of its group."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    grouped = [(names[id(each)], group.get(SHARE, 1.0)) for group in groups for each in group["params"]]
    assert len(grouped) == len(dict(grouped)), "a parameter is in two groups"
    return dict(grouped)


def test_deeper_layers_have_larger_rates_and_all_parameters_one_group():
    config = towers.tuned(towers.tiny("base-city"), rate=0.5, layer_decay=0.8)
    config.model.encoders["street"]["kind"] = "dinov2"
    model = UniGeoCLIP(config.model)
    shares = share_of(model, parameter_groups(model, config.fine_tuning, 0.05))
    assert shares.keys() == {name for name, _ in model.named_parameters()}
    for modality, layers in (("aerial", "layers"), ("street", "layer"), ("text", "layers")):
        prefix = f"encoders.{modality}.tower."
        of = {name.removeprefix(prefix): share for name, share in shares.items() if name.startswith(prefix)}
        assert {share for name, share in of.items() if "embeddings" in name} == {0.5 * 0.8**2}
        assert {share for name, share in of.items() if f"{layers}.0." in name} == {0.5 * 0.8}
        rest = {share for name, share in of.items() if "embeddings" not in name and f"{layers}.0." not in name}
        assert rest == {0.5}
    new = {name: share for name, share in shares.items() if ".tower." not in name}
    assert set(new.values()) == {1.0}
    assert any(name.startswith("encoders.surface") for name in new)


def test_only_matrices_decay_whatever_their_rate():
    config = towers.tiny("base")
    model = UniGeoCLIP(config.model)
    groups = parameter_groups(model, config.fine_tuning, 0.05)
    plain = decay_groups(model, 0.05)
    for decay, wanted in ((0.05, plain[0]), (0.0, plain[1])):
        found = {id(each) for group in groups if group["weight_decay"] == decay for each in group["params"]}
        assert found == {id(each) for each in wanted["params"]}


def test_a_model_without_towers_has_the_groups_it_had():
    model = UniGeoCLIP(CONFIGS["mini"].model)
    found = parameter_groups(model, CONFIGS["mini"].fine_tuning, 0.05)
    for group, wanted in zip(found, decay_groups(model, 0.05), strict=True):
        assert group.keys() == wanted.keys()
        assert all(a is b for a, b in zip(group["params"], wanted["params"], strict=True))


@pytest.mark.parametrize("mode", ["frozen", "lora"])
def test_what_keeps_still_is_in_no_group(mode):
    config = towers.tuned(towers.tiny("base"), mode=mode, lora_rank=2)
    model = UniGeoCLIP(config.model)
    prepare_towers(model, config.fine_tuning)
    shares = share_of(model, parameter_groups(model, config.fine_tuning, 0.05))
    of_towers = {name for name in shares if ".tower." in name}
    assert all("lora_" in name for name in of_towers)
    assert bool(of_towers) == (mode == "lora")
    assert set(shares.values()) == {1.0}
    assert sum(1 for each in model.parameters() if each.requires_grad) == len(shares)
    assert isinstance(torch.optim.AdamW(parameter_groups(model, config.fine_tuning, 0.05)), torch.optim.Optimizer)
