"""The page of a site: its HTML with a strict content security policy, as one file or beside scripts and parts."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from unigeoclip.errors import UniGeoError
from unigeoclip.paths import ASSETS, LEAFLET
from unigeoclip.site.bundle import bundle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["folder_files", "one_page"]

_WEB = ASSETS / "web"
_SITE = _WEB / "site"
_STYLES = (LEAFLET / "leaflet.css", _WEB / "components" / "map" / "controls.css", _SITE / "site.css")
_THEME = "#0e161b"
_ICONS_PX = (192, 512)
_WASM = "'wasm-unsafe-eval'"  # products of vectors are computed in WebAssembly


def one_page(about: Mapping[str, Any], parts: Mapping[str, bytes]) -> bytes:
    """A page that needs nothing else: scripts, styles and parts stand in it.

    Args:
        about: What the page is told; see ``assets/web/site/page.d.ts``.
        parts: Name of a part -> its bytes.
    """
    scripts = [_leaflet(), _inline(bundle(_SITE / "app.js"))]
    style = _style()
    held = {"worker": bundle(_SITE / "worker.js").encode(), **parts}
    policy = {
        "default-src": ["'none'"],
        "script-src": [*(_hash(script) for script in scripts), _WASM],
        "style-src": [_hash(style)],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": ["blob:", "data:"],
        "worker-src": ["blob:"],
    }
    head = f"<style>{style}</style>"
    body = "".join(_part(name, data) for name, data in held.items())
    body += _told({**about, "files": {}}) + "".join(f"<script>{script}</script>\n" for script in scripts)
    return _page(about, policy, head, body).encode()


def folder_files(about: Mapping[str, Any], parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a static site, by path; all addresses in them are relative.

    Args:
        about: As for `one_page`.
        parts: As for `one_page`.
    """
    files = {f"parts/{name}": data for name, data in parts.items()}
    for name, text in {
        "leaflet.js": _leaflet(),
        "app.js": bundle(_SITE / "app.js"),
        "worker.js": bundle(_SITE / "worker.js"),
        "site.css": _style(),
    }.items():
        stem, ending = name.split(".")
        files[f"{stem}-{hashlib.sha256(text.encode()).hexdigest()[:8]}.{ending}"] = text.encode()
    named = {name.partition("-")[0]: name for name in files if "/" not in name}
    addresses = {name: f"parts/{name}" for name in parts} | {"worker": named["worker"]}
    policy = {
        "default-src": ["'none'"],
        "script-src": ["'self'", _WASM],
        "style-src": ["'self'"],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": ["'self'", "blob:", "data:"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "manifest-src": ["'self'"],
    }
    files |= {"icon.svg": (_WEB / "icon.svg").read_bytes(), "site.webmanifest": _manifest(about)}
    files |= {f"icon-{px}.png": _icon(px) for px in _ICONS_PX}
    head = (
        f'<link rel="stylesheet" href="{named["site"]}"><link rel="manifest" href="site.webmanifest">'
        '<link rel="icon" href="icon.svg" type="image/svg+xml"><link rel="apple-touch-icon" href="icon-192.png">'
    )
    body = _told({**about, "files": addresses, "offline": "sw.js"})
    body += "".join(f'<script src="{named[name]}"></script>' for name in ("leaflet", "app"))
    files["index.html"] = _page(about, policy, head, body).encode()
    files["sw.js"] = _service_worker(files, addresses, about["atlases"])
    return files


def _part(name: str, data: bytes) -> str:
    text = base64.b64encode(data).decode()
    return f'<script type="application/octet-stream" id="part:{html.escape(name)}">{text}</script>\n'


