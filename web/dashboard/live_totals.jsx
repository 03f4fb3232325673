// Today and this month, as they are at this moment.
import { formatCount, formatDay, formatMoment, formatMoney, formatMonth } from './formats.js';
import { monthKey } from './months.js';
import { asSentence } from './sentences.js';

/** live: `{totals, state}`. */
export function LiveTotals({ live, timezone }) {
  const { totals, state } = live;
  return (
    <section aria-labelledby="live-heading" className="live">
      <h2 id="live-heading">Now</h2>
      <p role="status" className={`connection ${state.phase}`}>
        {describe(state)}
      </p>
      {totals && (
        <>
          <div className="cards">
            <Card title="Today" about={formatDay(totals.today.date)} totals={totals.today} />
            <Card title="This month" about={formatMonth(monthKey(totals.month))} totals={totals.month} />
          </div>
          <p className="source">{`As of ${formatMoment(totals.asOf, timezone)} (${timezone})`}</p>
        </>
      )}
    </section>
  );
}

function Card({ title, about, totals }) {
  return (
    <article aria-label={title}>
      <h3>
        {title} <small>{about}</small>
      </h3>
      <dl>
        <div className="large">
          <dt>Revenue</dt>
          <dd>{formatMoney(totals.revenue)}</dd>
        </div>
        <div>
          <dt>Orders</dt>
          <dd>{formatCount(totals.orderCount)}</dd>
        </div>
        <div>
          <dt>Quantity</dt>
          <dd>{formatCount(totals.quantity)}</dd>
        </div>
      </dl>
    </article>
  );
}

function describe({ phase, message, seconds }) {
  switch (phase) {
    case 'live':
      return 'Live: changes appear by themselves.';
    case 'waiting':
      return `${message ? asSentence(message) : 'The live connection was closed.'} Trying again in ${seconds} s.`;
    case 'stopped':
      return `No live figures. ${message ? asSentence(message) : ''}`;
    default:
      return 'Connecting…';
  }
}
