import 'graphiql/setup-workers/vite';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import 'graphiql/style.css';

import { DEFAULT_HEADERS, DEFAULT_QUERY } from './defaults.js';
import { createPlanPlugin } from './query-plan/panel.jsx';
import { createPlanRecorder } from './query-plan/recorder.js';

// The page is served at the GraphQL endpoint itself, so the endpoint is this very address without its query string.
const { origin, pathname } = window.location;

const fetcher = createGraphiQLFetcher({
  url: origin + pathname,
  // Subscriptions; the headers editor's content goes along in the first message.
  subscriptionUrl: origin.replace(/^http/, 'ws') + pathname,
  // A login may have set a cookie instead of returning a token.
  fetch: (input, init) => fetch(input, { ...init, credentials: 'same-origin' }),
});

const recorder = createPlanRecorder();

createRoot(document.getElementById('graphiql')).render(
  createElement(GraphiQL, {
    fetcher: recorder.wrap(fetcher),
    plugins: [HISTORY_PLUGIN, createPlanPlugin(recorder)],
    defaultQuery: DEFAULT_QUERY,
    defaultHeaders: DEFAULT_HEADERS,
    defaultEditorToolsVisibility: 'headers',
    // A token pasted into the headers editor must not stay in the browser's storage by itself.
    shouldPersistHeaders: false,
  }),
);
