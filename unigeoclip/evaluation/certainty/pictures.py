"""Measures what tells pictures that look like nothing in an atlas, see `similarity.picture_certainty`.

The atlas's own pictures say what is usual; held-out ones, as they are and as a camera or a mail program would change
them, say from which distance on a picture is refused. Foreign pictures are only for the test: noise, patterns, pages of
text, photographs of things, and pictures of another kind or of another atlas.
"""

from __future__ import annotations

import io
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw
from scipy.linalg import solve_triangular
from scipy.ndimage import gaussian_filter

from unigeoclip.atlas.store import ATLASES_FOLDER, load_atlas
from unigeoclip.evaluation.held_out import held_out
from unigeoclip.extras import needs_extra
from unigeoclip.modalities.street import street_batch
from unigeoclip.similarity.picture_certainty import JUDGED, STATISTICS, PictureCertainty, packed, statistics

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.evaluation.held_out import HeldOut
    from unigeoclip.model import UniGeoCLIP

__all__ = ["fit_pictures", "foreign_pictures", "picture_certainties"]

SEED = 2
USUAL, TESTED, FOREIGN = 2000, 1000, 200  # pictures at most: to learn what is usual, held out, and of each foreign kind
REFUSED = 0.03  # of what is held out, unchanged and changed, lies beyond the threshold
_RIDGE = 1e-3  # of the mean variance, added to each: statistics that never vary must not decide alone
_GAINS, _QUALITY = (0.85, 1.15), 80  # brightness and JPEG quality of changed pictures
_WORDS = "The quick brown fox jumps over the lazy dog 0123456789"
_BATCH = 64  # panoramas drawn at once
_SIZE = (64, 64)  # height and width of foreign pictures before they are brought to the model's


def picture_certainties(model: UniGeoCLIP, atlas: Atlas, split: str) -> dict[str, PictureCertainty]:
    """Measure each kind of picture that the model reads and the atlas has.

    Args:
        model: Its size of the pictures counts, nothing else.
        atlas: The atlas.
        split: Of the held-out pictures.
    """
    found = {}
    for name in JUDGED:
        if name not in model.modalities or name not in atlas.manifest.modalities:
            continue
        size = model.input_size(name)[::-1]  # height and width, as arrays have them
        rng = np.random.default_rng((SEED, JUDGED.index(name)))
        test = held_out(atlas, split, TESTED, having=(name,))
        known = held_out(atlas, None, USUAL + TESTED, having=(name,))
        tested = set(map(tuple, test.keys().tolist()))
        known = known.chosen(np.array([tuple(key) not in tested for key in known.keys().tolist()], bool))
        if len(known) > STATISTICS and len(test):
            usual, own = (_pictures(atlas, name, items, size, rng) for items in (known, test))
            foreign = {kind: _fitted(some, size) for kind, some in foreign_pictures(atlas, name, rng).items()}
            found[name] = fit_pictures(usual, own, foreign, rng)
    return found


def fit_pictures(
    usual: NDArray[np.uint8],
    own: NDArray[np.uint8],
    foreign: dict[str, NDArray[np.uint8]],
    rng: np.random.Generator,
) -> PictureCertainty:
    """Learn what is usual, choose the threshold, and test it.

    Args:
        usual: (n, 3, height, width), more than `STATISTICS` pictures of the atlas.
        own: (m, 3, height, width) held-out ones; one half chooses the threshold, the other tests it.
        foreign: Kind -> (k, 3, height, width), of the test alone.
        rng: Of the changes.
    """
    described = statistics(usual)
    covariance = np.cov(described, rowvar=False)
    covariance += np.eye(STATISTICS) * _RIDGE * np.trace(covariance) / STATISTICS
    root = solve_triangular(np.linalg.cholesky(covariance), np.eye(STATISTICS), lower=True)
    whitening = packed(root[np.tril_indices(STATISTICS)])
    fitted = PictureCertainty(tuple(described.mean(axis=0).round(6).tolist()), whitening, 1.0)
    distances = fitted.distances(np.concatenate([own, _changed(own, rng)]))
    threshold = round(float(np.quantile(distances[::2], 1 - REFUSED)), 3)
    beyond = {kind: fitted.distances(some) > threshold for kind, some in foreign.items() if len(some)}
    tested = {"n_fitting": float(len(distances[1::2])), "fitting_refused": _percent(distances[1::2] > threshold)}
    if beyond:
        together = np.concatenate(list(beyond.values()))
        tested |= {"n_foreign": float(len(together)), "foreign_refused": _percent(together)}
    tested |= {kind: _percent(some) for kind, some in beyond.items()}
    return replace(fitted, threshold=threshold, tested=tested)


def _percent(which: NDArray[np.bool_]) -> float:
    return round(100 * float(which.mean()), 1)


