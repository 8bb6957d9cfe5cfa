// What the heatmap says under the pointer: a small grey picture of percentiles, fetched when somebody first points.

export class Values {
  /** spec: {url, bounds: [south, west, north, east], similarities: 100 texts, land}. */
  constructor(spec) {
    this.spec = spec;
    this.pixels = null;
    this.fetching = null;
  }

  /** "0.42: more like it than 93 % of the land"; empty off the grid, and until the picture is here. */
  at({ lat, lng }) {
    this.fetching ??= this.fetch();
    if (!this.pixels) return "";
    const [south, west, north, east] = this.spec.bounds;
    const { width, height, data } = this.pixels;
    const row = Math.floor(((north - lat) / (north - south)) * height);
    const column = Math.floor(((((lng - west) % 360) + 360) % 360 / (east - west)) * width);
    if (row < 0 || row >= height || column < 0 || column >= width) return "";
    const code = data[4 * (row * width + column)];
    if (!code) return "";
    const percentile = code - 1;
    return `${this.spec.similarities[percentile]}: more like it than ${percentile} % of ${this.spec.land}`;
  }

  async fetch() {
    const image = new Image();
    image.src = this.spec.url;
    try {
      await image.decode();
    } catch {
      return; // no longer kept: the map is read without figures
    }
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    this.pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  }
}
