// One subscription over one WebSocket, by graphql-ws. When to open the next is for live.js to decide.
import { createClient } from 'graphql-ws';

import { readErrors, StoreError } from './errors.js';

// A connection that has silently died is noticed by a ping that nobody answers
const PING_MS = 10_000;
const PONG_MS = 5_000;
const CUT = 'The live connection was cut.';
const UNAUTHORIZED = new Set([4401, 4403]);

/** Return an `open` for keepLive: it subscribes to *query* at *url* and gives `onTotals` the field *field*. */
export const subscribeTo =
  (url, query, variables, field) =>
  (onTotals, signal) =>
    new Promise((resolve) => {
      let pong;
      const client = createClient({
        url,
        retryAttempts: 0,
        keepAlive: PING_MS,
        on: {
          ping: (isReceived) => {
            if (!isReceived) pong = setTimeout(() => client.terminate(), PONG_MS);
          },
          pong: (isReceived) => {
            if (isReceived) clearTimeout(pong);
          },
        },
      });
      const end = (error) => {
        clearTimeout(pong);
        signal.removeEventListener('abort', giveUp);
        // First, so that a connection that is only just being opened sends nothing over what dispose closes
        unsubscribe();
        client.dispose();
        resolve(error);
      };
      const giveUp = () => end(null);
      signal.addEventListener('abort', giveUp);
      const unsubscribe = client.subscribe(
        { query, variables },
        {
          next: ({ data, errors }) => (errors?.length ? end(readErrors(errors)) : onTotals(data[field])),
          error: (error) => end(readEnd(error)),
          complete: () => end(null),
        },
      );
    });

/** Return what graphql-ws ends a subscription with as a StoreError: errors of GraphQL, or of the connection. */
function readEnd(error) {
  if (Array.isArray(error)) return readErrors(error);
  return UNAUTHORIZED.has(error?.code) ? new StoreError('session-ended', error.reason) : new StoreError('unreachable', CUT);
}
