"""SatCLIP: harmonics against SciPy, official checkpoints against an independent computation, and getting them."""

import hashlib
import http.server
import json
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y

from unigeoclip.embedders import satclip
from unigeoclip.embedders.satclip import SatCLIPEmbedder, download_satclip, import_satclip, spherical_harmonics
from unigeoclip.errors import CheckpointError, DownloadError, InputError

POINTS = np.array(
    [(48.8566, 2.3522), (-33.8688, 18.4241), (1.3521, 103.82), (0, 0), (-22.9068, -43.1729), (89.9, 10), (0, -180)]
)
HYPER = {"le_type": "sphericalharmonics", "pe_type": "siren", "legendre_polys": 10, "harmonics_calculation": "analytic"}


def official(path, *, degrees=10, hidden=24, dim=16, **changes):
    """A checkpoint in the layout of the published ones, with random weights."""
    torch.manual_seed(3)
    net = {
        "layers.0.weight": torch.randn(hidden, degrees**2).double() / degrees**2,
        "layers.0.bias": torch.randn(hidden).double() / degrees**2,
        "layers.1.weight": torch.randn(hidden, hidden).double() / 4,
        "layers.1.bias": torch.randn(hidden).double() / 4,
        "last_layer.weight": torch.randn(dim, hidden).double(),
        "last_layer.bias": torch.randn(dim).double(),
    }
    state = {"model.visual.conv1.weight": torch.zeros(2, 2), "model.logit_scale": torch.tensor(2.6)}
    for start in ("model.nnet.", "model.location.nnet."):
        state |= {start + name: value.clone() for name, value in net.items()}
    for name, value in changes.pop("state", {}).items():
        state[name] = value
    shape = {"legendre_polys": degrees, "capacity": hidden, "embed_dim": dim, "num_hidden_layers": 2}
    content = {"epoch": 1, "state_dict": state, "hyper_parameters": HYPER | shape | {"in_channels": 13} | changes}
    torch.save(content, path)
    return net


def independent(net, degrees):
    """The published computation, point by point in float64, with SciPy's complex harmonics."""
    rows = []
    for lat, lon in POINTS:
        theta, phi = np.radians(lat + 90), np.radians(lon + 180)
        features = []
        for degree in range(degrees):
            for order in range(-degree, degree + 1):
                y = (-1) ** order * sph_harm_y(degree, abs(order), theta, phi)
                features.append(np.pi * y.real if order == 0 else 2**0.5 * (y.imag if order < 0 else y.real))
        x = np.array(features)
        x = np.sin(30 * (net["layers.0.weight"].numpy() @ x + net["layers.0.bias"].numpy()))
        x = np.sin(net["layers.1.weight"].numpy() @ x + net["layers.1.bias"].numpy())
        x = net["last_layer.weight"].numpy() @ x + net["last_layer.bias"].numpy()
        rows.append(x / np.linalg.norm(x))
    return np.array(rows)


@pytest.mark.parametrize("degrees", [1, 2, 10, 40])
def test_harmonics_are_scipys(degrees):
    found = spherical_harmonics(POINTS, degrees)
    theta, phi = np.radians(POINTS[:, 0] + 90), np.radians(POINTS[:, 1] + 180)
    for degree in range(degrees):
        for order in range(-degree, degree + 1):
            y = (-1) ** order * sph_harm_y(degree, abs(order), theta, phi)
            wanted = np.pi * y.real if order == 0 else 2**0.5 * (y.imag if order < 0 else y.real)
            np.testing.assert_allclose(found[:, degree**2 + degree + order], wanted, rtol=0, atol=1e-11)


