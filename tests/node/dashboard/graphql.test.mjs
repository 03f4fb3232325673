import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createExecute } from '../../../web/dashboard/graphql.js';

const answering = (body, { status = 200, headers = {} } = {}) =>
  createExecute('/graphql', async () => new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers }));
const errorsOf = (code, message = 'because') => ({ errors: [{ message, extensions: { code } }] });
const ending = async (promise) => {
  const { kind, message, retryAfterS } = await promise.then(assert.fail, (error) => error);
  return { kind, message, retryAfterS };
};

test('an operation is sent as JSON with the cookies of this site', async () => {
  let asked;
  const execute = createExecute('/graphql', async (url, init) => {
    asked = { url, ...init, headers: { ...init.headers }, body: JSON.parse(init.body) };
    return Response.json({ data: { me: null } });
  });
  assert.deepEqual(await execute('query Me { me { id } }'), { me: null });
  assert.deepEqual(asked, {
    url: '/graphql',
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: { query: 'query Me { me { id } }', variables: {} },
    signal: undefined,
  });
});

test('each cause has its kind', async () => {
  const cases = [
    [answering(errorsOf('UNAUTHENTICATED'), { status: 401 }), 'session-ended', 'because', null],
    [answering(errorsOf('FORBIDDEN')), 'not-allowed', 'because', null],
    [answering(errorsOf('RATE_LIMITED'), { status: 429, headers: { 'retry-after': '17' } }), 'too-many', 'because', 17],
    [answering(errorsOf('SERVICE_UNAVAILABLE'), { status: 503 }), 'unreachable', 'because', null],
    [answering(errorsOf('BAD_USER_INPUT')), 'refused', 'because', null],
    [answering({ errors: [{ message: 'odd' }] }), 'refused', 'odd', null],
    [answering('<html>Bad gateway</html>', { status: 502 }), 'unreachable', 'The store does not answer (502).', null],
    [answering('{"data": {"me"', {}), 'unreachable', 'The store cannot be reached.', null],
    [createExecute('/graphql', async () => Promise.reject(new TypeError('fetch failed'))), 'unreachable', 'The store cannot be reached.', null],
  ];
  for (const [execute, kind, message, retryAfterS] of cases) {
    assert.deepEqual(await ending(execute('query Me { me { id } }')), { kind, message, retryAfterS });
  }
});

test('an error that has a meaning wins over one beside it', async () => {
  const body = { errors: [{ message: 'null' }, ...errorsOf('FORBIDDEN', 'no').errors], data: null };
  assert.deepEqual(await ending(answering(body)('{ a }')), { kind: 'not-allowed', message: 'no', retryAfterS: null });
});

test('an answer that lacks details is an answer', async () => {
  const body = { ...errorsOf('SUBREQUEST_HTTP_ERROR'), data: { report: { products: [{ product: null }] } } };
  assert.deepEqual(await answering(body)('{ a }'), body.data);
});

test('what nobody waits for any more is no error of the store', async () => {
  const stopping = new AbortController();
  const execute = createExecute('/graphql', async () => {
    stopping.abort();
    throw stopping.signal.reason;
  });
  const error = await execute('{ a }', {}, { signal: stopping.signal }).then(assert.fail, (reason) => reason);
  assert.deepEqual([error.name, error.kind], ['AbortError', undefined]);
});
