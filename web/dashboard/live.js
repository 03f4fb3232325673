// Live totals: a subscription that is opened again whenever it ends.
import { delayAfter, waitFor } from './backoff.js';

/**
 * Keep a subscription open until the returned function is called.
 *
 * open: (onTotals, signal) => promise of the StoreError with which the subscription ended, or null if the store
 *   completed it.
 * refresh: gets new tokens; see session.js.
 * onTotals: gets each event.
 * onState: gets `{phase: 'connecting' | 'live' | 'waiting' | 'stopped', message?, seconds?}`.
 * onSessionEnded: called when only a login can help.
 * wait: waits for milliseconds.
 */
export function keepLive({ open, refresh, onTotals, onState, onSessionEnded, wait = waitFor, random = Math.random }) {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function run() {
    let failures = 0;
    onState({ phase: 'connecting' });
    while (!signal.aborted) {
      let hasRefreshed = false;
      let ended = await open((totals) => {
        if (signal.aborted) return;
        failures = 0;
        onState({ phase: 'live' });
        onTotals(totals);
      }, signal);
      if (signal.aborted) return;
      if (ended?.kind === 'session-ended') {
        // Subscriptions end with their access token, every few minutes
        try {
          await refresh();
          hasRefreshed = true;
        } catch (error) {
          if (error.kind === 'session-ended') {
            onState({ phase: 'stopped', message: error.message });
            onSessionEnded(error);
            return;
          }
          ended = error;
        }
        if (signal.aborted) return;
      }
      if (ended?.kind === 'not-allowed') {
        onState({ phase: 'stopped', message: ended.message });
        return;
      }
      failures += 1;
      // With new tokens at once; if that fails again, like anything else
      if (hasRefreshed && failures === 1) continue;
      const ms = Math.max(delayAfter(failures, random), (ended?.retryAfterS ?? 0) * 1000);
      onState({ phase: 'waiting', message: ended?.message, seconds: Math.ceil(ms / 1000) });
      await wait(ms, signal);
      if (!signal.aborted) onState({ phase: 'connecting' });
    }
  }

  run();
  return () => stopping.abort();
}
