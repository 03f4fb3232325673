// What is shown: in the address, so that a reload or a bookmark shows the same.
import { useState } from 'react';

import { readChoices, writeChoices } from './addresses.js';

/** Return the choices and a function that changes some of them. */
export function useChoices(store) {
  const [choices, setChoices] = useState(() => readChoices(location.search, store));
  const choose = (changes) => {
    const next = { ...choices, ...changes };
    setChoices(next);
    history.replaceState(null, '', location.pathname + writeChoices(next, store));
  };
  return [choices, choose];
}
