// Parts of the site: files beside the page, or elements of the page as base64.

/**
 * @param {string} text Base64.
 * @returns {Uint8Array<ArrayBuffer>}
 */
function decoded(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

export class Parts {
  /** @param {Record<string, string>} files Address by name. */
  constructor(files) {
    this.files = files;
    /** @type {Map<string, string>} addresses of pictures, by name */
    this.urls = new Map();
  }

  /**
   * @param {string} name
   * @returns {Promise<ArrayBuffer>}
   * @throws {Error} It cannot be had.
   */
  async bytes(name) {
    const held = document.getElementById(`part:${name}`);
    if (held) return decoded(held.textContent ?? "").buffer;
    const response = await fetch(this.files[name]).catch(() => null);
    if (!response?.ok) throw new Error("Not on this device yet: open it once with a connection.");
    return response.arrayBuffer();
  }

  /**
   * The address of a picture; one of the page's own, so that the page needs no other.
   *
   * @param {string} name
   */
  async picture(name) {
    let url = this.urls.get(name);
    if (url === undefined) {
      url = URL.createObjectURL(new Blob([await this.bytes(name)], { type: "image/webp" }));
      this.urls.set(name, url);
    }
    return url;
  }

  /**
   * A gzipped JSON document.
   *
   * @param {string} name
   */
  async json(name) {
    const stream = new Blob([await this.bytes(name)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  }

  /** @returns {Worker} The one that computes. */
  worker() {
    const held = document.getElementById("part:worker");
    if (!held) return new Worker(this.files.worker);
    const script = new Blob([decoded(held.textContent ?? "")], { type: "text/javascript" });
    return new Worker(URL.createObjectURL(script));
  }
}
