// How figures are written. Money comes as text with exactly its currency's decimals, and keeps them.

const LOCALE = 'en';

const COUNT = new Intl.NumberFormat(LOCALE);
const SHORT = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumFractionDigits: 1 });
const GROWTH = new Intl.NumberFormat(LOCALE, { style: 'percent', maximumFractionDigits: 1, signDisplay: 'exceptZero' });

// In UTC, because these are days of a calendar and no moments
const day = (options) => new Intl.DateTimeFormat(LOCALE, { timeZone: 'UTC', ...options });
const MONTH_LONG = day({ month: 'long', year: 'numeric' });
const MONTH_SHORT = day({ month: 'short' });
const DAY_LONG = day({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });

const asDate = (text) => new Date(`${text.length === 7 ? `${text}-01` : text}T00:00:00Z`);

/** Return an amount of money to the last unit. */
export function formatMoney({ decimal, currency }) {
  const digits = decimal.split('.')[1]?.length ?? 0;
  return new Intl.NumberFormat(LOCALE, {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    // Text rather than a number: no rounding on the way
  }).format(decimal);
}

/** Return a count to the last unit. */
export const formatCount = (count) => COUNT.format(count);

/** Return a number for an axis: 1.5M. */
export const formatShort = (number) => SHORT.format(number);

/** Return a change as a percentage with its sign; null, where there was nothing before, has none. */
export const formatGrowth = (ratio) => (ratio === null || ratio === undefined ? 'n/a' : GROWTH.format(ratio));

/** Return 2026-03 as March 2026. */
export const formatMonth = (month) => MONTH_LONG.format(asDate(month));

/** Return 2026-03 as Mar, or as 2026 where a year begins. */
export const formatMonthShort = (month) => (month.endsWith('-01') ? month.slice(0, 4) : MONTH_SHORT.format(asDate(month)));

/** Return 2026-03-09 as Monday, 9 March 2026 is written. */
export const formatDay = (text) => DAY_LONG.format(asDate(text));

/** Return a moment as the clocks of *timezone* show it. */
export const formatMoment = (moment, timezone) =>
  new Intl.DateTimeFormat(LOCALE, { timeZone: timezone, dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' }).format(
    new Date(moment),
  );
