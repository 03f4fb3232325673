// Opens GraphiQL in Chromium, runs operations, and prints as JSON what a person would see.
//
// Arguments: the browser, the page's address, a file for the screenshot of the first result.
// Standard input: [{"query", "headers", "until"}]; each runs until its result contains `until`.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { chromium } from 'playwright-core';

const TIMEOUT_MS = 60_000;

const [executablePath, url, screenshot] = process.argv.slice(2);
const operations = JSON.parse(readFileSync(0, 'utf8'));
const profile = mkdtempSync(join(tmpdir(), 'graphiql-'));
const seen = { requests: [], problems: [], results: [] };

const context = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  viewport: { width: 1280, height: 800 },
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

  await page.goto(url);
  seen.title = await page.title();
  // The documentation lists the root types once the schema has been read.
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.getByText('query: Query').waitFor();
  seen.documentation = await page.locator('.graphiql-plugin').innerText();
  await page.getByRole('button', { name: 'Headers' }).click();

  const replaceText = async (editor, text) => {
    const lines = await editor.locator('.view-lines').first().elementHandle();
    // Pasted: what is typed, the editor completes with brackets and quotes of its own. An editor that is still being
    // set up drops the keys, so what it shows decides whether to press them again.
    for (let attempt = 1; ; attempt += 1) {
      // The editor itself stays where it is; its lines move when a long one is scrolled.
      await editor.click({ position: { x: 80, y: 8 } });
      await page.keyboard.press('ControlOrMeta+A');
      await page.evaluate((pasted) => navigator.clipboard.writeText(pasted), text);
      await page.keyboard.press('ControlOrMeta+V');
      try {
        await page.waitForFunction(
          ([shown, expected]) => shown.innerText.replace(/\s/g, '').length === expected,
          [lines, text.replace(/\s/g, '').length],
          { timeout: TIMEOUT_MS / 10 },
        );
        return;
      } catch (error) {
        if (attempt === 10) throw error;
      }
    }
  };
  const result = page.locator('.graphiql-response .view-lines');
  // Monaco writes blanks as no-break spaces.
  const readResult = async () => (await result.innerText()).replaceAll('\u00a0', ' ');

  for (const { query, headers, until } of operations) {
    await replaceText(page.locator('.graphiql-query-editor .monaco-editor').first(), query);
    await replaceText(page.locator('.graphiql-editor-tool .monaco-editor:visible').last(), JSON.stringify(headers));
    await page.getByRole('button', { name: /Execute query/ }).click();
    await page.waitForFunction(
      (text) => document.querySelector('.graphiql-response')?.innerText.replaceAll('\u00a0', ' ').includes(text),
      until,
    );
    seen.results.push(await readResult());
    if (seen.results.length === 1) {
      mkdirSync(dirname(screenshot), { recursive: true });
      await page.screenshot({ path: screenshot });
    }
  }
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
console.log(JSON.stringify(seen));
