// The months of the range: a chart in which one can be chosen, and the same as a table.
import { BarChart } from './chart.jsx';
import { formatCount, formatGrowth, formatMoney, formatMonth, formatMonthShort } from './formats.js';
import { decimalsOf, MEASURES } from './measures.js';
import { monthKey } from './months.js';
import { ReportState } from './report_state.jsx';
import { Table } from './table.jsx';

const COLUMNS = [
  { key: 'month', label: 'Month', isText: true },
  { key: 'revenue', label: 'Revenue' },
  { key: 'revenueGrowth', label: 'Growth of revenue' },
  { key: 'orders', label: 'Orders' },
  { key: 'ordersGrowth', label: 'Growth of orders' },
  { key: 'quantity', label: 'Quantity' },
  { key: 'quantityGrowth', label: 'Growth of quantity' },
  { key: 'average', label: 'Revenue per order' },
];

export function MonthsSection({ months, measure, timezone, month, onMonth, onRetry }) {
  const totals = months.report?.months;
  const { label, valueOf, format, growthOf, formatTick } = MEASURES[measure];
  return (
    <section aria-labelledby="months-heading" aria-busy={months.isLoading ?? false}>
      <h2 id="months-heading">{label} by month</h2>
      {totals && (
        <>
          <BarChart
            label={`${label} by month. Arrow keys move, Enter chooses a month.`}
            bars={totals.map((total) => ({
              key: monthKey(total),
              label: formatMonth(monthKey(total)),
              shortLabel: formatMonthShort(monthKey(total)),
              value: valueOf(total),
              text: `${format(total)}, ${formatGrowth(growthOf(total))} against the month before`,
            }))}
            chosen={month}
            onChoose={onMonth}
            formatTick={(tick) => formatTick(tick, decimalsOf(totals))}
          />
          <details>
            <summary>Months as a table</summary>
            <Table
              caption="Sales by month; growth is against the month before"
              columns={COLUMNS}
              rows={totals.map((total) => ({
                key: monthKey(total),
                cells: {
                  month: formatMonth(monthKey(total)),
                  revenue: formatMoney(total.revenue),
                  revenueGrowth: formatGrowth(total.growth?.revenue),
                  orders: formatCount(total.orderCount),
                  ordersGrowth: formatGrowth(total.growth?.orderCount),
                  quantity: formatCount(total.quantity),
                  quantityGrowth: formatGrowth(total.growth?.quantity),
                  average: formatMoney(total.averageOrderValue),
                },
              }))}
            />
          </details>
        </>
      )}
      <ReportState state={months} timezone={timezone} onRetry={onRetry} />
    </section>
  );
}
