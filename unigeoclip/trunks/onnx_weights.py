"""Weights of a transformer out of an ONNX file.

PyTorch's exporter keeps the names of biases and norms, but stores the matrix of a linear layer transposed and under a
number. Which layer a matrix belongs to is found by walking the graph: it is the one whose bias is added to the product.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unigeoclip.errors import CheckpointError
from unigeoclip.extras import needs_extra

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["named_weights"]


def named_weights(path: Path, prefix: str) -> dict[str, NDArray[np.float32]]:
    """Weights of a module by the names that PyTorch has for them.

    Args:
        path: An ONNX file.
        prefix: Of the names wanted, such as "backbone."; it is taken off.

    Returns:
        Name -> array. Tensors that lost their names in the export keep those of the file.

    Raises:
        CheckpointError: The file is no ONNX model, or a linear layer has no matrix.
        MissingPackageError: The package onnx is not installed.
    """
    with needs_extra("onnx"):
        import onnx
        from onnx import numpy_helper
    try:
        graph = onnx.load(path).graph
    except Exception as error:  # whatever the parser of protocol buffers raises
        raise CheckpointError(f"{path} is no ONNX model that can be read ({error}).") from error
    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    found: dict[str, Any] = {}
    for name, array in stored.items():
        if name.startswith(prefix):
            found[name.removeprefix(prefix)] = array
        elif ".bias" not in name:
            found[name] = array
    makers = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        if node.op_type != "Add" or len(node.input) != 2:
            continue
        for bias, product in (tuple(node.input), tuple(node.input)[::-1]):
            maker = makers.get(product)
            if not (bias in stored and bias.startswith(prefix) and bias.endswith(".bias")) or maker is None:
                continue
            if maker.op_type == "MatMul":
                matrices = [each for each in maker.input if each in stored]
                if len(matrices) != 1:
                    raise CheckpointError(f"{path}: the matrix that belongs to {bias} is not stored in the file.")
                layer = bias.removeprefix(prefix).removesuffix("bias")
                found[f"{layer}weight"] = stored[matrices[0]].T
    return found
