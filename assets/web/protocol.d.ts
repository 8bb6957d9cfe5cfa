// The protocol between Python and the browser: props of every component, the values of its triggers, and the JSON that
// its addresses answer with. `pages/ui/protocol.py` holds the same as TypedDicts; tests/app/test_protocol.py compares
// both, and reads this file by a simple grammar: `export interface Name { key: type; optionalKey?: type; }`, comments
// aside, with the types number, string, boolean, null, string literals, arrays, tuples, unions and these interfaces.
//
// Positions are degrees, `lat` and `lng`; bounds are [south, west, north, east]; headings are degrees clockwise from
// north. A `nonce` makes two equal values of a trigger two events.

// map: one or several panes that move together.

export interface MapProps {
  id: string; // another one makes another map
  memory: string; // maps with the same one share view and display
  nonce: number; // changes when a question is answered
  bounds: [number, number, number, number];
  whole_earth: boolean;
  is_city: boolean;
  close_zoom: number | null;
  ask_by: boolean; // whether a click may query the full place
  names: string; // address of the place search, which answers with FoundNames; "" for no search
  region: string; // what stands before the buttons that choose a region, or "" for no such buttons
  tells_painted: boolean; // whether to tell when the pictures are shown
  focus: [number, number, number, number] | null;
  base: BaseMap;
  panes: Pane[];
}

export interface BaseMap {
  styles: BaseStyle[];
  max_zoom: number;
  vectors: LineLayer[];
}

export interface BaseStyle {
  id: string;
  label: string;
  tiles: string; // address template of Leaflet
  max_native_zoom: number;
  attribution: string;
  meaning: string;
  online?: boolean; // from the internet
}

export interface LineLayer {
  kind: string;
  url: string; // of GeoJSON
}

export interface Pane {
  id: string;
  label: string; // for screen readers
  title?: string;
  note?: string;
  meaning?: string; // tooltip of the title
  overlay?: Overlay;
  values?: PercentileGrid;
  areas?: AreaGrid;
  live?: LiveGrid;
  outline?: string; // address of GeoJSON
  area?: [number, number, number, number]; // outside of it the map is dimmed
  points?: Overlay; // dots of a visitor's own table, above the heatmap
  legend?: Legend;
  markers?: Marker[];
}

export interface Overlay {
  url: string;
  bounds: [number, number, number, number];
}

/** A grey picture: 0 is off the grid, p + 1 a cell of percentile p. */
export interface PercentileGrid {
  url: string;
  bounds: [number, number, number, number];
  land: string; // what percentiles are shares of
  similarities: string[]; // one for each percentile
}

/** A grey picture: 0 is off the grid, k a cell that reaches the similarity low + (k - 1) * step. */
export interface AreaGrid {
  url: string;
  bounds: [number, number, number, number];
  land: string; // what areas are a share of
  low: number;
  step: number;
}

/** What heatmaps can be computed of in the browser, and how they are drawn. */
export interface LiveGrid {
  url: string; // of the compact grid
  bounds: [number, number, number, number]; // of the picture
  area: [number, number, number, number] | null; // that is painted; null for all
  scale: "absolute" | "similarity" | "percentile";
  limits: [number, number] | null; // similarities of the lowest and the highest color, for "absolute"
  floor: number; // percentile at which colors start
  share: number; // of the area that is painted; 0 for all
  least_span: number; // of similarity that colors of an own range reach over; ranks that vary by less are drawn so
  low_opacity: number;
  colors: string[]; // from low to high
  legend: Legend;
  encoder?: string; // address of the location encoder: points between centers of cells are then encoded, too
  exact?: string; // template of the heatmap of a point as the server computes it, with {lat} and {lng}
  weights?: LiveWeights;
}

/** Heatmaps of the items of a query, which the browser adds up while their weights are moved. */
export interface LiveWeights {
  url: string; // of a compact grid with an item's heatmap as each component
  combine: "sum" | "any";
  values: number[]; // the weights of the answer
  sliders: string[]; // keys of Streamlit's sliders of the weights
  scale: "absolute" | "similarity" | "percentile";
  floor: number;
  legend: Legend;
}

export interface Legend {
  title: string;
  stops?: [number, number, string][]; // fraction of the bar, similarity, color
  ticks?: [number, string][];
  marks?: [number, string][];
  low?: string;
  high?: string;
  swatches?: ([string, string] | [string, string, string])[]; // color, label, figure
  named?: boolean; // labels are names, which may be long
  words?: string;
  weak?: boolean; // the words are a warning
  fixed?: boolean; // without a slider of its own
}

export interface Marker {
  id: string;
  kind: "query" | "best" | "match";
  lat: number;
  lng: number;
  label: string;
  heading?: number | null;
  card?: string; // id of the result card
  sign?: string;
}

