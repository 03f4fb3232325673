// GraphQL over HTTP: an answer's data, or a StoreError.
import { readErrors, StoreError } from './errors.js';

const AWAY = 'The store cannot be reached.';

/** Return a function that sends an operation to *url* and returns its data; *fetch* is the browser's. */
export function createExecute(url, fetch) {
  return async function execute(query, variables = {}, { signal } = {}) {
    let response;
    let body;
    try {
      response = await fetch(url, {
        method: 'POST',
        credentials: 'same-origin',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ query, variables }),
        signal,
      });
      body = await response.json();
    } catch (error) {
      if (signal?.aborted) throw error;
      // Cases: no answer at all, or one that is cut off; a proxy's page of text instead of the store's answer
      throw new StoreError('unreachable', response && !response.ok ? `The store does not answer (${response.status}).` : AWAY);
    }
    // Cases: nothing of what was asked for; all of it but for details, such as the names of products
    const isWhole = body.data && Object.values(body.data).every((value) => value !== null);
    if (body.errors?.length && !isWhole) {
      throw readErrors(body.errors, { retryAfterS: Number(response.headers.get('retry-after')) || null });
    }
    return body.data;
  };
}
