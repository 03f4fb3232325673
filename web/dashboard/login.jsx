// The way in: e-mail address and password, and a code where the account has a second factor.
import { useEffect, useId, useRef, useState } from 'react';

import { asSentence } from './sentences.js';

/** notice: why somebody has to log in, if they were in before; onLoggedIn: gets the user. */
export function Login({ session, notice, onLoggedIn }) {
  const [challenge, setChallenge] = useState(null);
  const [problem, setProblem] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const first = useRef(null);
  useEffect(() => first.current.focus(), [challenge]);

  async function submit(event) {
    event.preventDefault();
    if (isBusy) return;
    const given = new FormData(event.target);
    setBusy(true);
    setProblem(null);
    try {
      const outcome = challenge
        ? await session.completeLogin(challenge, given.get('code').trim())
        : await session.logIn(given.get('email').trim(), given.get('password'));
      if (outcome.user) {
        onLoggedIn(outcome.user);
        return;
      }
      setBusy(false);
      if (outcome.challenge) setChallenge(outcome.challenge);
      else refuse(outcome.problem);
    } catch (error) {
      if (error.kind === undefined) throw error;
      setBusy(false);
      setProblem(error.message);
    }
  }

  function refuse(reason) {
    setProblem(
      reason.retryAfterSeconds ? `${asSentence(reason.message)} Try again in ${reason.retryAfterSeconds} s.` : asSentence(reason.message),
    );
    if (reason.__typename === 'ChallengeEndedProblem') setChallenge(null);
    first.current?.select();
  }

  return (
    <main className="login">
      <h1>Sales</h1>
      {notice && <p role="status">{notice}</p>}
      <form onSubmit={submit} key={challenge ? 'code' : 'password'} aria-label={challenge ? 'Second factor' : 'Log in'}>
        {challenge ? (
          <Field label="Code of your authenticator app, or a recovery code" name="code" autoComplete="one-time-code" inputRef={first} />
        ) : (
          <>
            <Field label="E-mail address" name="email" type="email" autoComplete="username" inputRef={first} />
            <Field label="Password" name="password" type="password" autoComplete="current-password" />
          </>
        )}
        <p role="alert" className="problem">
          {problem}
        </p>
        <button type="submit" className="primary" aria-disabled={isBusy}>
          {isBusy ? 'One moment…' : challenge ? 'Send the code' : 'Log in'}
        </button>
        {challenge && (
          <button
            type="button"
            onClick={() => {
              setProblem(null);
              setChallenge(null);
            }}
          >
            Back
          </button>
        )}
      </form>
    </main>
  );
}

function Field({ label, inputRef, ...attributes }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} required ref={inputRef} {...attributes} />
    </div>
  );
}