def _service_worker(
    files: Mapping[str, bytes], addresses: Mapping[str, str], atlases: Sequence[Mapping[str, Any]]
) -> bytes:
    """The script that keeps the site on a device: at once what the first page needs, the rest as it is looked at."""
    first = atlases[0]["name"]
    at_once = ["./", *(name for name in files if "/" not in name and name != "index.html")]
    at_once += [address for name, address in addresses.items() if name.startswith(f"{first}-")]
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    text = (_SITE / "sw.js").read_text(encoding="utf-8")
    for key, value in {"VERSION": digest.hexdigest()[:16], "AT_ONCE": at_once}.items():
        text = text.replace(f'"{{{{{key}}}}}"', json.dumps(value))
    return text.encode()


def _page(about: Mapping[str, Any], policy: Mapping[str, Sequence[str]], head: str, body: str) -> str:
    rules = "; ".join(f"{name} {' '.join(values)}" for name, values in policy.items())
    meta = f"<meta http-equiv=\"Content-Security-Policy\" content=\"{rules}; base-uri 'none'; form-action 'none'\">"
    text = (_SITE / "index.html").read_text(encoding="utf-8")
    # What is put in first must hold none of the other marks: the texts of people come last.
    for mark, value in {"POLICY": meta, "HEAD": head, "TITLE": html.escape(about["title"]), "BODY": body}.items():
        before, found, after = text.partition(f"<!--{mark}-->")
        if not found:
            raise UniGeoError(f"The page's template has no place for {mark.lower()}.")
        text = before + value + after
    return text


def _told(about: Mapping[str, Any]) -> str:
    """JSON in a script element, in which nothing can end the element."""
    text = json.dumps(about, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f'<script type="application/json" id="about">{text}</script>\n'


def _inline(script: str) -> str:
    if "</script" in script.lower() or "<!--" in script:
        raise UniGeoError("A script that would end its own element cannot stand in a page.")
    return script


def _leaflet() -> str:
    text = (LEAFLET / "leaflet.js").read_text(encoding="utf-8")
    return _inline("\n".join(line for line in text.splitlines() if not line.startswith("//# sourceMappingURL")))


def _style() -> str:
    # Leaflet's own pictures, of controls and markers that the page does not have, are not fetched.
    text = "\n".join(path.read_text(encoding="utf-8") for path in _STYLES)
    return "\n".join(line for line in text.splitlines() if "url(images/" not in line)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _manifest(about: Mapping[str, Any]) -> bytes:
    icons = [
        {"src": f"icon-{px}.png", "sizes": f"{px}x{px}", "type": "image/png", "purpose": "any maskable"}
        for px in _ICONS_PX
    ]
    manifest = {
        "name": about["title"], "short_name": "UniGeoCLIP", "start_url": "./", "scope": "./", "id": "./",
        "display": "standalone", "background_color": _THEME, "theme_color": _THEME, "icons": icons,
    }  # fmt: skip
    return json.dumps(manifest, ensure_ascii=False).encode()


def _icon(px: int) -> bytes:
    """The icon as PNG, with the margin that a round mask takes: what ``icon.svg`` draws."""
    big = 4 * px  # drawn larger, so that edges are smooth
    image = Image.new("RGB", (big, big), _THEME)
    draw = ImageDraw.Draw(image)
    scale = big * 0.62 / 32
    at = partial(_moved, scale=scale, shift=(big - 32 * scale) / 2)
    width = round(1.8 * scale)
    for box in ((3.0, 3.0, 29.0, 29.0), (10.4, 3.0, 21.6, 29.0)):
        draw.ellipse(at(*box), outline="#35b6ba", width=width)
    for box in ((3.0, 16.0, 29.0, 16.0), (5.2, 9.2, 26.8, 9.2), (5.2, 22.8, 26.8, 22.8)):
        draw.line(at(*box), fill="#35b6ba", width=width)
    draw.ellipse(at(17, 5.8, 24.2, 13), fill="#e8a13a")
    file = io.BytesIO()
    image.resize((px, px), Image.Resampling.LANCZOS).save(file, "PNG", optimize=True)
    return file.getvalue()


def _moved(*numbers: float, scale: float, shift: float) -> list[float]:
    return [number * scale + shift for number in numbers]
