// Drives Chromium through Operations, and through what all pages have: print, times, export, errors. operations.py started the node.
import {readFileSync} from 'node:fs';
import assert from 'node:assert/strict';
import {given, test, complaints, expected, open, settled, visit, h1, signIn, accessible, fitsPhone, speak, harmless, runAll} from './harness.mjs';

let page;
// What the page showed instead says why.
async function until(what, of) {
  try { await page.waitForFunction(what, of); } catch (error) { throw new Error(`${error.message}\n${await page.innerText('main')}`); }
}
const table = (caption) => page.locator('.table', {has: page.locator('caption', {hasText: caption})});
const pages = ['/operations', '/operations/log', '/operations/mail', '/operations/mail?team=south.test', '/operations/figures'];
const others = ['/', '/?days=30', '/reports', '/held', '/teams', '/teams/south.test', '/agreements', '/partners', '/partners/east.test', '/receipts', '/ledger', '/ledger/0',
  '/economies', '/economies/BR', '/account'];

test('operations: processes behind their walls, the certificate, what is kept, ways that fail and why', async () => {
  page = await open();
  await signIn(page, 'operator', given.first);
  await visit(page, '/operations');
  const roles = await table('Processes').locator('tbody tr').allTextContents();
  assert.equal(roles.length, 6);
  for (const row of roles) assert.match(row, given.walls ? /works\s*yes/ : /works\s*no/);
  assert.match(roles.find((row) => row.startsWith('front partners')), /1\s*\d+\s*$/);
  const facts = await page.textContent('main');
  assert.match(facts, /Certificate valid until.*20\d\d/s);
  assert.match(facts, /Reports are kept365 days/);
  assert.match(facts, /Batches removed since the start0/);
  const ways = await table('Ways to other nodes').textContent();
  assert.match(ways, /east\.test.*fail/s);
  assert.match(ways, /refused|connect/i);
  assert.equal(await page.locator('main').getByText('is off').count(), 0);
});
test('the log: lines of all processes, filters in the URL, an attacker’s name stays text', async () => {
  await visit(page, '/operations/log');
  await page.waitForSelector('tbody td time');
  assert.ok(await page.locator('tbody tr').count() > 10);
  await page.selectOption('label:has-text("This level") select', 'warning');
  await page.waitForURL(/level=warning/);
  await until(() => [...document.querySelectorAll('tbody tr')].every((row) => /warning|error/.test(row.textContent)));
  const text = await page.textContent('tbody');
  assert.match(text, /role died.*front partners/s);
  assert.ok(text.includes(given.evil.replaceAll('"', '\\"')), text);
  assert.doesNotMatch(text, /[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]/);
  await harmless(page, 'the log');
  await page.fill('label:has-text("With this text") input', 'ROLE DIED');
  await page.press('label:has-text("With this text") input', 'Enter');
  await page.waitForURL(/text=ROLE/);
  await until(() => [...document.querySelectorAll('tbody tr')].map((row) => /role died/.test(row.textContent)).join() === 'true');
  await page.reload();
  await settled(page);
  await until(() => [...document.querySelectorAll('tbody tr')].map((row) => /role died/.test(row.textContent)).join() === 'true');
  await page.selectOption('label:has-text("Process") select', 'core');
  await until(() => /Nothing|No /.test(document.querySelector('tbody').textContent));
});
test('the log is live, and can be held', async () => {
  await visit(page, '/operations/log?role=front+operators');
  const ask = (name) => page.evaluate((path) => fetch(path).then((answer) => answer.status), `/live/${name}`);
  assert.equal(await ask('first'), 404);
  await until(() => document.querySelector('tbody').textContent.includes('path="/live/first"'));
  await page.uncheck('label:has-text("as they come") input');
  await page.waitForURL(/live=off/);
  const asked = [];
  page.on('request', (request) => request.url().includes('/api/v1/log') && asked.push(request.url()));
  const told = page.evaluate(() => new Promise((done) => { addEventListener('log', done, {once: true}); }).then(() => true));
  await ask('second');
  assert.ok(await told);
  assert.deepEqual(asked, []);
  await page.check('label:has-text("as they come") input');
  await ask('third');
  await until(() => document.querySelector('tbody').textContent.includes('path="/live/third"'));
  for (let i = 0; i < 3; i++) expected(/404/);
});
test('the log: lines that come while it is asked for never keep the answer away', async () => {
  await visit(page, '/operations/log');
  await page.route('**/api/v1/log?*', async (route) => {
    await new Promise((done) => { setTimeout(done, 1500); });
    await route.continue().catch(() => {}); // who asked may have given up
  });
  const busy = await page.evaluate(() => setInterval(() => dispatchEvent(new Event('log')), 100));
  await page.selectOption('label:has-text("This level") select', 'error');
  await until(() => document.querySelector('tbody td time') && [...document.querySelectorAll('tbody tr')].every((row) => /error/.test(row.textContent)));
  await page.evaluate((timer) => clearInterval(timer), busy);
  await page.unroute('**/api/v1/log?*', {behavior: 'wait'});
});
test('the log: an answer that is given up while it comes in changes nothing', async () => {
  await visit(page, '/operations/log');
  await page.evaluate(() => {
    const real = window.fetch;
    window.fetch = async (path, options) => {
      const answer = await real(path, options);
      if (path.includes('/log?') && !path.includes('level=')) answer.json = () => new Promise((_, fail) => { window.comesIn = true; options.signal.addEventListener('abort', () => fail(options.signal.reason)); });
      return answer;
    };
    dispatchEvent(new Event('log'));
  });
  await until(() => window.comesIn);
  await page.selectOption('label:has-text("This level") select', 'error');
  await until(() => document.querySelector('tbody td time') && [...document.querySelectorAll('tbody tr')].every((row) => /error/.test(row.textContent)));
});
test('the log: older lines that were asked for before a filter are not shown under it', async () => {
  let go;
  const held = new Promise((done) => { go = done; });
  const line = (event, number) => ({number, time: new Date().toISOString(), level: 'error', role: 'core', event, text: ''});
  await page.route('**/api/v1/log?*', async (route) => {
    const {searchParams: asked} = new URL(route.request().url());
    if (asked.has('next')) await held;
    const items = [asked.has('next') ? line('from before', 1) : asked.has('level') ? line('filtered', 2) : line('unfiltered', 3)];
    await route.fulfill({json: {items, next: asked.has('next') ? '' : '1'}});
  });
  await visit(page, '/operations/log');
  await page.click('button:has-text("More")');
  await page.selectOption('label:has-text("This level") select', 'error');
  await page.waitForSelector('tbody:has-text("filtered"):not(:has-text("unfiltered"))');
  const came = page.waitForResponse((answer) => answer.url().includes('next='));
  go();
  await (await came).finished();
  await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
  assert.doesNotMatch(await page.textContent('tbody'), /from before/);
  await page.click('button:has-text("More")');
  await page.waitForSelector('tbody:has-text("from before")');
  await page.unroute('**/api/v1/log?*');
});
test('looking at the log writes no line that is looked at', async () => {
  await visit(page, '/operations/log');
  assert.doesNotMatch(await page.textContent('tbody'), /path="\/api\/v1\/log"/);
});
test('figures: what monitoring gets, in a table that can be searched', async () => {
  await visit(page, '/operations/figures');
  const all = await page.locator('tbody tr').count();
  assert.ok(all > 20);
  assert.match(await page.locator('tbody tr', {hasText: 'comity_start_time_seconds'}).textContent(), /20\d\d/);
  await page.fill('main form input', 'comity_mail');
  await page.press('main form input', 'Enter');
  await page.waitForURL(/text=comity_mail/);
  await until((n) => document.querySelectorAll('tbody tr').length < n, all);
  await page.goBack();
  await until((n) => document.querySelectorAll('tbody tr').length === n, all);
  await until(() => document.querySelector('main form input').value === '');
});
test('mail: a wrong key is refused with the reason, a right one taken; the next mail is shown, not sent', async () => {
  await visit(page, '/operations/mail');
  await page.click('button:has-text("Mail a team")');
  await page.fill('dialog label:has-text("Team") input', 'south.test');
  await page.fill('dialog label:has-text("Mail address") input', 'abuse@south.test');
  await page.selectOption('dialog select', 'at-once');
  await page.setInputFiles('dialog input[type=file]', {name: 'no.asc', mimeType: 'text/plain', buffer: Buffer.from('no key')});
  await accessible(page, 'the dialog for mail');
  await page.click('dialog button.main');
  await page.waitForSelector('dialog [role=alert]');
  assert.match(await page.textContent('dialog [role=alert]'), /correct what is named.*key/is);
  expected(/400|422/);
  await page.setInputFiles('dialog input[type=file]', given.key);
  await page.click('dialog button.main');
  await page.waitForSelector('dialog', {state: 'detached'});
  await page.waitForSelector('tbody tr:has-text("south.test")');
  assert.match(await page.textContent('tbody tr'), /at once.*[0-9A-F]{40}/s);
  await page.click('button:has-text("See the next mail south.test")');
  await page.click('dialog button.main');
  await page.waitForSelector('dialog pre');
  const message = await page.textContent('dialog pre');
  assert.match(message, /^To: "south\.test" <abuse@south\.test>/m);
  assert.match(message, /multipart\/encrypted/);
  await accessible(page, 'a mail');
  const [saved] = await Promise.all([page.waitForEvent('download'), page.click('dialog button.main')]);
  assert.match(readFileSync(await saved.path(), 'utf8'), /X-Comity-Batch/);
  await page.click('dialog button:has-text("Close")');
});
test('mail: what waits is told with the server’s reason; stopping it asks first', async () => {
  await page.click('a:has-text("Its mails south.test")');
  await page.waitForURL(/team=south/);
  for (;;) {
    await page.reload();
    await settled(page);
    const rows = await table('Mails to south.test').textContent();
    if (/waits/.test(rows) && /refused|connect/i.test(rows)) break;
  }
  await visit(page, '/operations');
  assert.match(await page.textContent('main'), /Teams that are mailed1Mails that wait1Of those late1/);
  await visit(page, '/operations/mail');
  await page.click('button:has-text("No mail any more south.test")');
  assert.match(await page.textContent('dialog'), /To undo this/);
  await page.click('dialog button:has-text("Cancel")');
  await page.waitForSelector('dialog', {state: 'detached'});
  assert.equal(await page.locator('tbody tr:has-text("south.test")').count(), 1);
});
test('errors say what to do, and lead operators to the log', async () => {
  const fail = async (status, said) => {
    await page.route('**/api/v1/outbox', (route) => (status ? route.fulfill({status, contentType: 'application/problem+json', body: JSON.stringify({status, detail: 'the detail', request: 'abcd'})}) : route.abort()));
    await visit(page, '/operations');
    const told = await page.textContent('[role=alert]');
    assert.match(told, said);
    await page.unroute('**/api/v1/outbox');
    expected(/50\d|40\d|ERR_FAILED/);
    return told;
  };
  assert.match(await fail(500, /log says how/), /the detail/);
  assert.equal(await page.getAttribute('[role=alert] a', 'href'), '/operations/log?text=abcd');
  await fail(507, /must make room/);
  await fail(503, /try again in a few seconds/);
  await fail(403, /ask an operator/);
  await fail(0, /cannot be reached/);
  await page.click('[role=alert] button');
  await page.waitForSelector('[role=alert]', {state: 'detached'});
});
test('an answer that breaks off is said, and no empty table stands for it', async () => {
  await page.route('**/api/v1/outbox', (route) => route.fulfill({contentType: 'application/json', body: '{"items":['}));
  await visit(page, '/operations');
  await page.waitForSelector('[role=alert]:has-text("cannot be reached")', {timeout: 5000});
  await page.unroute('**/api/v1/outbox');
  await page.click('[role=alert] button');
  await page.waitForSelector('[role=alert]', {state: 'detached'});
});
test('a certificate that ends soon, a clock that jumped, a role outside its walls are said', async () => {
  await page.route('**/api/v1/status', async (route) => {
    const answer = await route.fetch();
    const s = await answer.json();
    const roles = s.roles.map((one) => ({...one, walls: false}));
    await route.fulfill({response: answer, json: {...s, sandbox: false, roles, courier: false, certificate_until: new Date(Date.now() + 86400000).toISOString(), retention: {...s.retention, clock_jumped: true}}});
  });
  await visit(page, '/operations');
  const text = await page.textContent('main');
  for (const said of [/expires in less than 30 days/, /clock has jumped/, /sandbox is off/, /`courier` is off/]) assert.match(text, said);
  assert.equal(await table('Processes').locator('.tag.bad').count(), 6);
  await accessible(page, 'operations with all warnings');
  await page.unroute('**/api/v1/status');
});
test('UTC stands behind each time: under the pointer, and with the keyboard’s focus', async () => {
  const shown = (of) => of.evaluate((time) => getComputedStyle(time, '::after').content);
  for (const path of ['/operations', '/operations/log', '/reports', '/ledger']) {
    await visit(page, path);
    for (const title of await page.$$eval('time[datetime*=T]', (all) => all.map((one) => one.title))) assert.match(title, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
  }
  await visit(page, '/operations/log'); // nothing else takes the focus in these rows
  const alone = page.locator('tbody time').first();
  assert.equal(await shown(alone), 'none');
  await page.focus('main .wrap');
  await page.keyboard.press('Tab');
  assert.match(await shown(alone), /UTC/);
  assert.ok(await alone.evaluate((time) => time === document.activeElement));
  await visit(page, '/reports');
  await page.keyboard.press('j');
  const row = page.locator('tbody tr').first();
  assert.match(await shown(row.locator('time').last()), /UTC/);
  assert.equal(await shown(page.locator('tbody tr').nth(1).locator('time').first()), 'none');
});
test('every table on every page leaves as CSV and as JSON', async () => {
  let count = 0;
  for (const path of [...pages, ...others]) {
    await visit(page, path);
    await page.$$eval('details', (all) => all.forEach((one) => { one.open = true; }));
    const without = await page.$$eval('main table', (all) => all.filter((one) => one.querySelector('tbody td:not(.quiet)')).filter((one) =>
      ['CSV', 'JSON'].some((kind) => ![...(one.closest('.table')?.querySelectorAll('.under button') ?? [])].some((button) => button.textContent.startsWith(kind))))
      .map((one) => one.caption?.textContent ?? one.outerHTML.slice(0, 100)));
    assert.deepEqual(without, [], path);
    count += await page.locator('main table').count();
  }
  assert.ok(count > 20, `${count} tables`);
  await visit(page, '/operations/log?level=warning');
  const get = async (text) => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(`.under button:has-text("${text}")`)]);
    return readFileSync(await download.path(), 'utf8');
  };
  assert.match(await get('CSV'), /^time,level,role,event,text,number\r\n/);
  assert.ok(JSON.parse(await get('JSON')).every((row) => ['warning', 'error'].includes(row.level)));
  await visit(page, '/operations/mail');
  assert.match(await get('CSV'), /^team,address,when,fingerprint,stopped,next,added,added_by\r\n/);
});
test('on paper: black on white, no navigation, and where it is from', async () => {
  await page.selectOption('header select >> nth=1', 'dark');
  await page.emulateMedia({media: 'print'});
  const found = [];
  for (const path of [...pages, ...others, '/reports?effect=release&sort=x']) {
    await visit(page, path);
    const wrong = await page.evaluate(() => {
      const light = (color) => { const [r, g, b, a] = color.match(/[\d.]+/g).map(Number); return a === 0 ? null : (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255; };
      const seen = [...document.querySelectorAll('#app *')].filter((e) => e.checkVisibility() && e.getClientRects().length);
      const bad = seen.filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) && light(getComputedStyle(e).color) > 0.25).map((e) => `text ${e.outerHTML.slice(0, 80)}`);
      const dark = seen.filter((e) => !e.closest('svg, .key') && (light(getComputedStyle(e).backgroundColor) ?? 1) < 0.9).map((e) => `ground ${e.outerHTML.slice(0, 80)}`);
      const over = seen.filter((e) => e.matches('nav, header.top, form, input:not(.mono), select, .button, .toasts') || (e.matches('button') && !e.closest('th'))).map((e) => `shown ${e.outerHTML.slice(0, 80)}`);
      return [...bad, ...dark, ...over].slice(0, 5);
    });
    found.push(...wrong.map((one) => `${path}: ${one}`));
    assert.ok((await page.textContent('.printed')).includes(given.url + path), path);
    assert.ok(await page.locator('.printed').isVisible());
    assert.match(await page.textContent('.printed'), /Printed: .*UTC/);
  }
  assert.ok((await page.pdf()).length > 1000);
  await page.emulateMedia({media: 'screen'});
  assert.deepEqual(found, []);
  assert.equal(await page.locator('.printed').isVisible(), false);
  await page.selectOption('header select >> nth=1', 'system');
});
test('nothing serious from axe, light and dark; 360 pixels; Arabic', async () => {
  for (const language of ['en', 'ar']) {
    await visit(page, '/operations');
    await speak(page, language);
    for (const [n, path] of pages.entries()) {
      await page.emulateMedia({colorScheme: n % 2 ? 'dark' : 'light'});
      await visit(page, path);
      await accessible(page, `${path} ${language}`);
      await fitsPhone(page, `${path} ${language}`);
    }
  }
  assert.equal(await page.evaluate(() => document.documentElement.dir), 'rtl');
  await speak(page, 'en');
  assert.equal(await page.evaluate(() => document.documentElement.dir), 'ltr');
});
test('what takes long says so; what can be undone offers it', async () => {
  await visit(page, '/operations');
  let go;
  const held = new Promise((done) => { go = done; });
  await page.route('**/api/v1/principals', async (route) => {
    if (route.request().method() === 'POST') await held;
    await route.continue();
  });
  await page.click('button:has-text("New account")');
  await page.fill('dialog input', 'someone');
  await page.click('dialog button.main');
  await page.waitForSelector('dialog .working progress');
  assert.match(await page.textContent('dialog .working'), /node is at it/);
  go();
  await page.waitForSelector('dialog code');
  assert.equal(await page.locator('dialog .working progress').count(), 0);
  await page.unroute('**/api/v1/principals');
  await page.click('dialog button.main');
  await page.click('button:has-text("Disable someone")');
  await page.waitForSelector('button:has-text("Enable someone")');
  await accessible(page, 'a note that can be undone');
  await page.click('.toasts button:has-text("Undo")');
  await page.waitForSelector('button:has-text("Disable someone")');
});
test('stopping mail, confirmed', async () => {
  await visit(page, '/operations/mail');
  await page.click('button:has-text("No mail any more south.test")');
  await page.click('dialog button.bad');
  await page.waitForSelector('dialog', {state: 'detached'});
  await until(() => !document.querySelector('tbody').textContent.includes('south.test'));
});
test('a reader sees how the node is, and neither log nor mail', async () => {
  const other = await open();
  await signIn(other, 'a-reader', given.reader);
  await visit(other, '/operations');
  assert.equal(await h1(other), 'Operations');
  assert.deepEqual(await other.$$eval('main nav.tabs a', (all) => all.map((one) => one.textContent)), ['Operations', 'Figures']);
  for (const path of ['/operations/log', '/operations/mail']) {
    await visit(other, path);
    await other.waitForSelector('[role=alert]');
    assert.match(await other.textContent('[role=alert]'), /ask an operator/);
    expected(/403/);
  }
  await other.context().close();
});
test('no complaint on the browser’s console', () => assert.deepEqual(complaints, []));
await runAll(() => page);
