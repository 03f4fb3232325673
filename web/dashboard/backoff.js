// How long to wait before something is tried again.

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/**
 * Return the milliseconds to wait after the *failures*-th failure in a row: doubling, up to half a minute.
 *
 * Between half of it and all: pages that lost the same store must not come back at the same moment.
 */
export function delayAfter(failures, random = Math.random) {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return Math.round(longest / 2 + (longest / 2) * random());
}

/** Wait for *ms*, or until the browser is on the network again, or until *signal* is aborted. */
export function waitFor(ms, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      globalThis.removeEventListener?.('online', end);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    globalThis.addEventListener?.('online', end);
    signal?.addEventListener('abort', end);
    if (signal?.aborted) end();
  });
}
