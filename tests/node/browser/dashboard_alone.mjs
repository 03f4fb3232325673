// Walks through the page of sales before a fake store, and prints as JSON what a person would see.
//
// Arguments: the browser, the page's address, a folder for screenshots.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { measureShapes, measureTexts } from './contrast.mjs';
import { FakeStore, refusedWith, sums } from './fake_store.mjs';
import { readRows, withPage } from './page.mjs';

const [executablePath, url, screenshots] = process.argv.slice(2);
mkdirSync(screenshots, { recursive: true });
const seen = { requests: [], problems: [], contrast: {}, widths: {} };
const store = new FakeStore();

const alertOf = (page, name) => page.getByRole('region', { name }).getByRole('alert');
const month = (page, key) => page.getByRole('combobox', { name: 'Month', exact: true }).selectOption(key);
// The page waits before it tries again, unless the browser tells it that there is a network
const comeBack = (page) => page.evaluate(() => window.dispatchEvent(new Event('online')));
const status = (page, text) => page.getByRole('status').filter({ hasText: text }).waitFor();

async function logIn(page, password = 'right') {
  await page.getByLabel('E-mail address').fill('sinta@pasar.example');
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
}

// In both colour schemes: the least contrast of texts and of shapes.
async function measureContrast(page, name) {
  seen.contrast[name] = {};
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    seen.contrast[name][colorScheme] = {
      text: await measureTexts(page, 'body'),
      shape: await measureShapes(page, 'body'),
    };
    await page.screenshot({ path: join(screenshots, `dashboard-${name}-${colorScheme}.png`), fullPage: true });
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
}

const rowsOf = (page, caption) => readRows(page.getByRole('table', { name: caption }));

