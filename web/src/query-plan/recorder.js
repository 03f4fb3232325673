// What the panel knows: whether to ask for plans, and the plan of the last answer.
import { isAsyncIterable, StorageAPI } from '@graphiql/toolkit';

// Both belong to the router: EXPOSE_PLAN_HEADER and PLAN_EXTENSION in router/pipeline.py.
const HEADER = 'Pasar-Expose-Query-Plan';
const EXTENSION = 'queryPlan';
// Beside GraphiQL's own settings, and forgotten together with them.
const STORAGE_KEY = 'askForPlan';

/**
 * The state is replaced, never changed:
 * - `isAsking`: whether requests get the header;
 * - `phase`: `none` (nothing ran, or not asked), `running`, `missing` (asked, but the answer has no plan) or `there`;
 * - `plan`: the extension of the last answer, or null.
 */
export function createPlanRecorder(storage = new StorageAPI()) {
  let state = { isAsking: storage.get(STORAGE_KEY) === 'true', phase: 'none', plan: null };
  let lastRun = 0;
  const listeners = new Set();

  const change = (changes) => {
    state = { ...state, ...changes };
    listeners.forEach((listener) => listener());
  };

  const start = (isAsking) => {
    lastRun += 1;
    const run = lastRun;
    change({ phase: isAsking ? 'running' : 'none', plan: null });
    // Whatever comes of an operation that is not the last one any more changes nothing.
    return (changes) => run === lastRun && change(changes);
  };

  const wrap = (fetcher) => async (params, options) => {
    // GraphiQL reads the schema by the same fetcher.
    if (params.operationName === 'IntrospectionQuery') return fetcher(params, options);
    const { isAsking } = state;
    // Two headers of one name would be joined into a value that means nothing.
    const isOwn = Object.keys(options?.headers ?? {}).some((name) => name.toLowerCase() === HEADER.toLowerCase());
    const adds = isAsking && !isOwn;
    const tell = start(isAsking || isOwn);
    const receive = (result) => {
      const parts = Array.isArray(result) ? result : [result];
      for (const part of parts) {
        const plan = part?.extensions?.[EXTENSION];
        if (plan) tell({ phase: 'there', plan });
        // Of an answer in parts the last one has the plan.
        else if ((isAsking || isOwn) && !part?.hasNext) tell({ phase: 'missing', plan: null });
      }
      if (!adds) return result;
      return Array.isArray(result) ? parts.map(withoutPlan) : withoutPlan(result);
    };
    const fail = (error) => {
      tell({ phase: 'none', plan: null });
      throw error;
    };
    const value = await fetcher(
      params,
      adds ? { ...options, headers: { ...options?.headers, [HEADER]: 'true' } } : options,
    ).catch(fail);
    return isAsyncIterable(value) ? mapResults(value, receive, fail) : receive(value);
  };

  return {
    wrap,
    read: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    setAsking: (isAsking) => {
      storage.set(STORAGE_KEY, String(isAsking));
      change({ isAsking });
    },
  };
}

function withoutPlan(part) {
  if (!part?.extensions?.[EXTENSION]) return part;
  const { extensions, ...others } = part;
  const { [EXTENSION]: _, ...kept } = extensions;
  return Object.keys(kept).length ? { ...others, extensions: kept } : others;
}

// Not an async generator: one that waits for the next event of a subscription cannot be closed before it has come.
function mapResults(results, receive, fail) {
  const iterator = results[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const { done, value } = await iterator.next().catch(fail);
      return done ? { done, value } : { done, value: receive(value) };
    },
    async return(value) {
      await iterator.return?.();
      return { done: true, value };
    },
  };
}
