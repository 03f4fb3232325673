import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatGrowth, formatMoment, formatMoney, formatMonthShort } from '../../../web/dashboard/formats.js';
import { decimalsOf, MEASURES } from '../../../web/dashboard/measures.js';
import { labelEvery, ticksFor } from '../../../web/dashboard/scale.js';

test('money is shown to the last unit, with the decimals that the store uses', () => {
  assert.equal(formatMoney({ decimal: '90071992547409.91', currency: 'USD' }), '$90,071,992,547,409.91');
  assert.equal(formatMoney({ decimal: '9007199254740991', currency: 'IDR' }), 'IDR\u00a09,007,199,254,740,991');
  assert.equal(formatMoney({ decimal: '0.05', currency: 'EUR' }), '€0.05');
  assert.equal(formatMoney({ decimal: '-12.50', currency: 'USD' }), '-$12.50');
});

test('growth has its sign, and is n/a where there was nothing before', () => {
  assert.deepEqual([0.25, -0.125, 0, 12.3456, null, undefined].map(formatGrowth), [
    '+25%',
    '-12.5%',
    '0%',
    '+1,234.6%',
    'n/a',
    'n/a',
  ]);
});

test('moments are those of the timezone', () => {
  assert.equal(formatMoment('2026-11-30T17:00:00.000Z', 'Asia/Jakarta'), 'Dec 1, 2026, 00:00:00');
});

test('the axis says where a year begins', () => {
  assert.deepEqual(['2025-12', '2026-01', '2026-02'].map(formatMonthShort), ['Dec', '2026', 'Feb']);
});

test('ticks are whole round numbers that reach the largest value', () => {
  assert.deepEqual(ticksFor(0), [0, 1]);
  assert.deepEqual(ticksFor(1), [0, 1]);
  assert.deepEqual(ticksFor(3), [0, 1, 2, 3]);
  assert.deepEqual(ticksFor(41), [0, 20, 40, 60]);
  assert.deepEqual(ticksFor(90), [0, 25, 50, 75, 100]);
  assert.deepEqual(ticksFor(1_234_567), [0, 500_000, 1_000_000, 1_500_000]);
  for (const largest of [2, 7, 9, 11, 99, 101, 12_345, 9_007_199_254_740_991]) {
    const ticks = ticksFor(largest);
    assert.ok(ticks.every(Number.isInteger) && ticks.at(-1) >= largest && ticks.at(-2) < largest, String(largest));
    assert.ok(ticks.length <= 6, String(largest));
  }
});

test('labels leave room for each other', () => {
  assert.equal(labelEvery(24, 960, 38), 1);
  assert.equal(labelEvery(24, 250, 38), 4);
  assert.equal(labelEvery(600, 0, 38), 22_800);
});

test('the axis of money is in major units', () => {
  const totals = [{ revenue: { amount: 150_000, decimal: '1500.00', currency: 'USD' } }];
  assert.equal(decimalsOf(totals), 2);
  assert.equal(MEASURES.revenue.formatTick(150_000, decimalsOf(totals)), '1.5K');
  assert.equal(decimalsOf([{ revenue: { amount: 150_000, decimal: '150000', currency: 'IDR' } }]), 0);
  assert.equal(decimalsOf([]), 0);
});
