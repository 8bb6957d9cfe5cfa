"""evaluate --real, and the download of a trunk, from the command line."""

import pytest

REPORT = {
    "split": "cities", "trunk": "dinov2-small", "px": 112, "spots": {"Aville": 40, "Bville": 50},
    "models": {
        "mini": {
            "retrieval": {
                "photograph->text": {
                    "n": 90, "gallery": 300.0, "seeds": 1, "recall@1": 2.2, "recall@1_interval": [0.0, 5.6],
                    "recall@10": 8.9, "recall@10_interval": [3.3, 14.4],
                }
            },
            "trees": {"n": 270, "r2": 0.123, "r2_cities": {"Aville": 0.1, "Bville": 0.146}},
        }
    },
}  # fmt: skip


def test_evaluate_real_measures_the_model_of_boston(run, folder, tmp_path, monkeypatch):
    asked = []

    def evaluate_real(path, atlas, *, trunk, px, say):
        asked.append((path, atlas.name, trunk, px))
        return REPORT

    monkeypatch.setattr("unigeoclip.photographs.report.evaluate_real", evaluate_real)
    assert run("evaluate", "--real", tmp_path, "--json") == REPORT
    printed = run("evaluate", "--real", tmp_path, "--atlas", folder, "--trunk", "efficientnet-lite0", "--px", 112)
    assert asked == [(tmp_path, "boston", "dinov2-small", 224), (tmp_path, "tiny", "efficientnet-lite0", 112)]
    assert "Photographs of 90 spots in 2 cities" in printed
    assert "8.9 [3.3, 14.4]" in printed
    assert "number of trees: R2 0.12 (Aville 0.10, Bville 0.15; 270 photographs)" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--record"], "--real measures nothing else"),
        (["--steps", "5"], "--real measures nothing else"),
        (["--px", "20"], "32<=x<=518"),
        ([], "is no city"),
    ],
)
def test_bad_measurements_of_photographs(refused, folder, tmp_path, arguments, words):
    assert words in refused("evaluate", "--atlas", folder, "--real", tmp_path, *arguments)


def test_a_folder_without_photographs_is_refused(refused, tmp_path):
    assert "chips.csv" in refused("evaluate", "--real", tmp_path)


def test_a_folder_without_a_trunk_is_refused(refused, tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    said = refused("baselines", "download", "dinov2-small", "--from", tmp_path)
    assert "holds no DINOv2: config.json is missing" in said
    said = refused("baselines", "download", "efficientnet-lite0", "--from", tmp_path)
    assert "leave out --from" in said


@pytest.mark.parametrize("option", [["--trunk", "dinov2-small"], ["--px", "112"]])
def test_options_of_real_without_it_are_refused(refused, option):
    assert "belong to --real" in refused("evaluate", *option)


def test_an_unknown_trunk_is_refused(refused, tmp_path):
    (tmp_path / "aerial").mkdir()
    lines = ["file,city,year,lat,lon"]
    for city, lon in (("a", 10.0), ("b", 11.0), ("c", 12.0)):
        lines.append(f"{city}.png,{city},2020,50.0,{lon}")
        (tmp_path / "aerial" / f"{city}.png").write_bytes(b"")
    (tmp_path / "chips.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "vector-tiles").mkdir()
    assert "choose dinov2-small, efficientnet-lite0" in refused("evaluate", "--real", tmp_path, "--trunk", "vgg")
