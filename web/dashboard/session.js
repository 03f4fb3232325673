// Who is logged in. Tokens are in cookies that no script can read; all that is kept here is whether there may be any.
import { StoreError } from './errors.js';

export const LOGIN = `mutation LogIn($email: String!, $password: String!) {
  login(input: {email: $email, password: $password, transport: COOKIE}) {
    __typename
    ... on AuthSession { user { id name } }
    ... on SecondFactorRequired { challenge }
    ... on TooManyAttemptsProblem { retryAfterSeconds }
    ... on Problem { code message }
  }
}`;
export const COMPLETE_LOGIN = `mutation CompleteLogin($challenge: String!, $code: String!) {
  completeLogin(challenge: $challenge, code: $code, transport: COOKIE) {
    __typename
    ... on AuthSession { user { id name } }
    ... on Problem { code message }
  }
}`;
export const REFRESH = `mutation Refresh {
  refresh(transport: COOKIE) {
    __typename
    ... on TooManyAttemptsProblem { retryAfterSeconds }
    ... on Problem { message }
  }
}`;
export const LOGOUT = 'mutation LogOut { logout }';
export const ME = 'query Me { me { id name } }';

const ENDED = 'Your session has ended. Please log in again.';
const HINT = 'pasar-dashboard-logged-in';
const LOCK = 'pasar-refresh';

/**
 * Return the session of this browser.
 *
 * execute: sends an operation, see graphql.js.
 * storage: localStorage, which holds no token.
 * locks: navigator.locks, so that of several tabs one refreshes: a refresh token that comes twice ends the session.
 *   Undefined where the browser has none.
 */
export function createSession({ execute, storage, locks }) {
  let refreshing = null;

  const remember = (user) => {
    storage.setItem(HINT, '1');
    return user;
  };
  const forget = () => storage.removeItem(HINT);

  /** Send an operation as whoever is logged in; refresh once where the access token is over. */
  async function ask(query, variables, options) {
    try {
      return await execute(query, variables, options);
    } catch (error) {
      if (error.kind !== 'session-ended') throw error;
    }
    await refresh();
    return execute(query, variables, options);
  }

  /** Get new tokens; raise a StoreError, of the kind session-ended if there is nothing to refresh any more. */
  function refresh() {
    refreshing ??= (locks ? locks.request(LOCK, refreshAlone) : refreshAlone()).finally(() => {
      refreshing = null;
    });
    return refreshing;
  }

  async function refreshAlone() {
    // Another tab may have done it while we waited for the lock
    if (await findUser()) return;
    const { refresh: result } = await execute(REFRESH);
    if (result.__typename === 'AuthSession') return;
    if (result.__typename === 'TooManyAttemptsProblem') {
      throw new StoreError('too-many', result.message, { retryAfterS: result.retryAfterSeconds });
    }
    forget();
    throw new StoreError('session-ended', ENDED);
  }

  async function findUser() {
    try {
      return (await execute(ME)).me;
    } catch (error) {
      // The cookie's token is refused; the answer has removed it
      if (error.kind === 'session-ended') return null;
      throw error;
    }
  }

  /** Return who is logged in, or null; refreshes if a login of before may still count. */
  async function resume() {
    const user = await findUser();
    if (user) return remember(user);
    if (!storage.getItem(HINT)) return null;
    await refresh();
    return findUser();
  }

  /** Log in; return `{user}`, or `{challenge}` where a code is needed, or `{problem}`. */
  const logIn = (email, password) => finishLogin('login', LOGIN, { email, password });

  /** Log in with the code that *challenge* asks for; return `{user}` or `{problem}`. */
  const completeLogin = (challenge, code) => finishLogin('completeLogin', COMPLETE_LOGIN, { challenge, code });

  async function finishLogin(field, mutation, variables) {
    let answer;
    try {
      answer = await execute(mutation, variables);
    } catch (error) {
      // A cookie of an ended session came along, and was refused and removed
      if (error.kind !== 'session-ended') throw error;
      answer = await execute(mutation, variables);
    }
    const result = answer[field];
    if (result.__typename === 'AuthSession') return { user: remember(result.user) };
    if (result.__typename === 'SecondFactorRequired') return { challenge: result.challenge };
    return { problem: result };
  }

  /** End the session here and in the store. */
  async function logOut() {
    try {
      await execute(LOGOUT);
    } catch (error) {
      // The access token is over: without it the refresh token's session is ended
      if (error.kind !== 'session-ended') throw error;
      await execute(LOGOUT);
    }
    forget();
  }

  return { ask, refresh, resume, logIn, completeLogin, logOut };
}
