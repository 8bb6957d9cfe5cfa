"""A GPU for machines without one: tensors that compute on the processor, and refuse to meet tensors that are there.

PyTorch's key for devices from outside is taken; every operator that has nothing to do with it runs on the wrapped
tensors. An operation on this device and on the processor at once fails, as it does on a GPU.
"""

import functools

import torch
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _DummyBackendModule, _setup_privateuseone_for_python_backend

NAME = "pretend"


class _Backend(_DummyBackendModule):
    def get_amp_supported_dtype(self):
        return [torch.bfloat16]


class PretendTensor(torch.Tensor):
    """A tensor of the device; ``inner`` holds the numbers."""

    @staticmethod
    def __new__(cls, inner):
        shape = {"strides": inner.stride(), "storage_offset": inner.storage_offset(), "dtype": inner.dtype}
        made = torch.Tensor._make_wrapper_subclass(cls, inner.size(), **shape, device=torch.device(NAME, 0))
        made.inner = inner
        return made

    @classmethod
    def __torch_dispatch__(cls, operator, types, args=(), kwargs=None):
        # In inference mode operators come whole that are otherwise made of others.
        made = operator.decompose(*args, **kwargs or {})
        return _run(operator, args, kwargs or {}) if made is NotImplemented else made

    def __repr__(self, **_):
        return f"PretendTensor({self.inner!r})"


def _inner(value):
    if isinstance(value, torch.device):
        return torch.device("cpu")
    return value.inner if isinstance(value, PretendTensor) else value


@torch.inference_mode(False)  # whose tensors cannot be wrapped; autograd works on the wrappers, above this
@torch.no_grad()
def _run(operator, args, kwargs):
    name = operator.name().partition(".")[0]
    if name == "aten::_to_copy":
        device = torch.device(kwargs.get("device") or args[0].device)
        copy = operator(_inner(args[0]), **kwargs | {"device": "cpu"})
        return PretendTensor(copy) if device.type == NAME else copy
    if name == "aten::copy_":
        _inner(args[0]).copy_(_inner(args[1]))
        return args[0]
    tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
    here = {id(each.inner): each for each in tensors if isinstance(each, PretendTensor)}
    elsewhere = [tuple(each.shape) for each in tensors if not isinstance(each, PretendTensor) and each.ndim]
    if here and elsewhere:
        raise RuntimeError(f"{name}: tensors are on two devices; on the processor: {elsewhere}")
    out = operator(*tree_map(_inner, args), **tree_map(_inner, kwargs))

    def wrap(value):
        if not isinstance(value, torch.Tensor):
            return value
        return here[id(value)] if id(value) in here else PretendTensor(value)  # in place, or new

    return tree_map(wrap, out)


@functools.cache
def pretend_device():
    """The device; registered once, for as long as the process lasts."""
    _setup_privateuseone_for_python_backend(NAME, _Backend())
    library = torch.library.Library("_", "IMPL")
    library.fallback(lambda operator, *args, **kwargs: _run(operator, args, kwargs), "PrivateUse1")
    pretend_device.library = library  # it unregisters when it is forgotten
    return torch.device(NAME, 0)
