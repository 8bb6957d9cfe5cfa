// Which suggestions fit what has been typed.

const MOST = 12;

/**
 * Texts that begin so first, then those with a word that begins so; not what has been typed as a whole already.
 *
 * @param {string[]} texts
 * @param {string} typed
 */
export function matching(texts, typed) {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return texts.slice(0, MOST);
  const first = [];
  const later = [];
  for (const text of texts) {
    const lower = text.toLowerCase();
    if (lower === wanted) continue;
    if (lower.startsWith(wanted)) first.push(text);
    else if (lower.includes(` ${wanted}`)) later.push(text);
    if (first.length === MOST) break;
  }
  return [...first, ...later].slice(0, MOST);
}
