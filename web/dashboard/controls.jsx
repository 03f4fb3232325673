// Which months, whose calendar, which currency, and what of it.
import { useId } from 'react';

import { CUSTOM, RANGES } from './addresses.js';
import { MEASURES } from './measures.js';
import { addMonths, monthOfDay } from './months.js';

/** fault: why the months that were written are no range, or null. */
export function Controls({ choices, choose, store, fault, today }) {
  const faultId = useId();
  function chooseRange(range) {
    if (range !== CUSTOM) return choose({ range });
    // Begin with what is on the screen
    const to = monthOfDay(today);
    const months = choices.range === CUSTOM ? 24 : Number(choices.range);
    return choose({ range, from: addMonths(to, 1 - months), to });
  }
  const month = (name, label) => (
    <Labelled label={label}>
      {(id) => (
        <input
          id={id}
          type="month"
          required
          pattern="\d{4}-\d{2}"
          value={choices[name]}
          aria-invalid={fault !== null}
          aria-describedby={faultId}
          onChange={(event) => choose({ [name]: event.target.value })}
        />
      )}
    </Labelled>
  );
  return (
    <form className="controls" aria-label="What to show" onSubmit={(event) => event.preventDefault()}>
      <Labelled label="Months">
        {(id) => (
          <select id={id} value={choices.range} onChange={(event) => chooseRange(event.target.value)}>
            {RANGES.map((range) => (
              <option key={range} value={range}>{`Last ${range} months`}</option>
            ))}
            <option value={CUSTOM}>From and to…</option>
          </select>
        )}
      </Labelled>
      {choices.range === CUSTOM && (
        <>
          {month('from', 'From')}
          {month('to', 'To')}
        </>
      )}
      <Choice label="Timezone" value={choices.timezone} options={store.timezones} onChange={(timezone) => choose({ timezone })} />
      <Choice label="Currency" value={choices.currency} options={store.currencies} onChange={(currency) => choose({ currency })} />
      <fieldset>
        <legend>Show</legend>
        {Object.entries(MEASURES).map(([name, { label }]) => (
          <label key={name}>
            <input
              type="radio"
              name="measure"
              value={name}
              checked={choices.measure === name}
              onChange={() => choose({ measure: name })}
            />
            {label}
          </label>
        ))}
      </fieldset>
      <p id={faultId} role="alert" className="problem">
        {fault}
      </p>
    </form>
  );
}

function Choice({ label, value, options, onChange }) {
  return (
    <Labelled label={label}>
      {(id) => (
        <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
          {options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

function Labelled({ label, children }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
    </div>
  );
}
