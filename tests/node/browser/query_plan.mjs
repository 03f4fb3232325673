// Opens GraphiQL's panel "Query plan" in Chromium by the keyboard, runs operations, and prints as JSON what is there.
//
// Arguments: the browser, the page's address, a folder for screenshots.
// Standard input: [{"query", "until"}]; each runs until its result contains `until`, with the panel open.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { measureTexts } from './contrast.mjs';
import { runOperation } from './graphiql_page.mjs';
import { withPage } from './page.mjs';

const [executablePath, url, screenshots] = process.argv.slice(2);
const operations = JSON.parse(readFileSync(0, 'utf8'));
const seen = { requests: [], problems: [], results: [], panels: [] };
mkdirSync(screenshots, { recursive: true });

// The accessible names and roles of the panel, as a screen reader gets them.
const readPanel = (page) => page.getByRole('region', { name: 'Query plan', exact: true }).ariaSnapshot();

await withPage(executablePath, url, seen, async (page) => {
  await page.getByRole('button', { name: 'Show Query plan' }).focus();
  await page.keyboard.press('Enter');
  seen.before = await readPanel(page);
  const toggle = page.getByRole('switch', { name: 'Ask for the plan' });
  await toggle.focus();
  await page.keyboard.press('Space');
  for (const operation of operations) {
    seen.results.push(await runOperation(page, operation));
    await page.getByRole('status').filter({ hasNotText: 'Running' }).waitFor();
    seen.panels.push(await readPanel(page));
  }
  if (await page.getByRole('button', { name: /^Fetch 1 / }).count()) {
    // From the switch: the first fetch, its document by Enter, the document itself, the second fetch.
    await toggle.focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    seen.document = await page.getByRole('region', { name: 'Document of fetch 1' }).innerText();
    seen.focused = [];
    for (let step = 0; step < 2; step += 1) {
      await page.keyboard.press('Tab');
      seen.focused.push(await page.evaluate(() => document.activeElement.getAttribute('aria-label')));
    }
    await page.getByText('Plan as text').first().click();
    seen.text = await page.getByRole('region', { name: 'Plan as text' }).innerText();
    seen.contrast = {};
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      seen.contrast[colorScheme] = (await measureTexts(page, '.pasar-plan')).least;
      await page.screenshot({ path: join(screenshots, `query-plan-${colorScheme}.png`) });
    }
  }
});
console.log(JSON.stringify(seen));