export interface FoundName {
  name: string;
  detail: string; // what tells it from others of this name
  lat: number;
  lng: number;
}

/** What the place search finds for its parameter `text`; a sentence where that is nothing. */
export interface FoundNames {
  names: FoundName[];
  problem: string;
}

export interface MapClick {
  pane: string;
  lat: number;
  lng: number;
  by: "point" | "place";
  nonce: string;
}

export interface MapPainted {
  nonce: string;
}

export interface MapRegion {
  bounds: [number, number, number, number] | null; // null for the whole atlas
  nonce: string;
}

// cards and street: results, and looking around from them.

export interface CardsProps {
  groups: CardGroup[];
  outlooks: Outlook[];
}

export interface CardGroup {
  title: string;
  note: string;
  cards: Card[];
}

/** A card has a picture or a text; one of a street view has all of `Camera` as well. */
export interface Card {
  id: string;
  place_id: string;
  modality: string;
  name: string;
  lat: number;
  lng: number;
  similarity: string;
  distance: string;
  kind?: string;
  picture?: string;
  alt?: string;
  text?: string;
  heights?: string; // address of a HeightScale
  window?: number; // which item of the place
  vote?: "" | "up" | "down"; // missing where no vote is offered
  pose?: Pose;
  views?: ViewAddresses;
  turns?: boolean;
  origin?: string;
}

export interface Pose {
  lat: number;
  lng: number;
  heading: number;
}

/** Address templates with {pose}, and {width} or {way}. */
export interface ViewAddresses {
  picture: string;
  step: string; // answers with a StreetStep or null
}

export interface Camera {
  pose: Pose;
  views: ViewAddresses;
  turns: boolean; // a photograph does not
  origin: string;
}

/** A camera besides the cards. */
export interface Outlook {
  pose: Pose;
  views: ViewAddresses;
  turns: boolean;
  origin: string;
  label: string;
  name: string;
}

export interface StreetStep {
  lat: number;
  lng: number;
  heading: number;
  street: string;
  origin: string; // with the credit of this very photo
}

export interface HeightScale {
  low: string;
  high: string;
  colors: string[];
}

/** "Use as query": of a card by its place, of a street view by its pose. */
export interface CardUse {
  modality: string;
  name: string;
  nonce: string;
  place_id?: string;
  pose?: Pose;
}

/** A thumb on a card; the same again takes it back. */
export interface CardVote {
  modality: string;
  place_id: string;
  window: number;
  name: string;
  vote: "up" | "down";
  nonce: string;
}

// points: what the pointer shows at the points of a scatter; matrix: figures of all pairs as buttons.

export interface PointItem {
  place_id: string;
  name: string;
  kind: string; // name of the modality
  picture: string | null;
  text: string;
}

export interface PointsProps {
  chart: string; // key of the Streamlit container with the chart
  places: number; // point i is place i % places
  opened: number; // which of them is open, or -1
  items: PointItem[];
}

export interface PointOpen {
  place_id: string;
  nonce: string;
}

export interface MatrixCell {
  pair: string; // "street->aerial"
  value: string;
  note: string; // small print
  share: number; // 0 to 1
  means: string; // for those who hear it
}

export interface MatrixRow {
  title: string;
  cells: (MatrixCell | null)[];
}

export interface MatrixProps {
  label: string;
  columns: string[];
  rows: MatrixRow[];
  opened: string; // the pair whose examples are shown
}

export interface MatrixOpen {
  pair: string;
  nonce: string;
}

// examples: queries as pictures.

export interface ExamplesProps {
  examples: ExampleTile[];
}

export interface ExampleTile {
  title: string;
  picture: string | null;
}

export interface ExampleTake {
  index: number;
  nonce: string;
}

// poster: plays scenes.

export interface PosterProps {
  scenes: PosterScene[];
  at: number | null; // the scene that Python has begun to show
  origin: string; // address at which others reach this machine, or ""
}

export interface PosterScene {
  page: string;
  atlas: string;
  place: string;
  title: string;
  caption: string;
  address: string;
  site: string; // the whole address of the same on a static site, or ""
}

export interface PosterGo {
  at: number;
  nonce: string;
}

export interface PosterLeave {
  nonce: string;
}

// progress: the trigger "update" has the new version as its value.

export interface ProgressProps {
  url: string; // answers with a Progress
  seen: string; // the version that the page shows
  time_left: boolean;
  progress: Progress;
}

export interface Progress {
  version: string; // changes when there is more to see
  words: string; // "" for no bar
  share: number; // 0 to 1
}

// suggest, intro.

export interface SuggestProps {
  url: string;
  label: string; // of the text field
}

export interface IntroProps {
  where: string;
  asked: boolean; // whether there are results
}
