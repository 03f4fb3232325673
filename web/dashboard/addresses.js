// What is shown, as an address has it.
import { faultOfRange, isMonth } from './months.js';
import { MEASURES } from './measures.js';

/** Ranges that end in the present month, in months. */
export const RANGES = ['12', '24', '36', '60'];
export const CUSTOM = 'custom';

/** Return what *search*, an address's query string, chooses; what it does not say or says wrongly is the default. */
export function readChoices(search, store) {
  const given = new URLSearchParams(search);
  const oneOf = (name, allowed, otherwise) => (allowed.includes(given.get(name)) ? given.get(name) : otherwise);
  const from = given.get('from') ?? '';
  const to = given.get('to') ?? '';
  const isCustom = faultOfRange(from, to) === null;
  const month = given.get('month');
  return {
    range: isCustom ? CUSTOM : oneOf('range', RANGES, '24'),
    from: isCustom ? from : '',
    to: isCustom ? to : '',
    timezone: oneOf('timezone', store.timezones, store.timezone),
    currency: oneOf('currency', store.currencies, store.currency),
    measure: oneOf('measure', Object.keys(MEASURES), 'revenue'),
    month: month && isMonth(month) ? month : null,
  };
}

/** Return the query string of *choices*, with what is not the default. */
export function writeChoices(choices, store) {
  const search = new URLSearchParams();
  const isCustom = choices.range === CUSTOM;
  const defaults = { range: isCustom ? CUSTOM : '24', timezone: store.timezone, currency: store.currency, measure: 'revenue' };
  for (const name of ['range', 'timezone', 'currency', 'measure']) {
    if (choices[name] !== defaults[name]) search.set(name, choices[name]);
  }
  if (isCustom && faultOfRange(choices.from, choices.to) === null) {
    search.set('from', choices.from);
    search.set('to', choices.to);
  }
  if (choices.month) search.set('month', choices.month);
  return search.size ? `?${search}` : '';
}
