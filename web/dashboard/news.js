import { useCallback, useEffect, useRef, useState } from 'react';

// Reports are asked for again this often at most, however many orders arrive
const PAUSE_MS = 5_000;

/** Return a version and a function that makes it another one, at once or after a pause. */
export function useNews() {
  const [version, setVersion] = useState(0);
  const state = useRef({ timer: null, toldAt: -PAUSE_MS });
  const tell = useCallback(() => {
    const { timer, toldAt } = state.current;
    if (timer !== null) return;
    const go = () => {
      state.current = { timer: null, toldAt: performance.now() };
      setVersion((last) => last + 1);
    };
    state.current.timer = setTimeout(go, Math.max(0, toldAt + PAUSE_MS - performance.now()));
  }, []);
  useEffect(
    () => () => {
      clearTimeout(state.current.timer);
      state.current.timer = null;
    },
    [],
  );
  return [version, tell];
}
