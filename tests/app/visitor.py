"""A visitor without a browser: opens the app over Streamlit's own protocol, clicks the map, reads what it would show.

It speaks to the server as Streamlit's client does, protobuf messages over a websocket, one session for each visitor. It
caches no messages, so the server sends it a little more than it sends a browser. Nothing is drawn.
"""

import json
import time
import urllib.request
from dataclasses import dataclass, field

from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

MAP, PROGRESS = "unigeoclip_map", "unigeoclip_progress"
NEWS_EVERY_S = 0.5


@dataclass(frozen=True)
class Shown:
    """What the map was told to show after a click.

    Attributes:
        point: Latitude and longitude of the marker of the query, degrees.
        overlay: Address of the heatmap; it depends on the heatmap's content alone.
        answered_s: Seconds from the click to the message that shows the heatmap.
        fetched_s: Seconds from the click until the heatmap's picture had come as well.
        bytes: Size of that picture.
    """

    point: tuple[float, float]
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
        source: Address of this machine that the visitor comes from; 127.0.0.2 and so on are other clients.
    """

    address: str
    atlas: str
    patience_s: float = 120.0
    source: str = ""
    _query_string: str = ""
    _page: str = ""
    _map: dict = field(default_factory=dict)
    _map_id: str = ""
    _fragment: str = ""
    _clicks: int = 0
    _news: dict = field(default_factory=dict)

    def __enter__(self):
        stream = self.address.replace("http", "ws", 1) + "/_stcore/stream"
        # Frames are as large as what they show; a browser sets no limit either.
        self._socket = connect(
            stream, subprotocols=["streamlit"], max_size=None, open_timeout=self.patience_s,
            source_address=(self.source, 0) if self.source else None,
        )  # fmt: skip
        self._query_string = f"atlas={self.atlas}"
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
        before, started = self._map["nonce"], time.perf_counter()
        self._clicks += 1
        value = {"pane": "main", "lat": lat, "lng": lon, "by": "point", "nonce": f"{id(self)}-{self._clicks}"}
        state = ClientState(fragment_id=self._fragment)
        widget = state.widget_states.widgets.add(id=_make_trigger_id(self._map_id, "events"))
        widget.json_trigger_value = json.dumps([{"event": "click", "value": value}])
        self._rerun(state)
        self._until(lambda: self._map["nonce"] != before and "overlay" in self._map["panes"][0], "an answer")
        answered = time.perf_counter() - started
        pane = self._map["panes"][0]
        with urllib.request.urlopen(self.address + pane["overlay"]["url"], timeout=self.patience_s) as response:
            size = len(response.read())
        fetched = time.perf_counter() - started
        marker = next(each for each in pane["markers"] if each["kind"] == "query")
        return Shown((marker["lat"], marker["lng"]), pane["overlay"]["url"], answered, fetched, size)

    def _await_news(self):
        """Ask how far the server is until the page is to be drawn anew, and have that done."""
        news, self._news = self._news, {}
        deadline = time.monotonic() + self.patience_s
        while self._read(news["url"])["version"] == news["seen"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Waited {self.patience_s:g} s for the atlas.")
            time.sleep(NEWS_EVERY_S)
        self._rerun(ClientState())
        self._until_script_ends()

    def _read(self, path):
        with urllib.request.urlopen(self.address + path, timeout=self.patience_s) as response:
            return json.load(response)

    def _rerun(self, state):
        state.query_string, state.page_script_hash = self._query_string, self._page
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
        if kind == "navigation":
            self._page = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self._query_string = message.page_info_changed.query_string
        elif kind == "script_finished":
            # A run that makes way for another one is followed by that one.
            self._finished = message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "bidi_component":
            component = message.delta.new_element.bidi_component
            if component.component_name.endswith(MAP):
                self._map_id, self._fragment = component.id, message.delta.fragment_id
                self._map = json.loads(component.json or component.mixed.json)
            elif component.component_name.endswith(PROGRESS):
                self._news = json.loads(component.json or component.mixed.json)
