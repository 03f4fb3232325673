// Uses the page of sales of a running store by the keyboard alone, and prints as JSON what a person would see.
//
// Arguments: the browser, the store's address, a folder for screenshots.
// Standard input: {"staff": {"email", "password", "token"}, "customer": {"email", "password", "recoveryCode"}, "payUrl"}.
// The order behind `payUrl` is paid while the page is open.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { measureShapes, measureTexts } from './contrast.mjs';
import { readRows, withPage } from './page.mjs';

const [executablePath, url, screenshots] = process.argv.slice(2);
const { staff, customer, payUrl } = JSON.parse(readFileSync(0, 'utf8'));
mkdirSync(screenshots, { recursive: true });
const seen = { requests: [], problems: [], sockets: [], contrast: {}, widths: {}, tabs: [] };

// What the keyboard would act on, by its role and the name that is read out.
const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    const label = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent;
    return `${element.getAttribute('role') ?? element.tagName.toLowerCase()} ${label.trim()}`;
  });

// Presses Tab, or Shift+Tab, until the focus is on what begins with `name`.
async function tabTo(page, name, key = 'Tab') {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press(key);
    const at = await focused(page);
    seen.tabs.push(at);
    if (at.startsWith(name)) return at;
  }
  throw new Error(`the keyboard does not reach ${name}: ${seen.tabs.slice(-40).join(', ')}`);
}

