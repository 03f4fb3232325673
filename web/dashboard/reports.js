// A report that is asked for again when it failed and that may pass, or when it is no longer the newest.
import { useEffect, useState } from 'react';

import { delayAfter, waitFor } from './backoff.js';
import { mayPass } from './errors.js';

/**
 * Return `{report, isLoading, error, seconds}` of *query* with *variables*; null asks for nothing.
 *
 * The last report stays while the next one is on its way, but not after other variables. *version* changes when there
 * is news; *onError* gets the errors that concern the whole page.
 */
export function useReport(ask, query, variables, version, onError) {
  const key = variables && JSON.stringify(variables);
  const [state, setState] = useState({ key: null });

  useEffect(() => {
    if (key === null) return undefined;
    const stopping = new AbortController();
    const { signal } = stopping;
    const show = (next) => !signal.aborted && setState(next);

    async function load() {
      for (let failures = 1; ; failures += 1) {
        show((last) => ({ ...(last.key === key ? last : { key }), isLoading: true }));
        try {
          const { report } = await ask(query, JSON.parse(key), { signal });
          show({ key, report });
          return;
        } catch (error) {
          if (signal.aborted) return;
          if (error.kind === undefined) throw error;
          const ms = mayPass(error) ? Math.max(delayAfter(failures), (error.retryAfterS ?? 0) * 1000) : null;
          const seconds = ms === null ? null : Math.ceil(ms / 1000);
          show((last) => ({ ...last, isLoading: false, error, seconds }));
          if (ms === null) {
            onError(error);
            return;
          }
          await waitFor(ms, signal);
          if (signal.aborted) return;
        }
      }
    }
    load();
    return () => stopping.abort();
  }, [ask, query, key, version, onError]);

  return state.key === key ? state : { isLoading: key !== null };
}
