from pathlib import Path

from unigeoclip.cli.printing import evaluation_lines, nested_lines, training_lines

PAIRS = {
    "location->aerial": {"recall@1": 80.6, "recall@10": 99.2, "acc@100m": 81.3, "median_m": 0.0, "n": 2000},
    "street->text": {"recall@1": 2.4, "recall@10": 13.9, "acc@100m": 2.5, "median_m": 7063.2, "n": 2000},
}
QUERIES = [
    {"query": "pond", "rule": "inside a pond", "precision": 40.0, "chance": 1.0},
    {"query": "park", "rule": "inside a park", "precision": 90.0, "chance": 3.0},
]


def test_a_training_ends_with_how_good_it_is():
    metrics = {"split": "views", "retrieval": PAIRS, "queries": QUERIES, "training": {"seconds": 5169, "steps": 2000}}
    lines = training_lines(metrics, Path("runs/a"))
    assert lines[0] == (
        "Held out (split views): the right one among 2,000 is first for 42 % and among the first ten for 57 % of the "
        "items, a mean over 2 pairs (chance 0.05 %); most often first for location->aerial (81 %), least "
        "often for street->text (2 %)."
    )
    assert lines[2:5] == [
        "query->target     first  in first 10  within 100 m  median m     of",
        "location->aerial   80.6         99.2          81.3         0  2,000",
        "street->text        2.4         13.9           2.5     7,063  2,000",
    ]
    assert (
        "2 plain queries: 65 % of the hottest area lies inside the rule on average (chance 2 %); worst: pond 40 %"
        in ("\n".join(lines))
    )
    assert "Model:  runs/a/model (trained for 86 minutes)" in lines
    assert any("runs/a/history.csv" in line and "tensorboard --logdir runs/a/tensorboard" in line for line in lines)
    assert len(lines) < 20
    assert "steps" not in "\n".join(lines)


def test_few_items_are_said_to_be_few():
    figures = {"recall@1": 100.0, "recall@10": 100.0, "n": 2}
    lines = training_lines({"split": "views", "retrieval": {"a->b": figures}, "queries": []}, Path("out"))
    assert "among 2 items even a poor model often looks right" in lines[0]
    assert any("none tried" in line for line in lines)
    few = {"a->b": {"n": 7, "too_few": True}}
    assert (
        "7 held-out items (split views) are too few"
        in training_lines({"split": "views", "retrieval": few}, Path("o"))[0]
    )
    mixed = {"split": "views", "retrieval": PAIRS | few}
    assert "1 more pairs have too few items to judge." in training_lines(mixed, Path("o"))[0]
    assert any(
        line.split() == ["a->b", *"----", "7", "too", "few", "to", "judge"] for line in training_lines(mixed, Path("o"))
    )
    assert "no held-out items" in training_lines({"split": "views", "retrieval": {}}, Path("out"))[0]


def test_a_baseline_lies_elsewhere():
    metrics = {"split": "views", "retrieval": PAIRS, "baseline": {"kind": "satclip"}, "training": {"seconds": 30}}
    lines = training_lines(metrics, Path("out"))
    assert "Model:  out/baseline (trained for 30 s)" in lines
    assert not any("queries" in line for line in lines)


def test_nothing_of_an_evaluation_is_left_out():
    report = {
        "splits": {
            "views": {"means": "new positions", "retrieval": PAIRS, "recorded": False, "held_out": {"window_km": 0.22}},
            "blocks": {"means": "new cells", "retrieval": PAIRS, "recorded": True},
        },
        "queries": QUERIES, "mean_precision": 65.0, "note": "drawn", "means": {"photo": "one view"},
        "elsewhere": {"amsterdam": {"title": "Amsterdam", "means": "never seen", "retrieval": PAIRS, "recorded": True}},
        "ablations": {"complete": True, "rows": [{"name": "all"}]}, "baselines": {"geoclip": {"n": 5}},
        "more": {"x": 1},
    }  # fmt: skip
    text = "\n".join(evaluation_lines(report))
    for words in (
        "Split views: new positions\n", "Split blocks: new cells; written down when it was trained", "window_km",
        "Elsewhere, Amsterdam: never seen; written down earlier", "photo: one view", "Note: drawn.", "pond",
        "Ablations\n  complete: True", "Baselines\n  geoclip: n 5", "more: x 1",
    ):  # fmt: skip
        assert words in text
    assert evaluation_lines({"ablations": {"atlas": "a"}}) == ["Ablations", "  atlas: a"]


def test_nested_values_are_indented():
    assert nested_lines({"a": {"b": 1.23456, "c": "x"}, "d": {"e": [1, 2]}}) == [
        "a: b 1.235, c x",
        "d",
        "  e",
        "    1: 1",
        "    2: 2",
    ]


def test_long_lists_of_numbers_and_long_texts_are_shortened():
    lines = nested_lines({"mean": [0.5] * 35, "few": [0.5, 1.5], "code": "x" * 5000})
    assert lines[0] == "mean: 35 numbers"
    assert lines[1:3] == ["few", "  1: 0.5"]
    assert len(lines[-1]) < 220