async function walk(page) {
  seen.day = new Date().toISOString().split('T')[0];
  // The way in
  await page.getByLabel('Password').waitFor();
  seen.focusedAtFirst = await page.evaluate(() => document.activeElement.name);
  await logIn(page, 'wrong');
  seen.wrongPassword = await page.getByRole('alert').innerText();
  await measureContrast(page, 'login');
  store.needsCode = true;
  await logIn(page);
  await page.getByLabel('Code of your authenticator app').fill('000000');
  await page.keyboard.press('Enter');
  await page.getByText('The code is wrong').waitFor();
  await page.getByLabel('Code of your authenticator app').fill('123456');
  await page.keyboard.press('Enter');
  store.needsCode = false;

  // What is there
  await status(page, 'Live');
  await page.getByText('SKU-').first().waitFor();
  seen.focusedAfterLogin = await page.evaluate(() => document.activeElement.textContent);
  seen.variables = { ...store.variables };
  seen.today = await page.getByRole('article', { name: 'Today' }).innerText();
  seen.thisMonth = await page.getByRole('article', { name: 'This month' }).innerText();
  seen.bars = await page.locator('g[role=option]').evaluateAll((bars) =>
    bars.map((bar) => bar.getAttribute('aria-label')),
  );
  await page.getByText('Months as a table').click();
  await page.getByText('Days as a table').click();
  seen.months = await rowsOf(page, 'Sales by month');
  seen.days = await rowsOf(page, 'Sales by day');
  seen.products = await rowsOf(page, 'Top products of');
  seen.totals = await page.getByLabel('Totals of the month').innerText();
  seen.sources = await page.locator('.source').allInnerTexts();
  await measureContrast(page, 'sales');
  seen.motion = {};
  for (const reducedMotion of ['no-preference', 'reduce']) {
    await page.emulateMedia({ reducedMotion });
    seen.motion[reducedMotion] = await page
      .locator('.bar .value')
      .first()
      .evaluate((bar) => getComputedStyle(bar).transitionDuration);
  }
  for (const width of [320, 412, 768, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await page.waitForFunction((most) => document.querySelector('.chart svg').clientWidth < most, width);
    seen.widths[width] = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width < 768) await measureContrast(page, `sales-${width}`);
  }

  // News: shown at once, and the reports follow
  store.push({ today: sums(4, 9, 223_456), month: sums(42, 92, 1_334_567) });
  await page.getByRole('article', { name: 'This month' }).getByText('$13,345.67').waitFor();
  await page.locator('g[role=option][aria-label*="$13,345.67"]').waitFor();

  // Another measure
  await page.getByRole('radio', { name: 'Orders' }).check();
  await page.getByText('Teh Melati (ORDER_COUNT)').waitFor();
  seen.ordersBar = await page.locator('g[role=option]').last().getAttribute('aria-label');

  // No network
  store.faults['*'] = 'away';
  await month(page, seen.variables.Months.from);
  seen.away = [await alertOf(page, 'Orders by day').innerText(), await alertOf(page, 'Top products').innerText()];
  await measureContrast(page, 'away');
  delete store.faults['*'];
  await comeBack(page);
  await page.getByText(`SKU-${seen.variables.Months.from}-0`).waitFor();
  seen.alertsAfterAway = (await page.getByRole('alert').allInnerTexts()).filter((text) => text);

  // Asked too often
  store.faults.Days = refusedWith('RATE_LIMITED', 'too many requests', 429, { 'retry-after': '17' });
  await month(page, seen.variables.Months.to);
  seen.tooMany = await alertOf(page, 'Orders by day').innerText();
  delete store.faults.Days;
  await comeBack(page);
  await page.getByRole('region', { name: 'Orders by day' }).getByText('As of').waitFor();

  // Refused: only somebody can do something about it
  store.faults.TopProducts = refusedWith('BAD_USER_INPUT', 'no such timezone: Mars/Olympus');
  await month(page, seen.variables.Months.from);
  seen.refused = await alertOf(page, 'Top products').innerText();
  delete store.faults.TopProducts;
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText(`SKU-${seen.variables.Months.from}-0`).waitFor();

  // A range that is none
  await page.getByRole('combobox', { name: 'Months' }).selectOption('custom');
  await page.getByLabel('To', { exact: true }).fill('2020-01');
  seen.fault = await page.getByRole('form', { name: 'What to show' }).getByRole('alert').innerText();
  await page.getByLabel('From').fill('2019-12');
  await page.getByRole('heading', { name: 'January 2020' }).waitFor();
  await page.locator('g[role=option][aria-label^="January 2020"]').waitFor();
  seen.customBars = await page.locator('g[role=option]').count();
  seen.address = await page.evaluate(() => location.search);

  // The live connection is cut
  store.cut();
  await status(page, 'was cut');
  seen.cut = await page.locator('.connection').innerText();
  await comeBack(page);
  await status(page, 'Live');

  // The access token is over: one refresh, though three reports need it
  store.user = null;
  const refreshesBefore = store.asked.Refresh ?? 0;
  store.expireSubscriptions();
  await page.getByRole('combobox', { name: 'Currency' }).selectOption('USD');
  await status(page, 'Live');
  await page.getByText('SKU-2020-01-0').waitFor();
  seen.refreshes = store.asked.Refresh - refreshesBefore;

  // A reload finds the login and what was chosen
  await page.reload();
  await page.getByRole('heading', { name: 'January 2020' }).waitFor();
  seen.addressAfterReload = await page.evaluate(() => location.search);
  await status(page, 'Live');

  // The account loses the right, and gets it back
  store.isAllowed = false;
  await page.getByRole('radio', { name: 'Quantity' }).click();
  await page.getByRole('heading', { name: 'This account may not see the sales' }).waitFor();
  seen.notAllowed = await page.getByRole('main').innerText();
  await measureContrast(page, 'not-allowed');
  store.isAllowed = true;
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('Teh Melati (QUANTITY)').waitFor();

  // The session is ended from somewhere else
  store.user = null;
  store.canRefresh = false;
  store.expireSubscriptions();
  await page.getByLabel('Password').waitFor();
  seen.ended = await page.getByRole('status').innerText();
  store.canRefresh = true;
  await logIn(page);
  await status(page, 'Live');

  // Out, and not in again by itself
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Password').waitFor();
  seen.loggedOut = await page.getByRole('status').innerText();
  await page.reload();
  await page.getByLabel('Password').waitFor();
  seen.storage = await page.evaluate(() => ({ ...localStorage, ...sessionStorage }));
}

await withPage(executablePath, url, seen, walk, { prepare: (page) => store.install(page), timezoneId: 'Asia/Jakarta' });
console.log(JSON.stringify(seen));
