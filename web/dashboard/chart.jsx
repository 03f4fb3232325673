// A bar chart as plain SVG. Where bars can be chosen it is a listbox: Tab reaches it, arrows move, Enter chooses.
import { useEffect, useRef, useState } from 'react';

import { labelEvery, ticksFor } from './scale.js';

const HEIGHT = 260;
const MARGIN = { top: 12, right: 14, bottom: 26, left: 52 };
// Of a label of the axis, with the gap to the next
const LABEL_WIDTH = 38;
const BAR_SHARE = 0.72;

/**
 * bars: `[{key, label, shortLabel, value, text}]`; *label* and *text* are what is read to those who cannot see.
 * chosen: the key of the bar that is chosen; onChoose: gets the key of another one. Without onChoose it is a picture.
 */
export function BarChart({ label, bars, chosen = null, onChoose = null, formatTick }) {
  const [frame, width] = useWidth();
  const [focused, setFocused] = useState(null);
  const group = useRef(null);
  const ticks = ticksFor(Math.max(...bars.map((bar) => bar.value)));
  const plotWidth = width - MARGIN.left - MARGIN.right;
  const plotHeight = HEIGHT - MARGIN.top - MARGIN.bottom;
  const slot = plotWidth / bars.length;
  const yOf = (value) => MARGIN.top + plotHeight - (value / ticks.at(-1)) * plotHeight;
  const every = labelEvery(bars.length, plotWidth, LABEL_WIDTH);
  // The one that Tab reaches
  const stops = [focused, chosen, bars.at(-1).key];
  const stop = stops.find((key) => bars.some((bar) => bar.key === key));

  function handleKey(event) {
    const at = bars.findIndex((bar) => bar.key === stop);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - 12, PageDown: at + 12, Home: 0, End: bars.length - 1 }[
      event.key
    ];
    if (to !== undefined) {
      const { key } = bars[Math.min(bars.length - 1, Math.max(0, to))];
      setFocused(key);
      group.current.querySelector(`[data-key="${key}"]`).focus();
    } else if (event.key === 'Enter' || event.key === ' ') {
      onChoose(stop);
    } else {
      return;
    }
    event.preventDefault();
  }

  const asList = onChoose && { role: 'listbox', 'aria-orientation': 'horizontal', onKeyDown: handleKey };
  return (
    <div className="chart" ref={frame}>
      {width > 0 && (
        <svg width={width} height={HEIGHT} role="img" aria-label={label} {...asList} ref={group}>
          <g aria-hidden="true">
            {ticks.map((tick) => (
              <g key={tick}>
                <line className="grid" x1={MARGIN.left} x2={width - MARGIN.right} y1={yOf(tick)} y2={yOf(tick)} />
                <text className="tick" x={MARGIN.left - 8} y={yOf(tick)} dy="0.32em" textAnchor="end">
                  {formatTick(tick)}
                </text>
              </g>
            ))}
          </g>
          {bars.map((bar, index) => {
            const x = MARGIN.left + index * slot;
            const isChosen = bar.key === chosen;
            const asOption = onChoose && {
              role: 'option',
              tabIndex: bar.key === stop ? 0 : -1,
              'aria-selected': isChosen,
              'aria-label': `${bar.label}: ${bar.text}`,
              onClick: () => {
                setFocused(bar.key);
                onChoose(bar.key);
              },
              onFocus: () => setFocused(bar.key),
            };
            return (
              <g key={bar.key} className={isChosen ? 'bar chosen' : 'bar'} data-key={bar.key} {...asOption}>
                <title>{`${bar.label}: ${bar.text}`}</title>
                <rect className="slot" x={x} y={MARGIN.top} width={slot} height={plotHeight + MARGIN.bottom} />
                <rect
                  className="value"
                  x={x + (slot * (1 - BAR_SHARE)) / 2}
                  y={yOf(bar.value)}
                  width={slot * BAR_SHARE}
                  height={MARGIN.top + plotHeight - yOf(bar.value)}
                />
                {/* Not by its colour alone */}
                {isChosen && <path className="mark" d={`M${x + slot / 2} ${HEIGHT - 24} l5 6 h-10 z`} />}
                {(bars.length - 1 - index) % every === 0 && (
                  <text className="tick" x={x + slot / 2} y={HEIGHT - 4} textAnchor="middle" aria-hidden="true">
                    {bar.shortLabel}
                  </text>
                )}
              </g>
            );
          })}
        </svg>
      )}
    </div>
  );
}

/** Return a reference for an element and the width that it has. */
function useWidth() {
  const frame = useRef(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, []);
  return [frame, width];
}
