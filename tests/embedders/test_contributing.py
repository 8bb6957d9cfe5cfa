"""An embedder added as CONTRIBUTING.md says: one new file and one line, and the command line knows it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Add an embedder\n")[1].split("\n## ")[0]
TABLE = "EMBEDDERS: dict[str, Entry] = {\n"

pytestmark = pytest.mark.slow


@pytest.fixture
def package(tmp_path):
    """The package with the toy embedder of the guide."""
    folder = tmp_path / "unigeoclip"
    shutil.copytree(ROOT / "unigeoclip", folder, ignore=shutil.ignore_patterns("__pycache__"))
    new_file, line = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    (folder / "embedders" / "toy.py").write_text(new_file, encoding="utf-8")
    table = folder / "embedders" / "__init__.py"
    text = table.read_text(encoding="utf-8")
    assert text.count(TABLE) == 1
    assert line.count("\n") == 1
    table.write_text(text.replace(TABLE, f"{TABLE}    {line.strip()}\n"), encoding="utf-8")
    return tmp_path


def test_an_embedder_is_one_file_and_one_line(package, tmp_path):
    points = np.array([[0, 0], [90, 0], [42.36, -71.06], [-33.9, 179.9]])
    pd.DataFrame(points, columns=["lat", "lon"]).to_csv(tmp_path / "points.csv", index=False)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "unigeoclip",
            "embed",
            "--embedder",
            "toy",
            "--csv",
            "points.csv",
            "--out",
            "out.parquet",
        ],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    vectors = np.stack(pd.read_parquet(tmp_path / "out.parquet")["embedding"])
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    lat, lon = np.radians(points).T
    sphere = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    assert np.allclose(vectors, sphere, atol=1e-6)
