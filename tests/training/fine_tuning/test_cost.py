"""The cost of a step: counted where it can be counted by hand, of every encoder."""

import json

from tests import towers
from unigeoclip.cli.main import main
from unigeoclip.config import write_json
from unigeoclip.modalities.street import COMPASS
from unigeoclip.training.fine_tuning.cost import VIEWS, step_cost


def by_hand(tokens, depth=towers.DEPTH, width=towers.WIDTH):
    """Forward operations of a transformer: four matrices of attention, two of the MLP, scores and their use."""
    return depth * (2 * tokens * 12 * width**2 + 4 * tokens**2 * width)


def test_operations_are_those_of_the_matrices():
    config = towers.tiny("base-city")
    found = step_cost(config, 3)
    patches = (towers.PX // towers.PATCH) ** 2
    forward = found["forward_flops_per_place"]
    embedding = 2 * patches * 3 * towers.PATCH**2 * towers.WIDTH
    head, compass = 2 * towers.WIDTH**2, 2 * COMPASS * 2 * towers.WIDTH
    assert forward["street"] == VIEWS * (forward["aerial"] - head + compass) + head
    # The last block of the surface encoder applies its second matrix once, to the mean.
    saved = 2 * (patches - 1) * 4 * towers.WIDTH**2
    assert forward["surface"] == by_hand(patches) + embedding + head - saved
    assert forward["text"] == by_hand(towers.TOKENS) + 2 * head
    whole = sum(forward.values())
    assert found["flops_per_place"] == found["flops"] // 3
    assert 2.7 * whole < found["flops_per_place"] < 3.0 * whole + 1e5  # twice as much backward, but for inputs


def test_recomputation_costs_another_forward_pass_of_the_layers():
    config = towers.tiny("base")
    plain, again = step_cost(config, 2), step_cost(towers.tuned(config, recompute=True), 2)
    layers = sum(again["forward_flops_per_place"][name] for name in ("aerial", "surface", "text"))
    # What follows the last activation that the backward pass needs is not computed again.
    assert 0.5 * layers < again["flops_per_place"] - plain["flops_per_place"] < layers
    assert again["weights"] == plain["weights"]
    assert again["weights"]["all"] > sum(again["weights"][name] for name in ("location", "aerial", "surface", "text"))
    assert again["peak_mb"] > 100


def test_the_cost_of_a_step_is_printed(tmp_path, capsys):
    write_json(tmp_path / "tiny.json", towers.tiny("base"))
    assert main(["bench", "--config", str(tmp_path / "tiny.json"), "--places", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["places"] == 2
    assert found["flops"] > 0
