import numpy as np
import pytest
import torch

from unigeoclip.evaluation.probing.heads.shifted import Decompositions, ShiftedSystem


@pytest.mark.parametrize(("dim", "rows", "outputs"), [(1, 5, 1), (2, 9, 1), (3, 9, 4), (40, 20, 2), (130, 300, 3)])
def test_every_shift_is_solved(dim, rows, outputs):
    rng = np.random.default_rng(dim)
    x = rng.normal(size=(rows, dim))
    right = x.T @ rng.normal(size=(rows, outputs))
    shifts = [1e-3, 1.0, 1e4]
    solved = ShiftedSystem(x.T @ x, right).solutions(shifts)
    for place, shift in enumerate(shifts):
        expected = np.linalg.solve(x.T @ x + shift * np.eye(dim), right)
        np.testing.assert_allclose(solved[:, place], expected, rtol=1e-6, atol=1e-9)


def test_a_matrix_of_zeros_and_one_of_low_rank_are_solved():
    assert (ShiftedSystem(np.zeros((3, 3)), np.zeros((3, 1))).solutions([1e-4]) == 0).all()
    one = np.ones((200, 200)) * 1e4
    solved = ShiftedSystem(one, np.ones((200, 1))).solutions([1e-4, 1.0])
    np.testing.assert_allclose(solved, np.full((200, 2, 1), 1 / 2e6), rtol=1e-3)


def test_other_right_sides_share_a_decomposition_and_solve_the_same(monkeypatch):
    rng = np.random.default_rng(2)
    x, rights = rng.normal(size=(50, 8)), rng.normal(size=(2, 8, 1))
    alone = [ShiftedSystem(x.T @ x, right).solutions([0.1, 10.0]) for right in rights]
    calls = []
    decompose = torch.linalg.eigh
    monkeypatch.setattr(torch.linalg, "eigh", lambda matrix: calls.append(1) or decompose(matrix))
    kept = Decompositions()
    shared = [ShiftedSystem(x.T @ x, right, kept).solutions([0.1, 10.0]) for right in rights]
    assert np.array_equal(alone, shared)
    assert len(calls) == 1
    ShiftedSystem(x.T @ x + np.eye(8), rights[0], kept)
    assert len(calls) == 2
    small = Decompositions(most_bytes=10)
    for right in rights:
        ShiftedSystem(x.T @ x, right, small)
    assert len(calls) == 4
