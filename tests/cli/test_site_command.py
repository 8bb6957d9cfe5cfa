"""``unigeoclip site``: what it refuses before any work, and what it writes."""

import pytest

pytestmark = pytest.mark.usefixtures("surroundings")


def test_what_cannot_be_written_is_refused_first(refused, tmp_path):
    assert "--out DIR" in refused("site")
    both = refused("site", "--out", tmp_path / "site", "--single-file", tmp_path / "map.html")
    assert "--single-file F.html" in both
    (tmp_path / "notes.txt").write_text("mine")
    assert "'unigeoclip site' did not write" in refused("site", "--out", tmp_path)
    assert "does not exist" in refused("site", "--single-file", tmp_path / "no" / "map.html")
    assert "--atlas takes names" in refused("site", "--atlas", " , ", "--out", tmp_path / "site")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.slow
def test_a_file_and_a_folder_are_written(run, refused, folder, tmp_path):
    asked = ("site", "--atlas", folder, "--models", "fourier")
    assert run(*asked, "--single-file", tmp_path / "map.html").startswith(f"{tmp_path / 'map.html'}: 0.")
    run(*asked, "--out", tmp_path / "site")
    assert (tmp_path / "site" / "index.html").is_file()
    assert "Unknown embedder 'nowhere'" in refused(*asked[:3], "--models", "nowhere", "--out", tmp_path / "other")
    assert not (tmp_path / "other").exists()
