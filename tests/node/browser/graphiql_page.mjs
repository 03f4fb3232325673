// What a person does in GraphiQL.
import { TIMEOUT_MS } from './page.mjs';

// Runs an operation until its result contains `until`, and returns the result as it is shown.
export async function runOperation(page, { query, headers, until }) {
  await replaceText(page, page.locator('.graphiql-query-editor .monaco-editor').first(), query);
  if (headers) {
    const editor = page.locator('.graphiql-editor-tool .monaco-editor:visible').last();
    await replaceText(page, editor, JSON.stringify(headers));
  }
  // GraphiQL reads what is written a little later, and would run it under the name of what was there before: the tab's
  // title tells when. Operations that differ in kind therefore need names.
  const [, name = '<untitled>'] = /^(?:query|mutation|subscription) (\w+)/.exec(query) ?? [];
  await page.getByRole('tab', { name, exact: true }).waitFor();
  await page.getByRole('button', { name: /Execute query/ }).click();
  await page.waitForFunction(
    (text) => document.querySelector('.graphiql-response')?.innerText.replaceAll('\u00a0', ' ').includes(text),
    until,
  );
  // Monaco writes blanks as no-break spaces.
  return (await page.locator('.graphiql-response .view-lines').innerText()).replaceAll('\u00a0', ' ');
}

async function replaceText(page, editor, text) {
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
}
