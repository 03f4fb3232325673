// Opens GraphiQL in Chromium, runs operations, and prints as JSON what a person would see.
//
// Arguments: the browser, the page's address, a file for the screenshot of the first result.
// Standard input: [{"query", "headers", "until"}]; each runs until its result contains `until`.
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { runOperation } from './graphiql_page.mjs';
import { withPage } from './page.mjs';

const [executablePath, url, screenshot] = process.argv.slice(2);
const operations = JSON.parse(readFileSync(0, 'utf8'));
const seen = { requests: [], problems: [], results: [] };

await withPage(executablePath, url, seen, async (page) => {
  seen.title = await page.title();
  // The documentation lists the root types once the schema has been read.
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.getByText('query: Query').waitFor();
  seen.documentation = await page.locator('.graphiql-plugin').innerText();
  await page.getByRole('button', { name: 'Headers' }).click();
  for (const operation of operations) {
    seen.results.push(await runOperation(page, operation));
    if (seen.results.length === 1) {
      mkdirSync(dirname(screenshot), { recursive: true });
      await page.screenshot({ path: screenshot });
    }
  }
});
console.log(JSON.stringify(seen));
