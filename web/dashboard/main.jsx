import { StrictMode, useCallback, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

import { delayAfter, waitFor } from './backoff.js';
import { Dashboard } from './dashboard.jsx';
import { mayPass } from './errors.js';
import { createExecute } from './graphql.js';
import { Login } from './login.jsx';
import { createSession } from './session.js';
import { asSentence } from './sentences.js';
import './style.css';

const store = readStore();
const session = createSession({
  execute: createExecute(store.url, (...request) => fetch(...request)),
  storage: localStorage,
  locks: navigator.locks,
});

/** Return what pasar/dashboard.py tells about the store, and what follows from it. */
function readStore() {
  const told = JSON.parse(document.querySelector('meta[name="pasar-store"]').content);
  const url = new URL(told.graphqlPath, location.href);
  const timezones = new Set([told.timezone, 'UTC', ...Intl.supportedValuesOf('timeZone')]);
  return {
    ...told,
    url: url.href,
    socketUrl: url.href.replace(/^http/, 'ws'),
    timezones: [...timezones].sort(),
  };
}

function Page() {
  const [state, setState] = useState({ user: null, isReady: false, notice: null });
  const logOut = useCallback((notice) => setState({ user: null, isReady: true, notice }), []);

  useEffect(() => {
    const stopping = new AbortController();
    const show = (next) => !stopping.signal.aborted && setState(next);
    async function resume() {
      for (let failures = 1; !stopping.signal.aborted; failures += 1) {
        try {
          show({ user: await session.resume(), isReady: true, notice: null });
          return;
        } catch (error) {
          if (error.kind === undefined) throw error;
          if (!mayPass(error)) {
            show({ user: null, isReady: true, notice: error.message });
            return;
          }
          const ms = Math.max(delayAfter(failures), (error.retryAfterS ?? 0) * 1000);
          const notice = `${asSentence(error.message)} Trying again in ${Math.ceil(ms / 1000)} s.`;
          show({ user: null, isReady: false, notice });
          await waitFor(ms, stopping.signal);
        }
      }
    }
    resume();
    return () => stopping.abort();
  }, []);

  if (!state.isReady) {
    return (
      <main className="login">
        <h1>Sales</h1>
        <p role="status">{state.notice ?? 'Loading…'}</p>
      </main>
    );
  }
  if (!state.user) {
    return (
      <Login
        session={session}
        notice={state.notice}
        onLoggedIn={(user) => setState({ user, isReady: true, notice: null })}
      />
    );
  }
  return <Dashboard session={session} store={store} user={state.user} onLoggedOut={logOut} />;
}

createRoot(document.getElementById('dashboard')).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
