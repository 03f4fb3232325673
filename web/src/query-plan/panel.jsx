// The panel "Query plan": a waterfall of the last answer's fetches, in the structure of its plan.
import { parse, print } from 'graphql';
import { useId, useState, useSyncExternalStore } from 'react';

import { outlinePlan } from './outline.js';
import './panel.css';

const STATES = {
  ok: 'ok',
  errors: 'answered with errors',
  failed: 'failed',
  skipped: 'skipped',
  unfinished: 'given up',
};

/** Return the plugin for GraphiQL that shows what *recorder* has recorded. */
export function createPlanPlugin(recorder) {
  return { title: 'Query plan', icon: PlanIcon, content: () => <PlanPanel recorder={recorder} /> };
}

function PlanIcon() {
  return (
    <svg viewBox="0 0 24 24" stroke="currentColor" strokeWidth="2.5" strokeLinecap="round" aria-hidden="true">
      <path d="M3 5h8M8 12h7M13 19h8" />
    </svg>
  );
}

function PlanPanel({ recorder }) {
  const { isAsking, phase, plan } = useSyncExternalStore(recorder.subscribe, recorder.read);
  return (
    <section className="pasar-plan" aria-label="Query plan">
      <div className="pasar-plan-title">Query plan</div>
      <label className="pasar-plan-switch">
        <input
          type="checkbox"
          role="switch"
          checked={isAsking}
          onChange={(event) => recorder.setAsking(event.target.checked)}
        />
        Ask for the plan
      </label>
      <p role="status">
        <Status isAsking={isAsking} phase={phase} plan={plan} />
      </p>
      {plan && <Entries entries={outlinePlan(plan)} depth={0} totalMs={plan.durationMs} label="Fetches" />}
      {plan && (
        <details className="pasar-plan-text">
          <summary>Plan as text</summary>
          <Text label="Plan as text">{plan.text}</Text>
        </details>
      )}
    </section>
  );
}

function Status({ isAsking, phase, plan }) {
  switch (phase) {
    case 'running':
      return 'Running…';
    case 'there':
      if (!plan.requests) return 'No subgraph was needed.';
      return (
        `At most ${count(plan.requests, 'request')}, depth ${plan.depth}. ` +
        `${milliseconds(plan.durationMs)} in all.`
      );
    case 'missing':
      return (
        <>
          The last answer has no plan. The router gives it in development (<code>expose_query_plan: everybody</code>) or
          to admins: log in as one, or write the token of one into <i>Headers</i>. A request that is refused as a whole
          has none either.
        </>
      );
    default:
      return isAsking
        ? 'Run an operation to see how it was answered.'
        : 'Switch this on and run an operation to see how it was answered.';
  }
}

// Entries are indented by their first line only, so that all bars have the same scale.
function Entries({ entries, depth, totalMs, ...labels }) {
  return (
    <ul className="pasar-plan-entries" aria-label={labels.label} aria-labelledby={labels.labelledBy}>
      {entries.map((entry, position) =>
        entry.fetch ? (
          <FetchRow key={position} entry={entry} depth={depth} totalMs={totalMs} />
        ) : (
          <Group key={position} entry={entry} depth={depth} totalMs={totalMs} />
        ),
      )}
    </ul>
  );
}

function Group({ entry, depth, totalMs }) {
  const id = useId();
  return (
    <li>
      <div id={id} className="pasar-plan-heading" style={{ '--depth': depth }}>
        {entry.heading}
      </div>
      <Entries entries={entry.entries} depth={depth + 1} totalMs={totalMs} labelledBy={id} />
    </li>
  );
}

function FetchRow({ entry: { fetch, document, places }, depth, totalMs }) {
  const [isOpen, setIsOpen] = useState(false);
  const id = useId();
  const facts = [
    fetch.state !== 'ok' && STATES[fetch.state],
    fetch.representations > 0 && count(fetch.representations, 'object'),
    fetch.shared && 'shared',
    fetch.answerBytes !== null && kilobytes(fetch.answerBytes),
  ].filter(Boolean);
  return (
    <li>
      <button
        type="button"
        className="pasar-plan-fetch"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        aria-label={describeFetch(fetch)}
        onClick={() => setIsOpen(!isOpen)}
      >
        <span className="pasar-plan-line" style={{ '--depth': depth }}>
          <span className="pasar-plan-number">{fetch.number}</span>
          <span className="pasar-plan-subgraph">{fetch.subgraph}</span>
          <span className="pasar-plan-facts">{facts.join(', ')}</span>
          <span className="pasar-plan-time">{fetch.durationMs === null ? '–' : milliseconds(fetch.durationMs)}</span>
        </span>
        <span className="pasar-plan-track">
          {fetch.startMs !== null && (
            <span className="pasar-plan-bar" data-state={fetch.state} style={place(fetch, totalMs)} />
          )}
        </span>
      </button>
      {isOpen && (
        <div id={id} className="pasar-plan-details">
          {fetch.startMs !== null && <div>Sent after {milliseconds(fetch.startMs)}</div>}
          {places.length > 0 && <div>For the objects at {places.join(', ')}</div>}
          <Text label={`Document of fetch ${fetch.number}`}>{indent(document)}</Text>
        </div>
      )}
    </li>
  );
}

// Focusable, for whoever scrolls by the keyboard.
function Text({ label, children }) {
  return (
    <pre role="region" aria-label={label} tabIndex={0}>
      {children}
    </pre>
  );
}

function describeFetch({ number, subgraph, state, startMs, durationMs, representations, shared }) {
  return [
    `Fetch ${number} from ${subgraph}: ${STATES[state]}`,
    durationMs !== null && `took ${milliseconds(durationMs)}`,
    startMs !== null && `sent after ${milliseconds(startMs)}`,
    representations > 0 && `about ${count(representations, 'object')}`,
    shared && 'shared with an identical request',
  ]
    .filter(Boolean)
    .join(', ');
}

function place({ startMs, durationMs }, totalMs) {
  // What is unfinished lasts until the end; what took next to no time is still to be seen.
  const lasted = durationMs ?? totalMs - startMs;
  const share = (ms) => (totalMs ? (100 * ms) / totalMs : 0);
  return { left: `min(${share(startMs)}%, 100% - 3px)`, width: `max(${share(lasted)}%, 3px)` };
}

function indent(document) {
  try {
    return print(parse(document));
  } catch {
    return document;
  }
}

const milliseconds = (ms) => `${ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
const kilobytes = (bytes) => (bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`);
const count = (number, noun) => `${number} ${noun}${number === 1 ? '' : 's'}`;
