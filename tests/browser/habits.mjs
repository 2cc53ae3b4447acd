// Drives Chromium through what people rely on in every page: what they wrote is kept, filters stay, errors say what to do. habits.py started the node.
import assert from 'node:assert/strict';
import {given, test, complaints, expected, forgive, open, settled, visit, h1, signIn, runAll} from './harness.mjs';

let page;
const until = (what, of) => page.waitForFunction(what, of);
const draft = 'main textarea';
const said = () => page.locator('[role=alert], main .notice').allTextContents().then((all) => all.join(' '));
async function again() {
  await page.fill('[name=name]', 'operator');
  await page.fill('[name=password]', 'a long enough password');
  await page.click('button.main');
  await page.waitForSelector('nav.side');
  await settled(page);
}

test('what was written into a draft stays through other pages, and goes when one says so', async () => {
  page = await open();
  await signIn(page, 'operator', given.first);
  await visit(page, '/agreements/new');
  assert.equal(await page.locator('button:has-text("Begin anew")').count(), 0);
  await page.fill(draft, '{"title": "an hour of work"}');
  await page.click('nav.side a[href="/teams"]');
  await page.waitForURL(/\/teams$/);
  await page.goBack();
  await page.waitForSelector(draft);
  assert.equal(await page.inputValue(draft), '{"title": "an hour of work"}');
  await visit(page, `/agreements/new?from=${encodeURIComponent(given.agreement)}`);
  assert.match(await page.inputValue(draft), new RegExp(given.agreement), 'each draft is its own');
  await visit(page, '/agreements/new');
  await page.click('button:has-text("Begin anew")');
  assert.match(await page.inputValue(draft), /"kind": "bilateral"/);
  await page.reload();
  await page.waitForSelector(draft);
  assert.match(await page.inputValue(draft), /"kind": "bilateral"/);
});
test('a session that ends says so, and takes neither the page nor the draft away; signing out takes the draft', async () => {
  await visit(page, '/agreements/new');
  await page.context().clearCookies();
  await page.fill(draft, '{"title": "more work"}');
  await page.waitForSelector('[name=password]');
  assert.match(await page.textContent('main'), /session is over/);
  expected(/401/);
  await again();
  assert.match(page.url(), /\/agreements\/new$/);
  await page.waitForSelector(draft);
  assert.equal(await page.inputValue(draft), '{"title": "more work"}');
  await page.click('button:has-text("Sign out")');
  await page.waitForSelector('[name=password]');
  assert.doesNotMatch(await page.textContent('main'), /session is over/);
  assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), []);
  await again();
  await page.waitForSelector(draft);
  assert.match(await page.inputValue(draft), /"kind": "bilateral"/);
});
test('a node that falls silent: it is said, no page is lost, and all goes on when it answers', async () => {
  await visit(page, '/reports');
  const asked = (url) => url.pathname.startsWith('/api/') || url.pathname.startsWith('/assets/') || url.pathname === '/';
  await page.route(asked, (route) => route.abort());
  await page.click('nav.side a[href="/receipts"], nav.side a[href="/partners"]');
  await page.waitForSelector('[role=alert]');
  assert.match(await said(), /cannot be reached/);
  await page.waitForSelector('nav.side');
  await page.unroute(asked);
  await page.click('[role=alert] button');
  await until(() => document.querySelector('h1')?.textContent === 'Partners');
  forgive(/ERR_FAILED/);
});
test('events that do not come are told, and heard again', async () => {
  await page.route('**/api/v1/events', (route) => route.abort());
  await page.goto(`${given.url}/teams`);
  await page.waitForSelector('.silent time');
  assert.match(await page.textContent('.silent'), /may be old/);
  await page.unroute('**/api/v1/events');
  await page.waitForSelector('.silent', {state: 'detached'});
  forgive(/ERR_FAILED/);
});
test('links that are wrong lead to a page that says so', async () => {
  for (const [path, pattern] of [['/reports?since=tomorrow', /tomorrow/], ['/ledger/99999999', /no such entry/], ['/economies/ZZ', /no such page or thing/]]) {
    await visit(page, path);
    await page.waitForSelector('[role=alert]');
    assert.match(await said(), pattern, path);
    assert.doesNotMatch(await said(), /\/log\//, path);
  }
  expected(/400/);
  await visit(page, '/economies/FI');
  assert.equal(await h1(page), 'Finland');
});
test('a fault of one page is told there, and leaves the others', async () => {
  await page.route('**/api/v1/agreements?*', (route) => route.fulfill({status: 200, contentType: 'application/json', body: '{"items": [null]}'}));
  await visit(page, '/agreements');
  assert.equal(await h1(page), 'That did not work.');
  await page.unroute('**/api/v1/agreements?*');
  await page.click('nav.side a[href="/held"]');
  await until(() => document.querySelector('h1')?.textContent === 'Held');
  assert.ok(complaints.length > 0);
  complaints.length = 0;
});
test('held: the states keep the team that was asked for', async () => {
  const only = () => until((to) => document.querySelectorAll('tbody tr').length === 1 && document.querySelector(`tbody a[href="/teams/${to}"]`), given.to);
  await visit(page, `/held?team=${given.to}`);
  await only();
  await page.click('.tabs a:has-text("Released")');
  await page.waitForURL(/state=released&team=first.test/);
  await page.click('.tabs a:has-text("Waiting")');
  await page.waitForURL(/\/held\?team=first.test$/);
  await only();
});
test('the ledger looks through all entries for those that were asked for, and fills its first view', async () => {
  await visit(page, '/ledger');
  await until((n) => document.querySelectorAll('tbody tr td a[href^="/ledger/"]').length >= n, 100);
  await visit(page, `/ledger?team=${given.to}`);
  await until(() => document.querySelector('tbody a[href="/ledger/0"]'));
  assert.equal(await page.locator('tbody a[href^="/ledger/"]').count(), 1);
  assert.match(await page.textContent('main'), /1 shown/);
});
test('a report has no line of facts without a fact', async () => {
  await visit(page, `/reports?team=${given.to}`);
  await page.click('tbody a[href^="/reports/"]');
  await page.waitForSelector('main dl.facts');
  assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('main dl.facts dd')].filter((one) => !one.textContent.trim())
    .map((one) => one.previousElementSibling.textContent)), []);
});
test('on paper the map of economies says what it shows', async () => {
  await visit(page, '/economies');
  await page.emulateMedia({media: 'print'});
  assert.equal((await page.locator('main').innerText()).match(/Shown on the map.*/)?.[0], 'Shown on the map: Networks (AS)');
  await page.emulateMedia({media: 'screen'});
});

test('no complaint on the browser’s console', () => assert.deepEqual(complaints, []));

await runAll(() => page);
