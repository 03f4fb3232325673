// What is said about a report beside its figures: where they come from, that they are on their way, or what went wrong.
import { formatMoment } from './formats.js';
import { asSentence } from './sentences.js';

/** state: what useReport returns; onRetry: asks again. */
export function ReportState({ state, timezone, onRetry }) {
  const { report, isLoading, error, seconds } = state;
  return (
    <>
      {error && (
        <div role="alert" className="problem">
          <p>
            {asSentence(error.message)} {seconds ? `Trying again in ${seconds} s.` : ''}
          </p>
          {!seconds && (
            <button type="button" onClick={onRetry}>
              Try again
            </button>
          )}
        </div>
      )}
      {!report && isLoading && <p>Loading…</p>}
      {report && (
        <p className="source">{`As of ${formatMoment(report.asOf, timezone)} (${timezone}), served from ${report.servedFrom}`}</p>
      )}
    </>
  );
}
