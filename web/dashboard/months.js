// Months and days of the calendar, as the API writes them: "2026-11", "2026-11-24".

const MONTH = /^(\d{4})-(0[1-9]|1[0-2])$/;

/** The API answers no longer ranges. */
export const MAX_MONTHS = 600;

/** Return whether *text* is a month such as 2026-11. */
export const isMonth = (text) => MONTH.test(text);

const numberOf = (month) => {
  const [, year, number] = MONTH.exec(month);
  return Number(year) * 12 + Number(number) - 1;
};

const textOf = (number) => `${String(Math.floor(number / 12)).padStart(4, '0')}-${pad((number % 12) + 1)}`;

const pad = (number) => String(number).padStart(2, '0');

/** Return the month that is *count* months after *month*, or before it where *count* is negative. */
export const addMonths = (month, count) => textOf(numberOf(month) + count);

/** Return how many months there are from *from* to *to*, both included; less than one in the wrong order. */
export const countMonths = (from, to) => numberOf(to) - numberOf(from) + 1;

/** Return the month of the API's `{year, month}`. */
export const monthKey = ({ year, month }) => `${String(year).padStart(4, '0')}-${pad(month)}`;

/** Return the first and the last day of *month*. */
export function daysOf(month) {
  const [, year, number] = MONTH.exec(month);
  const last = new Date(Date.UTC(2000, 0, 1));
  // Not the constructor: it takes years before 100 for those of the last century. Day 0 is the last one before
  last.setUTCFullYear(Number(year), Number(number), 0);
  return { from: `${month}-01`, to: `${month}-${pad(last.getUTCDate())}` };
}

/** Return the day that calendars in *timezone* show at *moment*. */
export function dayIn(timezone, moment) {
  const parts = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    timeZone: timezone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(moment);
  const { year, month, day } = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
  return `${year.padStart(4, '0')}-${month}-${day}`;
}

/** Return the month of a day. */
export const monthOfDay = (day) => day.slice(0, 7);

/** Return why *from* and *to* are no range that can be asked for; null if they are one. */
export function faultOfRange(from, to) {
  if (!isMonth(from) || !isMonth(to)) return 'Write both months as year and month, such as 2026-03.';
  const count = countMonths(from, to);
  if (count < 1) return `The range ends in ${to}, before it begins in ${from}.`;
  if (count > MAX_MONTHS) return `${count} months are too many: at most ${MAX_MONTHS} can be shown.`;
  return null;
}
