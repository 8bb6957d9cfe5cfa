"""What a site holds answers as the explorer does."""

import gzip
import io
import json

import numpy as np
import pytest
from PIL import Image

from unigeoclip.errors import InputError
from unigeoclip.search.explorer import QueryItem
from unigeoclip.similarity.browser.compact import CompactGrid
from unigeoclip.site.content import atlas_content, with_query
from unigeoclip.site.gallery import RESULTS, SiteGallery
from unigeoclip.site.grids import DETAILS, MOST_MODELS, OURS, chosen_embedders
from unigeoclip.site.sprites import TILE_PX, Sprite

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def content(material):
    return atlas_content(material, DETAILS[0])


@pytest.fixture(scope="module")
def compact(explorer):
    return CompactGrid.fit(explorer.grid, explorer.grid_vectors(), explorer.wave_radius_m)


def test_every_part_that_the_page_names_is_there(content):
    text = json.dumps(content.about)
    assert content.nbytes == sum(map(len, content.parts.values())) > 0
    for name, data in content.parts.items():
        assert name.startswith("madeup-")
        assert name in text
        assert data


def test_a_query_gives_the_exact_heatmap_and_the_exact_results(content, explorer, asked, compact):
    more = with_query(content, explorer, asked)
    own, *others = more.about["examples"]
    assert others == content.about["examples"]
    assert set(own["sprites"].values()) == set(more.parts) - set(content.parts)
    assert own["own"]
    assert own["title"] == "</script><b>pond − 0.5 × tower"
    assert not any("own" in each for each in others)
    query = explorer.query(asked)
    weights = np.array(own["along"]) * compact.step
    products = compact._mean_over_neighbors(weights @ compact.codes + own["constant"])
    assert np.corrcoef(products, explorer.heatmap(query).values)[0, 1] > 0.99
    found = explorer.search(query, RESULTS, ["aerial", "text"])
    for name, matches in found.items():
        assert [item[4] for item in own["results"][name]] == [round(match.similarity, 3) for match in matches]
        assert [tuple(item[1:3]) for item in own["results"][name]] == [
            (round(match.lat, 5), round(match.lon, 5)) for match in matches
        ]


def test_a_point_ranks_the_sample_as_the_app_does(explorer, compact):
    gallery = SiteGallery(explorer, compact, sample=12)
    codes = np.frombuffer(gallery.codes(), np.int8)
    start, components = 0, len(compact.codes)
    point = tuple(explorer.grid.cells[len(explorer.grid) // 2])
    vector = explorer.query([QueryItem("location", point)]).vector.astype(np.float64)
    rest = compact.mean - compact.basis @ (compact.basis.T @ compact.mean)
    share = float(vector @ rest) / max(float(rest @ rest), 1e-12)  # of the rest in the vector
    for name, told in gallery.members().items():
        count = len(told["items"])
        part = codes[start : start + count * components].reshape(count, components) * told["step"]
        start += count * components
        near = part @ (compact.basis.T @ vector) + share * np.array(told["rest"])
        rows = explorer.item_rows(name)
        chosen = explorer.vectors(name)[np.searchsorted(rows, gallery._rows)]
        np.testing.assert_allclose(near, chosen @ vector, atol=0.05)
        offsets = explorer.hub_offsets(name, "location")[np.searchsorted(rows, gallery._rows)]
        np.testing.assert_allclose(told["offsets"], offsets, atol=1e-5)
    assert start == len(codes)


def test_models_agree_in_the_colors_of_their_components(content):
    ours, other, constant = content.about["models"]
    assert [each["id"] for each in (ours, other, constant)] == [OURS, "fourier", "coordinates"]
    assert all(np.shape(each["turn"]) == (3, 3) for each in (ours, other, constant))
    assert set(ours["errors"]) == {"points", "texts"}
    assert all(0.5 < error["correlation"] <= 1 for each in (ours, other) for error in each["errors"].values())
    assert constant["errors"] == {"points": None}  # two coordinates of a small town, in float32


def test_our_model_encodes_points_where_there_is_room(content, material):
    ours, other, constant = content.about["models"]
    assert len(content.parts[ours["encoder"]]) > 1000
    assert other["encoder"] is constant["encoder"] is None
    coarse = atlas_content(material, DETAILS[-1]).about["models"][0]
    assert coarse["encoder"] is None
    assert ours["errors"]["points"]["correlation"] > max(0.99, coarse["errors"]["points"]["correlation"])


def test_a_coarser_detail_takes_fewer_bytes(material):
    fine, coarse = (atlas_content(material, DETAILS[number]) for number in (0, -1))
    size = {name: data for name, data in fine.parts.items() if name.endswith(".bin")}
    less = {name: data for name, data in coarse.parts.items() if name.endswith(".bin")}
    assert sum(map(len, less.values())) < sum(map(len, size.values()))


def test_pictures_of_a_sprite_lie_where_their_numbers_say(explorer):
    sprite = Sprite(explorer, "aerial")
    points = explorer.grid.cells[[5, 40, 5]].tolist()
    assert [sprite.tile(*point) for point in points] == [0, 1, 0]
    sheet = Image.open(io.BytesIO(sprite.webp()))
    width, height = TILE_PX["aerial"]
    assert sheet.size == (width * sprite.columns, height)
    drawn = np.asarray(sheet.crop((width, 0, 2 * width, height)), float)
    assert np.abs(drawn - np.asarray(explorer.picture("aerial", points[1], px=width), float)).mean() < 12


def test_lines_of_the_base_map_are_gzipped_json(content):
    for line in content.about["lines"]:
        assert json.loads(gzip.decompress(content.parts[line["part"]]))["type"]


def test_models_are_checked(explorer):
    assert chosen_embedders(explorer.atlas, ["coordinates", "fourier"]) == [OURS, "coordinates", "fourier"]
    assert chosen_embedders(explorer.atlas, None)[0] == OURS
    with pytest.raises(InputError, match="--models nowhere: Unknown embedder"):
        chosen_embedders(explorer.atlas, ["nowhere"])
    with pytest.raises(InputError, match=f"at most {MOST_MODELS} models"):
        chosen_embedders(explorer.atlas, ["a", "b", "c", "d"])