@pytest.mark.parametrize("degrees", [10, 40])
def test_an_official_checkpoint_gives_what_an_independent_computation_gives(tmp_path, degrees):
    net = official(tmp_path / "satclip.ckpt", degrees=degrees)
    embedder = SatCLIPEmbedder.from_file(tmp_path / "satclip.ckpt")
    assert embedder.dim == 16
    np.testing.assert_allclose(embedder.embed(POINTS), independent(net, degrees), rtol=0, atol=2e-7)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"state": {"model.nnet.layers.0.bias": torch.zeros(5)}}, "two location encoders"),
        ({"state": {"model.text.weight": torch.zeros(5)}}, "model.text.weight"),
        ({"legendre_polys": 12}, r"layers.0.weight is \(24, 100\).*\(24, 144\)"),
        ({"num_hidden_layers": 3}, "layers.2"),
        ({"le_type": "grid"}, "sphericalharmonics"),
        ({"capacity": 0}, "whole numbers"),
        ({"capacity": 2**40}, "never published"),
        ({"state": {"model.nnet.layers.0.bias": 5}}, "no named tensor"),
        ({"state": {7: torch.zeros(5)}}, "no named tensor"),
        ({"state": {"model.nnet.layers.0.bias": torch.full((24,), torch.nan)}}, "not finite"),
        ({"capacity": "wide"}, "capacity"),
    ],
)
def test_another_layout_is_refused(tmp_path, changes, complaint):
    official(tmp_path / "satclip.ckpt", **changes)
    with pytest.raises(CheckpointError, match=complaint):
        SatCLIPEmbedder.from_file(tmp_path / "satclip.ckpt")


class RunsCode:
    def __reduce__(self):
        return print, ("code of a checkpoint ran",)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "does not exist"),
        (b"no pickle", "cannot|no checkpoint"),
        (b"", "no checkpoint"),
        (b"\x80\x02", "no checkpoint"),
        ([1], "no hyper_parameters"),
        (RunsCode(), "no"),
    ],
)
def test_what_is_no_checkpoint_is_refused_and_its_code_never_runs(tmp_path, capsys, content, complaint):
    path = tmp_path / "satclip.ckpt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(CheckpointError, match=complaint):
        SatCLIPEmbedder.from_file(path)
    assert "ran" not in capsys.readouterr().out


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "baselines"


def test_an_imported_file_is_kept_and_found(tmp_path, cache):
    with pytest.raises(CheckpointError, match="baselines download satclip-vit16-l40"):
        SatCLIPEmbedder.from_cache()
    net = official(tmp_path / "mine.ckpt")
    folder = import_satclip("satclip-resnet18-l10", tmp_path / "mine.ckpt")
    record = json.loads((folder / "provenance.json").read_text())
    assert record["checkpoint_sha256"] == hashlib.sha256((tmp_path / "mine.ckpt").read_bytes()).hexdigest()
    assert record["licence"] == "MIT"
    for embedder in (SatCLIPEmbedder.from_cache(), SatCLIPEmbedder.from_cache("satclip-resnet18-l10")):
        np.testing.assert_allclose(embedder.embed(POINTS), independent(net, 10), rtol=0, atol=2e-7)
        assert embedder.title == "SatCLIP (resnet18-l10)"
    assert sorted(path.name for path in folder.iterdir()) == ["location_encoder.safetensors", "provenance.json"]


def test_a_file_under_a_wrong_name_or_of_a_wrong_degree_is_refused(tmp_path, cache):
    official(tmp_path / "mine.ckpt")
    with pytest.raises(InputError, match="L = 10, so it is not satclip-vit16-l40"):
        import_satclip("satclip-vit16-l40", tmp_path / "mine.ckpt")
    with pytest.raises(InputError, match="'satclip-big'. Known: satclip-vit16-l40"):
        import_satclip("satclip-big", tmp_path / "mine.ckpt")
    assert not cache.exists()


def test_damage_in_the_cache_is_noticed(tmp_path, cache):
    official(tmp_path / "mine.ckpt")
    weights = import_satclip("satclip-vit16-l10", tmp_path / "mine.ckpt") / "location_encoder.safetensors"
    data = bytearray(weights.read_bytes())
    data[-3] ^= 1
    weights.write_bytes(data)
    with pytest.raises(CheckpointError, match="damaged.*baselines download satclip-vit16-l10"):
        SatCLIPEmbedder.from_cache()


