"""A visitor without a browser: opens the app over Streamlit's own protocol, clicks, uploads, reads what it would show.

It speaks to the server as Streamlit's client does, protobuf messages over a websocket, one session for each visitor. It
caches no messages, so the server sends it a little more than it sends a browser. Nothing is drawn. It keeps cookies, by
which a proxy before several servers knows where its session is.
"""

import json
import time
import urllib.request
import uuid
from dataclasses import dataclass, field
from http.cookies import SimpleCookie

from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Common_pb2 import FileURLsRequest, UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

MAP, PROGRESS = "unigeoclip_map", "unigeoclip_progress"
NEWS_EVERY_S = 0.5


@dataclass(frozen=True)
class Shown:
    """What the map was told to show after a click or an upload.

    Attributes:
        point: Latitude and longitude of the marker of the query, degrees; None for a picture.
        overlay: Address of the heatmap; it depends on the heatmap's content alone.
        answered_s: Seconds from the act to the message that shows the heatmap.
        fetched_s: Seconds from the act until the heatmap's picture had come as well.
        bytes: Size of that picture.
    """

    point: tuple[float, float] | None
    overlay: str
    answered_s: float
    fetched_s: float
    bytes: int


@dataclass
class Visitor:
    """One session of the app on page Explore.

    Attributes:
        address: Of the server, ``http://host:port``.
        atlas: Name of the atlas that is asked.
        patience_s: How long an answer may take before the visitor gives up with a TimeoutError.
        query_string: What the page's address holds; by default the atlas alone.
        cookies: Those that the server has given.
        source: Address of this machine that the visitor comes from; 127.0.0.2 and so on are other clients.
    """

    address: str
    atlas: str
    patience_s: float = 120.0
    source: str = ""
    query_string: str = ""
    cookies: dict = field(default_factory=dict)
    _page: str = ""
    _map: dict = field(default_factory=dict)
    _map_id: str = ""
    _fragment: str = ""
    _clicks: int = 0
    _news: dict = field(default_factory=dict)
    _uploader: str = ""
    _session: str = ""
    _upload_urls: object = None

    def __enter__(self):
        self._get("/")
        self._get("/_stcore/health")  # gives the token that uploads need
        stream = self.address.replace("http", "ws", 1) + "/_stcore/stream"
        # Frames are as large as what they show; a browser sets no limit either.
        self._socket = connect(
            stream, subprotocols=["streamlit"], max_size=None, open_timeout=self.patience_s,
            source_address=(self.source, 0) if self.source else None, additional_headers={"Cookie": self._cookie()},
        )  # fmt: skip
        for given in self._socket.response.headers.get_all("Set-Cookie"):
            self._keep(given)
        self.query_string = self.query_string or f"atlas={self.atlas}"
        self._rerun(ClientState())
        self._until(lambda: bool(self._map), "the map")
        self._until_script_ends()
        while self._news.get("progress", {}).get("words"):  # a progress bar: clicks are answered when it is gone
            self._await_news()
        return self

    def __exit__(self, *_exception):
        self._socket.close()

    def click(self, lat, lon):
        """Click the map and wait for the heatmap, but not for what follows it; returns what is shown.

        Raises:
            TimeoutError: There was no answer in time.
        """
        started = time.perf_counter()
        self._clicks += 1
        value = {"pane": "main", "lat": lat, "lng": lon, "by": "point", "nonce": f"{id(self)}-{self._clicks}"}
        state = ClientState(fragment_id=self._fragment)
        widget = state.widget_states.widgets.add(id=_make_trigger_id(self._map_id, "events"))
        widget.json_trigger_value = json.dumps([{"event": "click", "value": value}])
        return self._answer(state, started)

    def upload(self, data, name="picture.jpg"):
        """Upload a picture as a query and wait for the heatmap; returns what is shown.

        Raises:
            TimeoutError: There was no answer in time.
            OSError: The server did not take the file.
        """
        started, self._upload_urls = time.perf_counter(), None
        asked = FileURLsRequest(request_id=uuid.uuid4().hex, file_names=[name], session_id=self._session)
        self._socket.send(BackMsg(file_urls_request=asked).SerializeToString())
        self._until(lambda: self._upload_urls is not None, "where to upload")
        urls, end = self._upload_urls, uuid.uuid4().hex
        head = f'--{end}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'
        self._get(urls.upload_url, head.encode() + data + f"\r\n--{end}--\r\n".encode(), {
            "Content-Type": f"multipart/form-data; boundary={end}", "X-Xsrftoken": self.cookies["_streamlit_xsrf"],
        })  # fmt: skip
        state = ClientState(fragment_id=self._fragment)
        info = UploadedFileInfo(name=name, size=len(data), file_id=urls.file_id, file_urls=urls)
        widget = state.widget_states.widgets.add(id=self._uploader)
        widget.file_uploader_state_value.uploaded_file_info.append(info)
        return self._answer(state, started)

    @property
    def shown_overlay(self):
        """Address of the heatmap that the map shows; None without one."""
        overlay = self._map["panes"][0].get("overlay")
        return overlay and overlay["url"]

    def _answer(self, state, started):
        before = self._map["nonce"]
        self._rerun(state)
        self._until(lambda: self._map["nonce"] != before and "overlay" in self._map["panes"][0], "an answer")
        answered = time.perf_counter() - started
        pane = self._map["panes"][0]
        size = len(self._get(pane["overlay"]["url"]))
        fetched = time.perf_counter() - started
        point = next(((each["lat"], each["lng"]) for each in pane["markers"] if each["kind"] == "query"), None)
        return Shown(point, pane["overlay"]["url"], answered, fetched, size)

    def _await_news(self):
        """Ask how far the server is until the page is to be drawn anew, and have that done."""
        news, self._news = self._news, {}
        deadline = time.monotonic() + self.patience_s
        while json.loads(self._get(news["url"]))["version"] == news["seen"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Waited {self.patience_s:g} s for the atlas.")
            time.sleep(NEWS_EVERY_S)
        self._rerun(ClientState())
        self._until_script_ends()

    def _get(self, path, body=None, headers=()):
        """Ask for a path, or put something there; returns the answer."""
        headers = {"Cookie": self._cookie(), **dict(headers)}
        asked = urllib.request.Request(self.address + path, body, headers, method="GET" if body is None else "PUT")
        with urllib.request.urlopen(asked, timeout=self.patience_s) as response:
            for given in response.headers.get_all("Set-Cookie", []):
                self._keep(given)
            return response.read()

    def _keep(self, given):
        self.cookies |= {name: each.value for name, each in SimpleCookie(given).items()}

    def _cookie(self):
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _rerun(self, state):
        state.query_string, state.page_script_hash = self.query_string, self._page
        self._finished = False
        self._socket.send(BackMsg(rerun_script=state).SerializeToString())

    def _until_script_ends(self):
        self._until(lambda: self._finished, "the end of the script")

    def _until(self, reached, what):
        deadline = time.monotonic() + self.patience_s
        while not reached():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"Waited {self.patience_s:g} s for {what}.")
            self._hear(ForwardMsg.FromString(self._socket.recv(timeout=left)))

    def _hear(self, message):
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._session = message.new_session.initialize.session_id or self._session
        if kind == "navigation":
            self._page = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query_string = message.page_info_changed.query_string
        elif kind == "script_finished":
            # A run that makes way for another one is followed by that one.
            self._finished = message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        elif kind == "file_urls_response":
            self._upload_urls = message.file_urls_response.file_urls[0]
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "file_uploader":
            self._uploader = message.delta.new_element.file_uploader.id
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "bidi_component":
            component = message.delta.new_element.bidi_component
            if component.component_name.endswith(MAP):
                self._map_id, self._fragment = component.id, message.delta.fragment_id
                self._map = json.loads(component.json or component.mixed.json)
            elif component.component_name.endswith(PROGRESS):
                self._news = json.loads(component.json or component.mixed.json)
