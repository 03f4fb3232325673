import assert from 'node:assert/strict';
import { test } from 'node:test';

import { delayAfter } from '../../../web/dashboard/backoff.js';
import { StoreError } from '../../../web/dashboard/errors.js';
import { keepLive } from '../../../web/dashboard/live.js';

const CUT = new StoreError('unreachable', 'cut');
const EXPIRED = new StoreError('session-ended', 'the access token has expired');

// Runs keepLive over *connections*: each is what it sends and how it ends. Returns what was seen until they are used up.
async function run(connections, { refresh = async () => {} } = {}) {
  const seen = { states: [], totals: [], waits: [], refreshes: 0, ended: [] };
  await new Promise((resolve) => {
    const stop = keepLive({
      open: async (onTotals, signal) => {
        const next = connections.shift();
        if (!next) {
          stop();
          resolve();
          return null;
        }
        for (const totals of next.sends ?? []) onTotals(totals);
        assert.equal(signal.aborted, false);
        return next.ends ?? null;
      },
      refresh: async () => {
        seen.refreshes += 1;
        await refresh();
      },
      onTotals: (totals) => seen.totals.push(totals),
      onState: (state) => {
        seen.states.push(state.phase);
        if (state.phase === 'stopped') resolve();
      },
      onSessionEnded: (error) => seen.ended.push(error.kind),
      wait: async (ms) => seen.waits.push(ms),
      random: () => 1,
    });
  });
  return seen;
}

test('the wait doubles up to half a minute, and is never the same for all', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 99].map((failures) => delayAfter(failures, () => 1)), [
    ...[1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000],
  ]);
  assert.equal(delayAfter(3, () => 0), 2_000);
});

test('a connection that is cut is opened again, later each time, until it brings something', async () => {
  const seen = await run([{ sends: [1], ends: CUT }, { ends: CUT }, { ends: CUT }, { sends: [2, 3], ends: CUT }]);
  assert.deepEqual(seen.totals, [1, 2, 3]);
  assert.deepEqual(seen.waits, [1_000, 2_000, 4_000, 1_000]);
  assert.deepEqual(seen.states.slice(0, 4), ['connecting', 'live', 'waiting', 'connecting']);
  assert.equal(seen.refreshes, 0);
});

test('a subscription that the store completes is opened again', async () => {
  assert.deepEqual((await run([{ sends: [1] }, { sends: [2] }])).totals, [1, 2]);
});

test('when the access token is over, new ones are fetched and nothing is waited for', async () => {
  const seen = await run([{ sends: [1], ends: EXPIRED }, { sends: [2], ends: EXPIRED }]);
  assert.deepEqual([seen.totals, seen.waits, seen.refreshes], [[1, 2], [], 2]);
  assert.deepEqual(seen.states, ['connecting', 'live', 'live']);
});

test('a token that is over again and again is not fetched in a hurry', async () => {
  const seen = await run([{ ends: EXPIRED }, { ends: EXPIRED }, { ends: EXPIRED }]);
  assert.deepEqual([seen.refreshes, seen.waits], [3, [2_000, 4_000]]);
});

test('when the session is over it stops and says so', async () => {
  const refresh = async () => {
    throw new StoreError('session-ended', 'log in again');
  };
  const seen = await run([{ sends: [1], ends: EXPIRED }, { sends: [2] }], { refresh });
  assert.deepEqual([seen.totals, seen.ended, seen.states], [[1], ['session-ended'], ['connecting', 'live', 'stopped']]);
});

test('a refresh that cannot be had now is tried later', async () => {
  const failing = [new StoreError('too-many', 'wait', { retryAfterS: 50 })];
  const refresh = async () => {
    const failure = failing.pop();
    if (failure) throw failure;
  };
  const seen = await run([{ ends: EXPIRED }, { sends: [2] }], { refresh });
  assert.deepEqual([seen.totals, seen.waits[0], seen.ended], [[2], 50_000, []]);
});

test('an account without the right is not tried again', async () => {
  const seen = await run([{ ends: new StoreError('not-allowed', 'no') }, { sends: [1] }]);
  assert.deepEqual([seen.totals, seen.states, seen.waits], [[], ['connecting', 'stopped'], []]);
});
