"""Where the data and the cache are."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from unigeoclip import paths
from unigeoclip.cli.main import main
from unigeoclip.files.cache import cache_folder

ROOT = Path(__file__).resolve().parents[2]


def loaded_from(file):
    """The module as it is when it lies there."""
    spec = spec_from_file_location("paths_elsewhere", file)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_in_a_checkout_the_data_are_beside_the_package():
    assert not paths.is_installed()
    assert ROOT / "assets" == paths.ASSETS
    assert ROOT == paths.IMPORT_ROOT
    assert (paths.ATLASES / "boston" / "atlas.json").is_file()
    assert (paths.BASELINES / "satclip-retrained-world" / "baseline.json").is_file()
    assert (paths.LEAFLET / "leaflet.js").is_file()


def test_installed_the_data_are_in_the_package(tmp_path):
    package = tmp_path / "site-packages" / "unigeoclip"
    (package / "_assets").mkdir(parents=True)
    (tmp_path / "site-packages" / "assets").mkdir()  # of somebody else
    (package / "paths.py").write_bytes((ROOT / "unigeoclip" / "paths.py").read_bytes())
    installed = loaded_from(package / "paths.py")
    assert installed.is_installed()
    assert package / "_assets" / "atlases" == installed.ATLASES
    assert tmp_path / "site-packages" == installed.IMPORT_ROOT


def test_the_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep caches elsewhere")
def test_the_cache_of_linux_is_where_it_has_always_been(monkeypatch, tmp_path):
    monkeypatch.delenv("UNIGEOCLIP_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "unigeoclip"
    monkeypatch.setenv("UNIGEOCLIP_CACHE", "")
    assert cache_folder() == tmp_path / ".cache" / "unigeoclip"


def test_nothing_is_built_into_an_installed_package(monkeypatch, capsys):
    monkeypatch.setattr(paths, "is_installed", lambda: True)
    assert main(["build", "world"]) == 2
    assert capsys.readouterr().err == "error: name the folder of the new atlas with --out, like --out world.\n"
