// The page of somebody who is logged in.
import { useCallback, useEffect, useRef, useState } from 'react';

import { useChoices } from './choices.js';
import { Controls } from './controls.jsx';
import { keepLive } from './live.js';
import { LiveTotals } from './live_totals.jsx';
import { MonthSection } from './month_section.jsx';
import { MonthsSection } from './months_section.jsx';
import { addMonths, dayIn, faultOfRange, monthKey, monthOfDay } from './months.js';
import { useNews } from './news.js';
import { LIVE, LIVE_FIELD, MONTHS } from './operations.js';
import { useReport } from './reports.js';
import { subscribeTo } from './socket.js';

// How soon the page notices that a day is over
const CLOCK_MS = 20_000;
// How old reports get
const REFRESH_MS = 300_000;
const REFRESH_WITHOUT_LIVE_MS = 60_000;

/** onLoggedOut: called with a sentence about why. */
export function Dashboard({ session, store, user, onLoggedOut }) {
  const [choices, choose] = useChoices(store);
  const [isAllowed, setAllowed] = useState(true);
  const [attempt, setAttempt] = useState(0);
  const { timezone, currency, measure } = choices;
  const today = useToday(timezone);
  const { range, fault } = rangeOf(choices, today);
  const onError = useCallback(
    (error) => {
      if (error.kind === 'session-ended') onLoggedOut(error.message);
      if (error.kind === 'not-allowed') setAllowed(false);
    },
    [onLoggedOut],
  );
  const live = useLive({ session, store, timezone, currency, today, isAllowed, onError });
  const [version, tellNews] = useNews();
  const months = useReport(session.ask, MONTHS, isAllowed && range ? { ...range, timezone, currency } : null, version, onError);
  useEffect(() => {
    // After the first event, which only says how things stand
    if (live.events > 1) tellNews();
  }, [live.events, tellNews]);
  const isBehind = differs(months.report, live.totals);
  useEffect(() => {
    if (isBehind) tellNews();
  }, [isBehind, months.report, tellNews]);

  // The live figures tell of the present month alone, and may be cut
  const pause = live.state.phase === 'live' ? REFRESH_MS : REFRESH_WITHOUT_LIVE_MS;
  useEffect(() => {
    const timer = setInterval(tellNews, pause);
    return () => clearInterval(timer);
  }, [pause, tellNews]);

  const heading = useRef(null);
  useEffect(() => heading.current.focus(), [isAllowed]);

  return (
    <>
      <header>
        <h1 tabIndex={-1} ref={heading}>
          Sales
        </h1>
        <p className="user">{user.name}</p>
        <LogOut session={session} onLoggedOut={onLoggedOut} />
      </header>
      {isAllowed ? (
        <main>
          <LiveTotals live={live} timezone={timezone} />
          <Controls choices={choices} choose={choose} store={store} fault={fault} today={today} />
          {range && (
            <>
              <MonthsSection
                months={months}
                measure={measure}
                timezone={timezone}
                month={monthIn(range, choices.month)}
                onMonth={(month) => choose({ month })}
                onRetry={tellNews}
              />
              <MonthSection
                ask={session.ask}
                months={months}
                range={range}
                month={monthIn(range, choices.month)}
                onMonth={(month) => choose({ month })}
                measure={measure}
                timezone={timezone}
                currency={currency}
                today={today}
                version={version}
                onError={onError}
                onRetry={tellNews}
              />
            </>
          )}
        </main>
      ) : (
        <main key={attempt}>
          <div role="alert" className="notice">
            <h2>This account may not see the sales</h2>
            <p>
              {user.name} lacks the permission <code>reports:read</code>. An administrator can give the account a role that
              has it, such as STAFF. Where a role needs a second factor, it counts once one is set up.
            </p>
          </div>
          <button
            type="button"
            className="primary"
            onClick={() => {
              setAttempt(attempt + 1);
              setAllowed(true);
            }}
          >
            Try again
          </button>
        </main>
      )}
    </>
  );
}

function LogOut({ session, onLoggedOut }) {
  const [problem, setProblem] = useState(null);
  async function logOut() {
    setProblem(null);
    try {
      await session.logOut();
      onLoggedOut('You have logged out.');
    } catch (error) {
      if (error.kind === undefined) throw error;
      setProblem(`You are still logged in. ${error.message}`);
    }
  }
  return (
    <>
      <button type="button" onClick={logOut}>
        Log out
      </button>
      <p role="alert" className="problem">
        {problem}
      </p>
    </>
  );
}

/** Return the months to show, or why what was written is no range. */
function rangeOf(choices, today) {
  if (choices.range === 'custom') {
    const fault = faultOfRange(choices.from, choices.to);
    return fault ? { range: null, fault } : { range: { from: choices.from, to: choices.to }, fault: null };
  }
  const to = monthOfDay(today);
  return { range: { from: addMonths(to, 1 - Number(choices.range)), to }, fault: null };
}

/** Return the month that was chosen where it is within *range*, otherwise the last one. */
const monthIn = (range, month) => (month && month >= range.from && month <= range.to ? month : range.to);

/** Tell whether *report* shows the present month otherwise than the newest event says. */
function differs(report, totals) {
  const shown = totals && report?.months.find((month) => monthKey(month) === monthKey(totals.month));
  return Boolean(
    shown &&
      (shown.orderCount !== totals.month.orderCount ||
        shown.quantity !== totals.month.quantity ||
        shown.revenue.amount !== totals.month.revenue.amount),
  );
}

/** Return the day that calendars in *timezone* show now. */
function useToday(timezone) {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), CLOCK_MS);
    return () => clearInterval(timer);
  }, []);
  return dayIn(timezone, now);
}

const NOTHING_YET = { totals: null, events: 0, state: { phase: 'connecting' } };

/** Return `{totals, events, state}` of the subscription; it is opened anew when *today* is another day. */
function useLive({ session, store, timezone, currency, today, isAllowed, onError }) {
  const [live, setLive] = useState(NOTHING_YET);
  useEffect(() => {
    if (!isAllowed) return undefined;
    setLive(NOTHING_YET);
    return keepLive({
      open: subscribeTo(store.socketUrl, LIVE, { timezone, currency }, LIVE_FIELD),
      refresh: session.refresh,
      onTotals: (totals) => setLive((last) => ({ ...last, totals, events: last.events + 1 })),
      onState: (state) => setLive((last) => ({ ...last, state })),
      onSessionEnded: onError,
    });
  }, [session, store, timezone, currency, today, isAllowed, onError]);
  return live;
}
