// The ticks of an axis that begins at zero.

const STEPS = [1, 2, 2.5, 5, 10];

/**
 * Return evenly spaced ticks from 0 to at least *largest*, about *count* steps apart, at round numbers.
 *
 * Whole numbers only: nobody sells half an order, and minor units of money are whole as well. With nothing to show, the
 * axis still has two ends.
 */
export function ticksFor(largest, count = 4) {
  if (!(largest > 0)) return [0, 1];
  const rough = largest / count;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = STEPS.map((factor) => factor * magnitude).find((size) => size >= rough && Number.isInteger(size));
  const ticks = [0];
  while (ticks.at(-1) < largest) ticks.push(ticks.length * step);
  return ticks;
}

/** Return which labels, of *count*, to write so that they do not touch: every nth. */
export const labelEvery = (count, width, labelWidth) => Math.max(1, Math.ceil((count * labelWidth) / Math.max(1, width)));