def _pictures(
    atlas: Atlas, name: str, items: HeldOut, size: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Pictures of items as a person uploads them: windows, or one side of a panorama."""
    height, width = size
    if name == "aerial":
        with atlas.raster(name).whole():
            windows: NDArray[np.uint8] = atlas.raster(name).windows(items.latlon, atlas.window_m, height)
        return windows
    if items.cameras is None:
        return np.empty((0, 3, height, width), np.uint8)
    with atlas.streets.held():
        batches = np.array_split(items.cameras, max(1, len(items) // _BATCH))
        panoramas = [street_batch(*atlas.streets.panoramas(cameras, width, height)) for cameras in batches]
    sides = np.concatenate([each.pictures.numpy() for each in panoramas])
    sides = sides.reshape(len(items), -1, 3, height, width)
    one: NDArray[np.uint8] = sides[np.arange(len(items)), rng.integers(sides.shape[1], size=len(items))]
    return one


def _changed(pictures: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Brighter or darker, and compressed as JPEG."""
    out = np.empty_like(pictures)
    for row, picture in enumerate(pictures.transpose(0, 2, 3, 1)):
        bright = np.clip(picture * rng.uniform(*_GAINS), 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(bright).save(file, "JPEG", quality=_QUALITY)
        out[row] = np.asarray(Image.open(file)).transpose(2, 0, 1)
    return out


def foreign_pictures(atlas: Atlas, name: str, rng: np.random.Generator) -> dict[str, NDArray[np.uint8]]:
    """Pictures that no atlas has, kind -> (n, height, width, 3) of any size."""
    makers: dict[str, Callable[[np.random.Generator], NDArray[np.uint8]]] = {
        "noise": _noise, "clouds of color": _clouds, "one color": _flat, "gradients": _gradient, "stripes": _stripes,
        "pages of text": _page,
    }  # fmt: skip
    found = {kind: np.stack([make(rng) for _ in range(FOREIGN)]) for kind, make in makers.items()}
    if find_spec("sklearn") is not None:  # a training, which calibrates its model, does not need the extra
        found["photographs of things"] = _photographs(rng)
    if name != "street" and "street" in atlas.manifest.modalities:
        items = held_out(atlas, None, FOREIGN, having=("street",))
        found["street views"] = _pictures(atlas, "street", items, (48, 64), rng).transpose(0, 2, 3, 1)
    if name != "aerial" and "aerial" in atlas.manifest.modalities:
        items = held_out(atlas, None, FOREIGN, having=("aerial",))
        found["aerial pictures"] = _pictures(atlas, "aerial", items, _SIZE, rng).transpose(0, 2, 3, 1)
    found.update(_of_other_atlases(atlas, rng))
    return found


def _of_other_atlases(atlas: Atlas, rng: np.random.Generator) -> dict[str, NDArray[np.uint8]]:
    """Aerial pictures of the shipped atlases whose windows are of another size."""
    found = {}
    for other in ("boston", "world"):
        if other == atlas.name or not (ATLASES_FOLDER / other).is_dir():
            continue
        opened = load_atlas(other)
        if not 0.1 < opened.window_m / atlas.window_m < 10:
            items = held_out(opened, None, FOREIGN, having=("aerial",))
            found[f"aerial pictures of {other}"] = _pictures(opened, "aerial", items, _SIZE, rng).transpose(0, 2, 3, 1)
    return found


def _noise(rng: np.random.Generator) -> NDArray[np.uint8]:
    return rng.integers(0, 256, (*_SIZE, 3), np.uint8)


def _clouds(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Noise of all scales, as of a picture out of focus."""
    layers = [gaussian_filter(rng.standard_normal((*_SIZE, 3)), (s, s, 0)) * s for s in (1, 2, 4, 8)]
    mixed: NDArray[np.uint8] = np.clip(128 + 45 * np.sum(layers, axis=0), 0, 255).astype(np.uint8)
    return mixed


def _flat(rng: np.random.Generator) -> NDArray[np.uint8]:
    return np.broadcast_to(rng.integers(0, 256, 3, np.uint8), (*_SIZE, 3)).copy()


def _gradient(rng: np.random.Generator) -> NDArray[np.uint8]:
    along = np.linspace(0, 1, _SIZE[0])[:, None, None] * np.ones((*_SIZE, 1))
    if rng.random() < 0.5:
        along = along.transpose(1, 0, 2)
    first, last = rng.integers(0, 256, (2, 3))
    mixed: NDArray[np.uint8] = (first * (1 - along) + last * along).astype(np.uint8)
    return mixed


def _stripes(rng: np.random.Generator) -> NDArray[np.uint8]:
    colors = rng.integers(0, 256, (2, 3)).astype(np.uint8)
    wide = int(rng.integers(2, 12))
    rows, columns = np.indices(_SIZE) // wide
    checked = (rows + columns if rng.random() < 0.5 else columns) % 2
    return colors[checked]


def _page(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Dark words on a light page, somewhere between a letter and a headline."""
    paper, ink = int(rng.integers(200, 256)), int(rng.integers(0, 90))
    side = int(rng.integers(100, 500))
    page = Image.new("RGB", (side, side), (paper, paper, paper))
    draw = ImageDraw.Draw(page)
    for top in range(5, side, 16):
        draw.text((5, top), "".join(rng.permutation(list(_WORDS))), fill=(ink, ink, ink))
    return np.asarray(page.resize(_SIZE[::-1], Image.Resampling.LANCZOS))


def _photographs(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Parts of the two photographs that come with scikit-learn, a temple and a flower, as no camera of a map sees."""
    with needs_extra("compare"):
        from sklearn.datasets import load_sample_images

    photographs, found = load_sample_images().images, []
    for number in range(FOREIGN):
        photograph = photographs[number % len(photographs)]
        side = int(rng.integers(80, 400))
        top, left = (int(rng.integers(0, length - side)) for length in photograph.shape[:2])
        part = Image.fromarray(photograph[top : top + side, left : left + side])
        found.append(np.asarray(part.resize(_SIZE[::-1], Image.Resampling.LANCZOS)))
    return np.stack(found)


def _fitted(pictures: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """(n, any height, any width, 3) -> (n, 3, height, width), as an upload is brought to size."""
    height, width = size
    scaled = [np.asarray(Image.fromarray(each).resize((width, height), Image.Resampling.LANCZOS)) for each in pictures]
    return np.stack(scaled).transpose(0, 3, 1, 2).copy()
