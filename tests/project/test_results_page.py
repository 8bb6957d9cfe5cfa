"""Every figure that docs/results.md gives of the shipped models is the recorded one, and none is left that is not."""

import re
from pathlib import Path

import pytest

from unigeoclip.atlas import load_atlas
from unigeoclip.config import read_json
from unigeoclip.embedders.retrained import recorded_baselines
from unigeoclip.evaluation.held_out import split_facts
from unigeoclip.geo import in_round_figures
from unigeoclip.model import load_model

RESULTS = (Path(__file__).resolve().parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
SECTIONS = {"boston": "Boston", "world": "World"}
WITHIN = "acc@100m"
BOSTON = ("metrics", "metrics-blocks", "elsewhere-amsterdam")  # records that its section draws on


def section(name):
    """A section of the page, tables apart, in one line."""
    text = RESULTS.split(f"## {SECTIONS[name]}\n")[1].split("\n#")[0]
    return " ".join(line for line in " \n ".join(text.split("\n")).split("\n") if not line.strip().startswith("|"))


def tables(text):
    """The tables in a text: lists of rows of cells, without their bars and stars."""
    found, rows = [], []
    for line in [*text.split("\n"), ""]:
        if line.startswith("|"):
            rows.append([cell.strip().replace("**", "") for cell in line.strip("|").split("|")])
        elif rows:
            found.append([rows[0], *rows[2:]])
            rows = []
    return found


def record(name, file="metrics.json"):
    return read_json(load_atlas(name).model_path / file)


def rounded(value, digits=0):
    return f"{value:.{digits}f}"


def recalls(figures):
    return f"{rounded(figures['recall@1'])} / {rounded(figures['recall@10'])}"


def near(written, value, digits=0):
    """Whether a figure is the recorded one within rounding, a half either way."""
    return abs(float(written) - value) <= 0.5 * 10**-digits + 1e-9


@pytest.mark.parametrize("name", SECTIONS)
def test_tables_of_recalls(name):
    head, *rows = tables(RESULTS.split(f"## {SECTIONS[name]}\n")[1].split("\n#")[0])[0]
    retrieval, seen = record(name)["retrieval"], set()
    for query, *cells in rows:
        for target, cell in zip(head[1:], cells, strict=True):
            pair = f"{query}->{target.split(' of ')[0]}"
            if pair not in retrieval:
                assert cell in ("", "–"), pair
                continue
            first, tenth = cell.split(" / ")
            assert near(first, retrieval[pair]["recall@1"]), (pair, cell)
            assert near(tenth, retrieval[pair]["recall@10"]), (pair, cell)
            seen.add(pair)
    assert seen == set(retrieval), "every measured pair is in the table"


def test_table_of_galleries():
    rows = tables(RESULTS.split(f"## {SECTIONS['boston']}\n")[1].split("\n#")[0])[1][1:]
    retrieval = record("boston")["retrieval"]
    assert [row[0] for row in rows] == [f"{a} -> {b}" for a in ("street", "photo") for b in ("aerial", "ensemble")]
    for pair, *cells in rows:
        figures = retrieval[pair.replace(" ", "")]
        keys = (WITHIN, f"{WITHIN}_gallery_cameras", f"{WITHIN}_gallery_cells", f"{WITHIN}_gallery_windows")
        for cell, key in zip(cells, keys, strict=True):
            assert near(cell, figures[key], digits=1), (pair, key, cell, figures[key])
        assert figures["n"] == 2000
        assert figures["n_gallery_cameras"] == figures["n_gallery_cells"] == 24_249


def test_table_of_baselines():
    text = RESULTS.split("## Retrained baselines\n")[1].split("\n## ")[0]
    head, *rows = tables(text)[0]
    pairs = [column.replace("single view", "photo").replace(" ", "") for column in head[1:]]
    assert len(rows) == 8
    for title, *cells in rows:
        atlas, model = title.split(", ", 1)
        found = {kept["title"]: kept for kept in recorded_baselines(load_atlas(atlas.lower())).values()}
        retrieval = (record(atlas.lower()) if model.startswith("UniGeoCLIP") else found[model])["retrieval"]
        for pair, cell in zip(pairs, cells, strict=True):
            if cell == "–":
                assert pair not in retrieval, (title, pair)
                continue
            for written, key in zip(cell.split(" / "), ("recall@1", "recall@10"), strict=True):
                assert near(written, retrieval[pair][key]), (title, pair, key)
    steps = {kept["training"]["steps"] for kept in recorded_baselines(load_atlas("world")).values()}
    assert f"(there they had {steps.pop():,} steps, ours {record('world')['training_before']['steps']:,})" in " ".join(
        text.split()
    )


def minutes(training):
    return round(training["seconds"] / 60)


def distance(facts, key="median_distance_to_training_km"):
    return in_round_figures(1000 * facts[key])


def of_queries(metrics):
    """What is said of plain queries: fragments."""
    queries = metrics["queries"]
    mean, chance = (sum(row[key] for row in queries) / len(queries) for key in ("precision", "chance"))
    said, unsaid = (metrics["query_groups"][name] for name in ("in_captions", "not_in_captions"))
    assert said["n"] + unsaid["n"] == len(queries)
    low, high = map(rounded, said["interval_95"])
    yield f"Of {len(queries)} plain queries"
    yield f"to {rounded(mean)} % on average"
    yield f"{rounded(chance)} %)"
    yield f"{said['n']} of them are sentences of the captions, word for word"
    yield f"{rounded(said['mean_precision'])} % (95 % interval {low} to {high})"
    yield f"{rounded(unsaid['mean_precision'])} % ({' to '.join(map(rounded, unsaid['interval_95']))})"
    yield f"The other {unsaid['n']}"


def of_boston():
    own, blocks, away = (record("boston", f"{name}.json") for name in BOSTON)
    pools, windows = own["training_before"], own["training"]
    training = pools["before"]
    apart, there = blocks["retrieval"], away["retrieval"]
    for alone in (pools, windows):
        assert alone["steps"] == alone["restart_steps"] == alone["location_steps"] == alone["text_steps"] == 0
    yield f"Trained for {minutes(training)} minutes"
    yield f"and, of street views alone, for {minutes(pools)} minutes more ({pools['street_steps']:,} steps)"
    yield f"and for {minutes(windows)} more ({windows['street_steps']:,} steps against the windows"
    yield (
        f"({training['steps']:,} steps and, after a restart, {training['restart_steps']:,} more, "
        f"of {training['batch']} places each"
    )
    yield f"then {training['text_steps']:,} steps of the small head of text alone"
    yield f"among {own['retrieval']['street->aerial']['n']:,} held-out cameras"
    yield f"stands {distance(own['held_out'], 'median_distance_to_training_camera_km')} (median) from one"
    yield "under windows of 225 m"
    yield f"in {rounded(there['street->aerial'][WITHIN])} %, among {there['street->aerial']['n']:,} places"
    yield f"a second training of {blocks['training']['steps']:,} steps"
    yield f"held-out cameras {distance(blocks['held_out'])} (median) from the training"
    yield f"aerial -> surface still finds {recalls(apart['aerial->surface'])}"
    panorama = apart["street->aerial"]
    yield f"its aerial picture {recalls(panorama)}, within 100 m in {rounded(panorama[WITHIN])} %"
    yield f"a single photo in {rounded(apart['photo->aerial'][WITHIN])} %"
    for pair in ("location->aerial", "text->location"):
        yield f"{pair.replace('->', ' -> ')} {recalls(apart[pair])}"
    ensemble, alone = apart["street->ensemble"][WITHIN], apart["street->aerial"][WITHIN]
    assert ensemble < alone - 2, "it is worse, not 'no better'"
    yield f"(within 100 m in {rounded(ensemble)} %) is worse than the aerial picture alone ({rounded(alone)} %)"
    yield "the hottest 2 % of the land"
    yield from of_queries(own)
    for row in sorted(own["queries"], key=lambda row: row["precision"])[:5]:
        yield f"“{row['query']}” ({rounded(row['precision'])} %)"
    yield from of_ablations(record("boston", "ablations.json")["rows"])


def of_ablations(rows):
    def tenth(name, pair="street->aerial"):
        return rounded(next(row for row in rows if row["name"] == name)["retrieval"][pair]["recall@10"])

    three = "street + aerial + location"
    four = f"{three} + surface"
    yield f"street view -> aerial {tenth('street + aerial')} % with these two modalities"
    yield f"{tenth(three)} with location"
    yield f"{tenth(four)} with the surface model, {tenth('all five')} with text as well"
    before, after = (tenth(row, "location->aerial") for row in (four, "all five"))
    yield f"location -> aerial from {before} to {after} instead"
    yield f"all pairs {tenth('all-to-all')} against {tenth('aerial as pivot')}"
    yield f"Depth 0 to 4 ({', '.join(tenth(f'depth {depth}') for depth in (0, 1, 2, 4))})"
    counts = (tenth(f"{count} scale{'s'[: count > 1]}") for count in (1, 2, 4, 8))
    yield f"1 to 8 scales ({', '.join(counts)})"


def of_world():
    own, blocks = (record("world", f"{name}.json") for name in ("metrics", "metrics-blocks"))
    training, further, apart = own["training_before"], own["training"], blocks["retrieval"]
    assert (further["steps"], further["location_steps"]) == (0, 0)
    yield f"Trained for {minutes(training)} minutes"
    yield f"({training['steps']:,} steps of {training['batch']} places"
    yield f"words for {training['text_steps']:,}), and for {minutes(further)} more"
    yield f"words alone for {further['text_steps']:,} further steps"
    yield f"among {own['retrieval']['text->aerial']['n']:,} held-out places"
    yield f"lies {distance(own['held_out'])} (median) from one"
    yield f"windows of {rounded(own['held_out']['window_km'])} km"
    yield f"held-out places {distance(split_facts(load_atlas('world'), 'blocks'))} (median) from the training"
    yield f"a second training of {blocks['training']['steps']:,} steps"
    for pair in ("aerial->surface", "text->location", "location->aerial"):
        yield f"{pair.replace('->', ' -> ')} {recalls(apart[pair])}"
    yield from of_queries(own)
    for row in sorted(own["queries"], key=lambda row: row["precision"])[:4]:
        yield f'"{row["query"]}" {rounded(row["precision"])} %'


@pytest.mark.parametrize(("name", "claims"), [("boston", of_boston), ("world", of_world)])
def test_sentences(name, claims):
    """Each figure in the prose is the recorded one; what no record accounts for may not be a measured figure."""
    text = " ".join(section(name).split())
    rest = text
    for claim in claims():
        assert claim in text, f"the page does not say {claim!r}"
        rest = rest.replace(claim, " ")
    assert not re.findall(r"\d[\d.,]* ?%|\d+ / \d+|\(median\)", rest), "a figure that no record accounts for"


def test_figures_of_other_data_are_called_outdated():
    for name in SECTIONS:
        atlas = load_atlas(name)
        kinds = ("metrics*.json", "ablations.json", "elsewhere-*.json")
        kept = [path for kind in kinds for path in atlas.model_path.glob(kind)]
        old = [path.name for path in kept if read_json(path)["data"] != atlas.data_hash]
        assert ("outdated" in section(name)) == bool(old), (name, old)


def test_shares_of_the_location_encoder():
    text = " ".join(RESULTS.split())
    shares = {}
    for name in SECTIONS:
        encoder = load_model(load_atlas(name).model_path).encoders["location"]
        weights = {part: sum(p.numel() for p in getattr(encoder, part).parameters()) for part in ("pooled", "blocks")}
        assert (len(encoder.blocks), len(encoder.pooled)) == (1, 3)
        shares[name] = rounded(100 * weights["pooled"] / sum(p.numel() for p in encoder.parameters()))
    assert "one transformer block" in text
    assert "three residual MLPs" in text
    assert f"{shares['world']} % of the encoder's weights on the world and {shares['boston']} % in Boston" in text
