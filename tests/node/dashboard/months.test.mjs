import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addMonths, countMonths, dayIn, daysOf, faultOfRange, isMonth, monthKey } from '../../../web/dashboard/months.js';

test('months are counted across the turn of years', () => {
  assert.equal(addMonths('2026-01', -1), '2025-12');
  assert.equal(addMonths('2025-12', 1), '2026-01');
  assert.equal(addMonths('2026-11', -23), '2024-12');
  assert.equal(countMonths('2024-12', '2026-11'), 24);
  assert.equal(monthKey({ year: 99, month: 3 }), '0099-03');
});

test('a month has as many days as the calendar gives it', () => {
  assert.deepEqual(daysOf('2026-02'), { from: '2026-02-01', to: '2026-02-28' });
  assert.deepEqual(daysOf('2024-02'), { from: '2024-02-01', to: '2024-02-29' });
  assert.deepEqual(daysOf('1900-02'), { from: '1900-02-01', to: '1900-02-28' });
  assert.deepEqual(daysOf('0004-02'), { from: '0004-02-01', to: '0004-02-29' });
  assert.deepEqual(daysOf('2026-12'), { from: '2026-12-01', to: '2026-12-31' });
});

test('the day is the one that calendars of the timezone show', () => {
  const moment = new Date('2026-11-30T18:29:59Z');
  assert.equal(dayIn('UTC', moment), '2026-11-30');
  assert.equal(dayIn('Asia/Jakarta', moment), '2026-12-01');
  assert.equal(dayIn('Asia/Kolkata', moment), '2026-11-30');
  assert.equal(dayIn('Asia/Kolkata', new Date(moment.getTime() + 1000)), '2026-12-01');
  assert.equal(dayIn('America/Los_Angeles', moment), '2026-11-30');
});

test('what is no range says why', () => {
  assert.equal(faultOfRange('2026-01', '2026-01'), null);
  assert.equal(faultOfRange('1976-12', '2026-11'), null);
  assert.equal(faultOfRange('1976-11', '2026-11'), '601 months are too many: at most 600 can be shown.');
  assert.equal(faultOfRange('2026-03', '2026-01'), 'The range ends in 2026-01, before it begins in 2026-03.');
  for (const text of ['', '2026', '2026-13', '2026-00', '26-01', '2026-1', ' 2026-01']) {
    assert.equal(isMonth(text), false, text);
    assert.equal(faultOfRange(text, '2026-01'), 'Write both months as year and month, such as 2026-03.');
  }
});
