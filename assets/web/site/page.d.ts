// What the page of a site is told: written by `unigeoclip/site`, read by the scripts beside this file.

export type Position = { lat: number; lng: number };
export type Bounds = [number, number, number, number]; // south, west, north, east, degrees
export type Errors = Record<string, { correlation: number; overlap: number } | null>; // null: a constant model
export type Limits = [number, number, number] | null; // lowest and highest color, where chance ends

export interface About {
  title: string;
  version: string;
  project: string; // address of a page about it
  lowOpacity: number;
  colors: string[]; // of heatmaps, from low to high
  atlases: Atlas[];
  files: Record<string, string>; // address by name of a part; those that are missing stand in the page
  offline?: string; // address of the service worker
}

export interface Atlas {
  name: string;
  title: string;
  summary: string;
  bounds: Bounds; // of heatmaps, within the square of web Mercator
  isCity: boolean;
  attribution: string[];
  base: { part: string; bounds: Bounds };
  lines: { kind: string; part: string }[];
  models: Model[]; // ours first
  examples: Example[];
  gallery: { codes: string; modalities: Record<string, Places> };
}

export interface Model {
  id: string;
  title: string;
  source: string;
  part: string; // the compact grid
  encoder: string | null; // the part that encodes points; null: they are interpolated
  dim: number;
  components: number;
  errors: Errors; // by kind of query
  turn: number[][]; // of the first three components into red, green and blue
  limits: Limits; // of points
}

export interface Example {
  title: string;
  own?: boolean; // what the visitor asked
  at: [number, number] | null; // of a single point, which every model can answer
  along: number[]; // its vector along the components of our model
  constant: number; // product with the mean vector
  limits: Limits;
  notes: string[];
  results: Record<string, Item[]>;
  sprites?: Record<string, string>; // pictures of its own, by modality
}

/** Name, latitude, longitude, number of the picture or words of the caption, similarity of an exact result. */
export type Item = [string, number, number, number | string, number?];

export interface Places {
  count: number; // in the whole gallery
  sprite?: string;
  tile?: [number, number]; // pixels
  columns?: number;
  step: number; // of the codes
  rest: number[]; // products with what of the mean vector lies along no component
  offsets: number[]; // subtracted from similarities to points
  items: Item[];
}

/** How a pane is to be painted. */
export type Ask =
  | { kind: "point"; at: Position; limits: Limits }
  | { kind: "vector"; along: number[]; constant: number; limits: Limits }
  | { kind: "best"; limits: Limits } // the point where the pane before the others is most similar
  | { kind: "colors"; turn: number[][] };

export interface Painted {
  id: string;
  best: Position | null; // where it is most similar
  at: Position | null; // the point that was asked
}

export type { PointVector } from "../components/map/compact-grid.js";

export type FromWorker =
  | { kind: "ready"; id: string; encodes: boolean }
  | { kind: "painted"; number: number; panes: Painted[]; point: PointVector | null; ms: number }
  | { kind: "failed"; number: number; words: string };

/** What the service worker uses of its scope; TypeScript's own names of it clash with those of pages. */
export interface Keeper {
  registration: { scope: string };
  clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(kind: "install" | "activate" | "fetch", act: (event: KeeperEvent) => void): void;
}

export interface KeeperEvent extends Event {
  request: Request;
  waitUntil(work: Promise<unknown>): void;
  respondWith(answer: Promise<Response>): void;
}
