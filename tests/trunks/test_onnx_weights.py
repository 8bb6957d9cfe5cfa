"""Matrices that lost their names in an export are found again by the bias that is added to their product."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from unigeoclip.errors import CheckpointError
from unigeoclip.trunks.onnx_weights import named_weights

RNG = np.random.default_rng(0)
FIRST, SECOND = RNG.normal(size=(4, 3)).astype(np.float32), RNG.normal(size=(2, 4)).astype(np.float32)


def two_layers(path, stored=("onnx::MatMul_1", "onnx::MatMul_2")):
    """x -> second(first(x)), as PyTorch's exporter writes linear layers; the bias stands on either side."""
    tensors = {
        "trunk.first.bias": RNG.normal(size=4).astype(np.float32),
        "trunk.second.bias": RNG.normal(size=2).astype(np.float32),
        "trunk.norm.weight": np.ones(3, np.float32),
        "head.bias": np.zeros(2, np.float32),
        "onnx::MatMul_1": FIRST.T.copy(),
        "onnx::MatMul_2": SECOND.T.copy(),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "onnx::MatMul_1"], ["a"]),
        helper.make_node("Add", ["trunk.first.bias", "a"], ["b"]),
        helper.make_node("MatMul", ["b", "onnx::MatMul_2"], ["c"]),
        helper.make_node("Add", ["c", "trunk.second.bias"], ["y"]),
    ]
    kept = {name: each for name, each in tensors.items() if not name.startswith("onnx::") or name in stored}
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])]
    inputs += [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, list(tensors[name].shape))
        for name in tensors
        if name not in kept
    ]
    graph = helper.make_graph(
        nodes, "two", inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(each, name) for name, each in kept.items()],
    )  # fmt: skip
    onnx.save(helper.make_model(graph), path)
    return path


def test_each_layer_gets_its_own_matrix(tmp_path):
    found = named_weights(two_layers(tmp_path / "model.onnx"), "trunk.")
    assert np.array_equal(found["first.weight"], FIRST)
    assert np.array_equal(found["second.weight"], SECOND)
    assert {"first.bias", "second.bias", "norm.weight"} <= set(found)
    assert "head.bias" not in found
    assert "bias" not in found


def test_a_matrix_that_is_computed_is_refused(tmp_path):
    path = two_layers(tmp_path / "model.onnx", stored=("onnx::MatMul_1",))
    with pytest.raises(CheckpointError, match=r"trunk\.second\.bias"):
        named_weights(path, "trunk.")


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no model at all")
    with pytest.raises(CheckpointError, match="no ONNX model"):
        named_weights(path, "trunk.")
