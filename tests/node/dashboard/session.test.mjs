import assert from 'node:assert/strict';
import { test } from 'node:test';

import { StoreError } from '../../../web/dashboard/errors.js';
import { createSession } from '../../../web/dashboard/session.js';

const ENDED = new StoreError('session-ended', 'the access token has expired');
const USER = { id: 'usr_1', name: 'Sinta' };

// The store as far as sessions go: an access token that may be over, and refresh tokens of which each works once.
class Store {
  constructor({ isIn = true, refreshes = 1 } = {}) {
    Object.assign(this, { isIn, refreshes, asked: [], kept: new Map() });
    this.storage = {
      getItem: (key) => this.kept.get(key) ?? null,
      setItem: (key, value) => this.kept.set(key, value),
      removeItem: (key) => this.kept.delete(key),
    };
  }

  execute = async (query) => {
    const name = /^\w+ (\w+)/.exec(query)[1];
    this.asked.push(name);
    await Promise.resolve();
    if (name === 'Me') return { me: this.isIn ? USER : null };
    if (name === 'LogOut') return { logout: true };
    if (name === 'LogIn') return { login: this.login };
    if (name === 'Refresh') {
      this.refreshes -= 1;
      this.isIn = this.refreshes >= 0;
      return { refresh: { __typename: this.isIn ? 'AuthSession' : 'InvalidRefreshTokenProblem', message: 'over' } };
    }
    if (!this.isIn) throw ENDED;
    return { report: name };
  };

  session(locks) {
    return createSession({ execute: this.execute, storage: this.storage, locks });
  }
}

// As the browser's: one after the other.
function createLocks() {
  let last = Promise.resolve();
  return { request: (_, work) => (last = last.then(work, work)) };
}

test('reports that find the token over at the same time share one refresh', async () => {
  const store = new Store({ isIn: false });
  const { ask } = store.session();
  const answers = await Promise.all(['Months', 'Days', 'TopProducts'].map((name) => ask(`query ${name} { a }`)));
  assert.deepEqual(answers.map(({ report }) => report), ['Months', 'Days', 'TopProducts']);
  assert.equal(store.asked.filter((name) => name === 'Refresh').length, 1);
});

test('of two tabs one refreshes and the other finds that it has been done', async () => {
  const store = new Store({ isIn: false });
  const locks = createLocks();
  const tabs = [store.session(locks), store.session(locks)];
  await Promise.all(tabs.map((tab) => tab.ask('query Months { a }')));
  assert.equal(store.asked.filter((name) => name === 'Refresh').length, 1);
});

test('a session that is over is forgotten', async () => {
  const store = new Store({ isIn: false, refreshes: 0 });
  store.storage.setItem('pasar-dashboard-logged-in', '1');
  const error = await store.session().ask('query Months { a }').then(assert.fail, (reason) => reason);
  assert.deepEqual([error.kind, error.message], ['session-ended', 'Your session has ended. Please log in again.']);
  assert.equal(store.kept.size, 0);
  assert.equal(store.asked.filter((name) => name === 'Months').length, 1);
});

test('other errors are not tried again', async () => {
  const refusal = new StoreError('not-allowed', 'no');
  let count = 0;
  const execute = async () => {
    count += 1;
    throw refusal;
  };
  await assert.rejects(createSession({ execute, storage: new Store().storage }).ask('query A { a }'), refusal);
  assert.equal(count, 1);
});

test('a first visit refreshes nothing', async () => {
  const store = new Store({ isIn: false });
  assert.equal(await store.session().resume(), null);
  assert.deepEqual(store.asked, ['Me']);
});

test('a later visit gets new tokens', async () => {
  const store = new Store({ isIn: false });
  store.storage.setItem('pasar-dashboard-logged-in', '1');
  assert.deepEqual(await store.session().resume(), USER);
});

test('a login says what it came to, and keeps no token', async () => {
  const store = new Store();
  const { logIn } = store.session();
  store.login = { __typename: 'SecondFactorRequired', challenge: 'c' };
  assert.deepEqual(await logIn('a', 'b'), { challenge: 'c' });
  store.login = { __typename: 'TooManyAttemptsProblem', message: 'wait', retryAfterSeconds: 4 };
  assert.deepEqual(await logIn('a', 'b'), { problem: store.login });
  assert.equal(store.kept.size, 0);
  store.login = { __typename: 'AuthSession', user: USER };
  assert.deepEqual(await logIn('a', 'b'), { user: USER });
  assert.deepEqual([...store.kept], [['pasar-dashboard-logged-in', '1']]);
});

test('a cookie of an ended session does not keep anybody from logging in or out', async () => {
  const store = new Store();
  store.login = { __typename: 'AuthSession', user: USER };
  let refusals = 1;
  const execute = async (query) => {
    // The answer with the refusal removes the cookie
    if (refusals-- > 0) throw ENDED;
    return store.execute(query);
  };
  const session = createSession({ execute, storage: store.storage });
  assert.deepEqual(await session.logIn('a', 'b'), { user: USER });
  refusals = 1;
  await session.logOut();
  assert.deepEqual(store.asked, ['LogIn', 'LogOut']);
  assert.equal(store.kept.size, 0);
});
