// Keeps the site on the device, so that it opens without a network: at once what the first page needs, the rest when it is
// first looked at. Names of files change with their content, so that what is kept is never out of date; only the page
// itself is asked for again while there is a network.

const VERSION = "{{VERSION}}";
const AT_ONCE = /** @type {string[]} */ (/** @type {unknown} */ ("{{AT_ONCE}}"));
const scope = /** @type {import("./page").Keeper} */ (/** @type {unknown} */ (self));
const PREFIX = `unigeoclip ${scope.registration.scope} `;
const NAME = PREFIX + VERSION;

scope.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(NAME)
      .then((cache) => cache.addAll(AT_ONCE))
      .then(() => scope.skipWaiting()),
  );
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith(PREFIX) && name !== NAME))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
      .then(() => scope.clients.claim()),
  );
});

/** @param {Request} request */
async function answered(request) {
  const cache = await caches.open(NAME);
  const isPage = request.mode === "navigate";
  const kept = await cache.match(isPage ? "./" : request, { ignoreSearch: true });
  if (kept && !isPage) return kept;
  try {
    const answer = await fetch(request);
    if (answer.ok && new URL(request.url).origin === location.origin) {
      await cache.put(isPage ? "./" : request, answer.clone());
    }
    return answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

scope.addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && event.request.url.startsWith(scope.registration.scope)) {
    event.respondWith(answered(event.request));
  }
});
