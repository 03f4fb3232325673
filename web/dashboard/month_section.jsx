// One month: its totals and growth, its days, and what sold best.
import { useId } from 'react';

import { BarChart } from './chart.jsx';
import { formatCount, formatDay, formatGrowth, formatMoney, formatMonth } from './formats.js';
import { decimalsOf, MEASURES } from './measures.js';
import { addMonths, countMonths, daysOf, monthKey, monthOfDay } from './months.js';
import { DAYS, TOP_PRODUCTS } from './operations.js';
import { useReport } from './reports.js';
import { ReportState } from './report_state.jsx';
import { Table } from './table.jsx';

const DAY_COLUMNS = [
  { key: 'day', label: 'Day', isText: true },
  { key: 'revenue', label: 'Revenue' },
  { key: 'orders', label: 'Orders' },
  { key: 'quantity', label: 'Quantity' },
  { key: 'average', label: 'Revenue per order' },
];
const PRODUCT_COLUMNS = [
  { key: 'product', label: 'Product', isText: true },
  { key: 'sku', label: 'SKU', isText: true },
  { key: 'revenue', label: 'Revenue' },
  { key: 'orders', label: 'Orders' },
  { key: 'quantity', label: 'Quantity' },
];

export function MonthSection({
  ask,
  months,
  range,
  month,
  onMonth,
  measure,
  timezone,
  currency,
  today,
  version,
  onError,
  onRetry,
}) {
  const { label, topProductsBy: by, valueOf, format, formatTick } = MEASURES[measure];
  const days = useReport(ask, DAYS, { ...daysOf(month), timezone, currency }, version, onError);
  const products = useReport(ask, TOP_PRODUCTS, { month, by, timezone, currency }, version, onError);
  const total = months.report?.months.find((each) => monthKey(each) === month);
  const picker = useId();
  const choices = Array.from({ length: countMonths(range.from, range.to) }, (_, back) => addMonths(range.to, -back));
  return (
    <section aria-labelledby="month-heading">
      <h2 id="month-heading">{formatMonth(month)}</h2>
      <div className="field">
        <label htmlFor={picker}>Month</label>
        <select id={picker} value={month} onChange={(event) => onMonth(event.target.value)}>
          {choices.map((each) => (
            <option key={each} value={each}>
              {formatMonth(each)}
            </option>
          ))}
        </select>
      </div>
      {total && <MonthTotals total={total} isUnderWay={month === monthOfDay(today)} />}
      <section aria-labelledby="days-heading" aria-busy={days.isLoading ?? false}>
        <h3 id="days-heading">{label} by day</h3>
        {days.report && (
          <>
            <BarChart
              label={`${label} by day in ${formatMonth(month)}. The table below has the figures.`}
              bars={days.report.days.map((day) => ({
                key: day.date,
                label: formatDay(day.date),
                shortLabel: String(Number(day.date.slice(8))),
                value: valueOf(day),
                text: format(day),
              }))}
              formatTick={(tick) => formatTick(tick, decimalsOf(days.report.days))}
            />
            <details>
              <summary>Days as a table</summary>
              <Table
                caption={`Sales by day in ${formatMonth(month)}`}
                columns={DAY_COLUMNS}
                rows={days.report.days.map((day) => ({
                  key: day.date,
                  cells: {
                    day: formatDay(day.date),
                    revenue: formatMoney(day.revenue),
                    orders: formatCount(day.orderCount),
                    quantity: formatCount(day.quantity),
                    average: formatMoney(day.averageOrderValue),
                  },
                }))}
              />
            </details>
          </>
        )}
        <ReportState state={days} timezone={timezone} onRetry={onRetry} />
      </section>
      <section aria-labelledby="products-heading" aria-busy={products.isLoading ?? false}>
        <h3 id="products-heading">{`Top products by ${label.toLowerCase()}`}</h3>
        {products.report &&
          (products.report.products.length ? (
            <Table
              caption={`Top products of ${formatMonth(month)}`}
              columns={PRODUCT_COLUMNS}
              rows={products.report.products.map(({ productId, product, ...sums }) => ({
                key: productId,
                cells: {
                  // Null where the product is no more, or its subgraph is away
                  product: product?.name ?? productId,
                  sku: product?.sku ?? '',
                  revenue: formatMoney(sums.revenue),
                  orders: formatCount(sums.orderCount),
                  quantity: formatCount(sums.quantity),
                },
              }))}
            />
          ) : (
            <p>Nothing was sold.</p>
          ))}
        <ReportState state={products} timezone={timezone} onRetry={onRetry} />
      </section>
    </section>
  );
}

function MonthTotals({ total, isUnderWay }) {
  const rows = [
    ['Revenue', formatMoney(total.revenue), total.growth?.revenue],
    ['Orders', formatCount(total.orderCount), total.growth?.orderCount],
    ['Quantity', formatCount(total.quantity), total.growth?.quantity],
  ];
  return (
    <>
      <dl className="totals" aria-label="Totals of the month">
        {rows.map(([label, text, growth]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              {text} <Growth ratio={growth} />
            </dd>
          </div>
        ))}
        <div>
          <dt>Revenue per order</dt>
          <dd>{formatMoney(total.averageOrderValue)}</dd>
        </div>
      </dl>
      <p className="source">
        {isUnderWay
          ? 'Growth is against the whole month before; this month is not over yet.'
          : 'Growth is against the month before.'}
      </p>
    </>
  );
}

function Growth({ ratio }) {
  const direction = ratio > 0 ? 'up' : ratio < 0 ? 'down' : 'even';
  return <span className={`growth ${direction}`}>{formatGrowth(ratio)}</span>;
}
