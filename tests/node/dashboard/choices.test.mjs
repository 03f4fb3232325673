import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readChoices, writeChoices } from '../../../web/dashboard/addresses.js';

const STORE = { timezone: 'Asia/Jakarta', currency: 'IDR', timezones: ['Asia/Jakarta', 'UTC'], currencies: ['IDR', 'USD'] };
const DEFAULTS = {
  range: '24',
  from: '',
  to: '',
  timezone: 'Asia/Jakarta',
  currency: 'IDR',
  measure: 'revenue',
  month: null,
};

test('the defaults need no address', () => {
  assert.deepEqual(readChoices('', STORE), DEFAULTS);
  assert.equal(writeChoices(DEFAULTS, STORE), '');
});

test('what is chosen is in the address, and comes back from it', () => {
  for (const changes of [
    { range: '60' },
    { range: 'custom', from: '2019-12', to: '2020-01' },
    { timezone: 'UTC', currency: 'USD', measure: 'quantity', month: '2026-03' },
  ]) {
    const choices = { ...DEFAULTS, ...changes };
    assert.deepEqual(readChoices(writeChoices(choices, STORE), STORE), choices);
  }
  assert.equal(
    writeChoices({ ...DEFAULTS, range: 'custom', from: '2019-12', to: '2020-01' }, STORE),
    '?from=2019-12&to=2020-01',
  );
});

test('an address that says what cannot be is taken for the default', () => {
  const search = '?range=7&timezone=Mars/Olympus&currency=XXX&measure=toString&month=2026-13&from=2026-02&to=2026-01';
  assert.deepEqual(readChoices(search, STORE), DEFAULTS);
});