def pin(monkeypatch, sha256):
    pinned = replace(satclip.SATCLIP_VARIANTS["satclip-vit16-l10"], sha256=sha256)
    monkeypatch.setitem(satclip.SATCLIP_VARIANTS, "satclip-vit16-l10", pinned)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A server that answers as the model hub does; what it sends and announces can be set."""
    official(tmp_path / "hub.ckpt")
    data = (tmp_path / "hub.ckpt").read_bytes()
    serving = {"data": data, "etag": hashlib.sha256(data).hexdigest()}

    class Hub(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            known = self.path.startswith("/microsoft/SatCLIP-ViT16-L10/resolve/")
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(len(serving["data"]) if known else 0))
            self.send_header("ETag", f'"{serving["etag"]}"')
            self.send_header("X-Repo-Commit", "a" * 40)
            self.end_headers()

        def do_GET(self):
            self.do_HEAD()
            self.wfile.write(serving["data"])

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    pin(monkeypatch, serving["etag"])
    yield f"http://127.0.0.1:{server.server_port}", serving
    server.shutdown()
    server.server_close()


def test_a_download_says_its_size_first_and_is_checked(cache, hub):
    endpoint, _ = hub
    said = []
    folder = download_satclip("satclip-vit16-l10", said.append, endpoint)
    assert "satclip-vit16-l10.ckpt: 0 MB" in said[0]
    assert (
        "microsoft/SatCLIP-ViT16-L10 at a13816ad6e57" in json.loads((folder / "provenance.json").read_text())["source"]
    )
    assert SatCLIPEmbedder.from_cache().dim == 16


@pytest.mark.parametrize("sha256", ["0" * 64, satclip.SATCLIP_VARIANTS["satclip-vit16-l10"].sha256])
def test_a_download_of_another_file_than_the_pinned_one_is_refused(cache, hub, monkeypatch, sha256):
    endpoint, _ = hub  # which announces the checksum of what it sends
    pin(monkeypatch, sha256)
    with pytest.raises(DownloadError, match="pinned to"):
        download_satclip("satclip-vit16-l10", lambda _: None, endpoint)
    assert not cache.exists()


def test_without_a_pinned_checksum_the_first_download_is_the_measure(cache, hub, monkeypatch, tmp_path):
    endpoint, serving = hub
    pin(monkeypatch, None)
    said = []
    download_satclip("satclip-vit16-l10", said.append, endpoint)
    assert "only what the hub announces" in said[0]
    download_satclip("satclip-vit16-l10", said.append, endpoint)
    shutil.rmtree(tmp_path / "hub-cache")
    serving["data"] += b"0"
    serving["etag"] = hashlib.sha256(serving["data"]).hexdigest()
    with pytest.raises(DownloadError, match="the first download of this very revision had"):
        download_satclip("satclip-vit16-l10", said.append, endpoint)


def test_a_download_of_something_else_is_refused(cache, hub, monkeypatch):
    endpoint, serving = hub
    pin(monkeypatch, None)
    serving["etag"] = "0" * 64
    with pytest.raises(DownloadError, match="not the file that"):
        download_satclip("satclip-vit16-l10", lambda _: None, endpoint)
    assert not cache.exists()


def test_a_hub_out_of_reach_is_told_with_the_other_way(cache, hub):
    endpoint, _ = hub
    for name, where in (("satclip-vit16-l40", endpoint), ("satclip-vit16-l10", "http://127.0.0.1:9")):
        with pytest.raises(DownloadError, match="cannot be fetched.*--from"):
            download_satclip(name, lambda _: None, where)


def test_every_variant_names_its_repository():
    assert len(satclip.SATCLIP_VARIANTS) == 6
    assert satclip.SATCLIP_VARIANTS["satclip-vit16-l40"].repository == "microsoft/SatCLIP-ViT16-L40"
    assert satclip.SATCLIP_VARIANTS["satclip-resnet50-l10"].file == "satclip-resnet50-l10.ckpt"
    for wanted in satclip.SATCLIP_VARIANTS.values():
        assert len(bytes.fromhex(wanted.revision)) == 20
        assert wanted.sha256 is None or len(bytes.fromhex(wanted.sha256)) == 32