async function logIn(page, { email, password }) {
  await page.getByLabel('Password').waitFor();
  // The focus is on the first field from the start
  await page.keyboard.type(email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
}

const isLive = (page) => page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
const bars = (page) => page.locator('g[role=option]');
const isSettled = (page) =>
  page.waitForFunction(
    () => document.querySelectorAll('[aria-busy]').length === 3 && !document.querySelector('[aria-busy=true]'),
  );

// What the page says about the month that is chosen.
async function readMonth(page) {
  await isSettled(page);
  return {
    heading: await page.locator('#month-heading').innerText(),
    totals: (await page.getByLabel('Totals of the month').innerText()).split('\n'),
    days: await readRows(page.getByRole('table', { name: /^Sales by day/ })),
    products: await readRows(page.getByRole('table', { name: /^Top products of/ })),
    address: await page.evaluate(() => location.search),
  };
}

async function walk(page) {
  page.on('websocket', (socket) => seen.sockets.push(socket.url()));
  await logIn(page, staff);
  await isLive(page);
  await isSettled(page);
  seen.heading = await focused(page);

  // Both tables are opened, and a month is chosen two bars to the left
  await tabTo(page, 'option');
  seen.lastBar = await focused(page);
  await page.keyboard.press('ArrowRight');
  seen.barAfterTheLast = await focused(page);
  await page.keyboard.press('Home');
  seen.firstBar = await focused(page);
  await page.keyboard.press('ArrowRight');
  seen.secondBar = await focused(page);
  await page.keyboard.press('End');
  await tabTo(page, 'summary Months as a table');
  await page.keyboard.press('Enter');
  await tabTo(page, 'summary Days as a table');
  await page.keyboard.press('Enter');
  seen.months = await readRows(page.getByRole('table', { name: /^Sales by month/ }));
  seen.bars = await bars(page).evaluateAll((all) => all.map((bar) => bar.getAttribute('aria-label')));
  seen.present = await readMonth(page);
  seen.sources = await page.locator('.source').allInnerTexts();
  await tabTo(page, 'option', 'Shift+Tab');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  seen.chosen = await page.locator('g[role=option][aria-selected=true]').getAttribute('aria-label');
  await page.getByText('Days as a table').waitFor();
  await isSettled(page);
  if (!(await page.getByRole('table', { name: /^Sales by day/ }).isVisible())) {
    await tabTo(page, 'summary Days as a table');
    await page.keyboard.press('Enter');
    await tabTo(page, 'option', 'Shift+Tab');
  }
  seen.before = await readMonth(page);

  // Orders instead of revenue, by the arrows of the radio buttons
  await tabTo(page, 'input Revenue', 'Shift+Tab');
  await page.keyboard.press('ArrowRight');
  await page.getByRole('heading', { name: 'Top products by orders' }).waitFor();
  await isSettled(page);
  seen.byOrders = {
    bars: await bars(page).evaluateAll((all) => all.map((bar) => bar.getAttribute('aria-label'))),
    products: await readRows(page.getByRole('table', { name: /^Top products of/ })),
  };
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('heading', { name: 'Top products by revenue' }).waitFor();
  await isSettled(page);

  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const [texts, shapes] = [await measureTexts(page, 'body'), await measureShapes(page, 'body')];
    seen.contrast[colorScheme] = { texts, shapes };
    await page.screenshot({ path: join(screenshots, `dashboard-store-${colorScheme}.png`), fullPage: true });
  }
  for (const width of [320, 390, 1000, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await page.waitForFunction((most) => document.querySelector('.chart svg').clientWidth < most, width);
    seen.widths[width] = await page.evaluate(() => document.documentElement.scrollWidth);
    await page.screenshot({ path: join(screenshots, `dashboard-store-${width}.png`) });
  }

  // An order is paid; nobody touches the page
  const card = page.getByRole('article', { name: 'This month' });
  const today = page.getByRole('article', { name: 'Today' });
  seen.liveBefore = { month: await card.innerText(), today: await today.innerText() };
  const paid = await fetch(payUrl, { method: 'POST', body: new URLSearchParams({ action: 'pay' }) });
  seen.paid = paid.status;
  await page.waitForFunction(
    (text) => document.querySelector('[aria-label="This month"]').innerText !== text,
    seen.liveBefore.month,
  );
  seen.liveAfter = { month: await card.innerText(), today: await today.innerText() };
  await page.waitForFunction(
    (text) => [...document.querySelectorAll('g[role=option]')].at(-1).getAttribute('aria-label') !== text,
    seen.bars.at(-1),
  );
  seen.barAfter = await bars(page).last().getAttribute('aria-label');

  // The access token is over: the next report gets another one
  await page.context().clearCookies({ name: 'pasar_access' });
  await page.getByRole('radio', { name: 'Quantity' }).click();
  await page.getByRole('region', { name: 'Top products by quantity' }).getByText('As of').waitFor();
  seen.cookiesAfterRefresh = (await page.context().cookies()).map(({ name }) => name).sort();

  // Out
  await tabTo(page, 'button Log out', 'Shift+Tab');
  await page.keyboard.press('Enter');
  await page.getByLabel('Password').waitFor();
  seen.loggedOut = await page.getByRole('status').innerText();
  seen.cookiesAfterLogout = (await page.context().cookies()).map(({ name }) => name);

  // Somebody who may not, with a second factor
  await logIn(page, customer);
  await page.getByLabel('Code of your authenticator app').waitFor();
  await page.keyboard.type(customer.recoveryCode);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'This account may not see the sales' }).waitFor();
  seen.notAllowed = await page.getByRole('main').innerText();
  seen.cookies = (await page.context().cookies()).map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite }));
  seen.storage = await page.evaluate(() => ({ ...localStorage, ...sessionStorage }));
  await tabTo(page, 'button Log out', 'Shift+Tab');
  await page.keyboard.press('Enter');

  // The session is ended from somewhere else: the page notices by itself, and lets its owner in again at once
  await logIn(page, staff);
  await isLive(page);
  seen.problemsUntilTheEnd = [...seen.problems];
  const ended = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${staff.token}` },
    body: JSON.stringify({ query: 'mutation { logoutEverywhere }' }),
  });
  seen.ended = await ended.json();
  await page.getByText('Your session has ended. Please log in again.').waitFor();
  await logIn(page, staff);
  await isLive(page);
}

await withPage(executablePath, `${url}/dashboard`, seen, walk);
console.log(JSON.stringify(seen));
