// A page in Chromium.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const TIMEOUT_MS = 60_000;

// Returns the texts of a table, row by row.
export const readRows = (table) =>
  table.evaluate((element) => [...element.rows].map((row) => [...row.cells].map((cell) => cell.innerText.trim())));

// Opens the page at `url` and lets `use(page, context)` act. `seen` notes every address the page asks for, and its
// errors: what it throws, what the browser complains of, and what its Content-Security-Policy forbids. `prepare(page)`
// is called before the page is opened; `options` are those of a browser context.
export async function withPage(executablePath, url, seen, use, { prepare = async () => {}, ...options } = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'page-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    viewport: { width: 1280, height: 800 },
    ...options,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  try {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT_MS);
    page.on('request', (request) => seen.requests.push(request.url()));
    page.on('console', (message) => message.type() === 'error' && seen.problems.push(message.text()));
    page.on('pageerror', (error) => seen.problems.push(String(error)));
    await page.exposeFunction('noteViolation', (text) => seen.problems.push(text));
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
        window.noteViolation(`the policy's ${violatedDirective} forbids ${blockedURI}`),
      );
    });
    await prepare(page);
    await page.goto(url);
    await use(page, context);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}
