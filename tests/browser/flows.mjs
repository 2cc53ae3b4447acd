// Drives Chromium through Today, the economies and the deliveries of one of three nodes that exchange, started by flows.py.
import {execFileSync} from 'node:child_process';
import assert from 'node:assert/strict';
import {given, test, complaints, open, settled, visit, h1, signIn, accessible, fitsPhone, speak, harmless, runAll} from './harness.mjs';

let page;
let asked = [];
const give = (team) => execFileSync(given.comity, ['ingest', '--home', given.homes[team], '-'], {input: given.more[team]});
const api = (path) => page.evaluate(async (of) => (await fetch(`/api/v1/${of}`)).json(), path);
const shown = () => page.$$eval('.map path.flow', (all) => all.map((one) => [one.dataset.from, one.dataset.to, Number(one.dataset.count)]).sort());
const table = (name) => page.$$eval(`.table:has(caption:text-is("${name}")) tbody tr`, (all) => all.map((row) => [...row.cells].map((cell) => cell.textContent.trim())));
const untilFlow = (from, to, count) => page.waitForFunction(([a, b, n]) =>
  document.querySelector(`.map path.flow[data-from="${a}"][data-to="${b}"]`)?.dataset.count === String(n), [from, to, count]);
const count = (text) => page.waitForFunction((n) => document.querySelectorAll('tbody tr').length === n && !document.querySelector('main progress'), text);

// What the API says, as the map and the table would have it.
async function said() {
  const {items, own, home} = await api('flows');
  const others = items.filter((row) => row.team !== own);
  const arcs = others.filter((row) => row.economy).flatMap((row) => [[row.economy, home, row.in], [home, row.economy, row.out]]).filter((arc) => arc[2] > 0).sort();
  const sum = (way) => others.reduce((all, row) => all + row[way], 0);
  return {arcs, sums: [sum('in'), sum('out')], rows: new Map(others.map((row) => [row.economy, [row.in, row.out]]))};
}

test('the map shows exactly what was exchanged, and what the API says', async () => {
  page = await open();
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await signIn(page, 'operator', given.first);
  await settled(page);
  await untilFlow('KE', 'FI', 3);
  const wanted = [['BR', 'FI', 4], ['FI', 'BR', 10], ['FI', 'KE', 5], ['KE', 'FI', 3]];
  assert.deepEqual(await shown(), wanted);
  assert.deepEqual((await said()).arcs, wanted);
});
test('wider is more; in and out are drawn apart; each has its words', async () => {
  const of = (from, to) => page.$eval(`path.flow[data-from="${from}"][data-to="${to}"]`, (one) => ({d: one.getAttribute('d'), width: Number(one.getAttribute('stroke-width')),
    title: one.textContent.trim(), line: getComputedStyle(one).stroke}));
  const [inKe, outKe, inBr, outBr] = await Promise.all([of('KE', 'FI'), of('FI', 'KE'), of('BR', 'FI'), of('FI', 'BR')]);
  assert.ok(outBr.width > outKe.width && outKe.width > inBr.width && inBr.width > inKe.width);
  assert.notEqual(inKe.line, outKe.line);
  assert.notEqual(inBr.d.match(/Q([\d.-]+) /)[1], outBr.d.match(/Q([\d.-]+) /)[1], 'bent to two sides');
  assert.equal(outKe.title, 'Finland → Kenya: 5');
});
test('the table beside it says the same, with what has no economy', async () => {
  const {rows, sums} = await said();
  const told = await page.$$eval('.flows tbody tr', (all) => all.map((row) => [...row.cells].map((cell) => cell.textContent.trim())));
  assert.deepEqual(told.map(([, ...numbers]) => numbers.map(Number)), [[4, 10], [3, 5], [0, 1]]);
  assert.deepEqual(rows, new Map([['BR', [4, 10]], ['KE', [3, 5]], [null, [0, 1]]]));
  assert.match(told[2][0], /Of no one economy.*community/s);
  assert.equal(await page.locator('a[href="/teams/community"]').count(), 0, 'it is no team of the directory');
  assert.deepEqual(sums, [7, 16]);
  assert.match(await page.textContent('.flows'), /7 came in, 16 went out\. This team’s own people and feeds gave 22\./);
});
test('what is given meanwhile is shown at once, without asking again', async () => {
  await page.evaluate(() => { window.stays = 1; });
  asked = [];
  give('south.test');
  await untilFlow('BR', 'FI', 6);
  give('north.test');
  await untilFlow('FI', 'KE', 11);
  assert.equal(await page.evaluate(() => window.stays), 1);
  assert.ok(!asked.includes('/api/v1/flows'), 'flows were asked for again');
  assert.deepEqual(await shown(), [['BR', 'FI', 6], ['FI', 'BR', 10], ['FI', 'KE', 11], ['KE', 'FI', 3]]);
  assert.deepEqual(await shown(), (await said()).arcs);
  assert.match(await page.textContent('.flows'), /9 came in, 22 went out\. This team’s own people and feeds gave 28\./);
});
test('the period lies in the URL', async () => {
  await page.click('.tabs a:has-text("7 days")');
  await page.waitForURL(/\?days=7$/);
  await settled(page);
  await untilFlow('FI', 'KE', 11);
  await page.waitForFunction(() => [...document.querySelectorAll('svg.chart rect.bar1')].some((bar) => bar.height.baseVal.value > 0));
  await page.reload();
  await settled(page);
  await untilFlow('FI', 'KE', 11);
  assert.equal(await page.textContent('.tabs a[aria-current]'), '7 days');
});
test('a click on an economy leads to its page, and from there to the reports', async () => {
  await page.click('.map circle[data-code=KE]');
  await page.waitForURL(/economies\/KE\?days=7$/);
  await settled(page);
  assert.equal(await h1(page), 'Kenya');
  const row = page.locator('tr', {has: page.locator('code', {hasText: /^east\.test$/})});
  await row.locator('a[href*="sender=east.test"]').waitFor();
  assert.deepEqual((await row.locator('td.number').allTextContents()).map((text) => text.trim()), ['3', '11']);
  await row.locator('a[href*="sender=east.test"]').click();
  await page.waitForURL(/reports\?sender=east\.test/);
  await count(3);
  await page.goBack();
  await row.locator('a[href*="team=east.test"]').click();
  await page.waitForURL(/reports\?team=east\.test/);
  await count(11);
});
test('what nobody answers for is a list of networks, with links', async () => {
  await visit(page, '/economies/AU');
  const [network] = await table('Networks that nobody answers for');
  assert.deepEqual(network.slice(0, 2), ['AS13335', '7']);
  await page.click('a[href*="unattributed=true"][href*="asn=13335"]');
  await page.waitForURL(/asn=13335/);
  await count(7);
});
test('a delivery leads to its reports, and a report to its deliveries', async () => {
  await visit(page, '/receipts?team=south.test');
  const link = page.locator('tbody tr a[href^="/reports?delivery="]').first();
  const items = Number(await link.textContent());
  await link.click();
  await page.waitForURL(/reports\?delivery=urn/);
  await count(items);
  assert.ok((await page.$$eval('tbody tr', (all) => all.map((row) => row.textContent))).every((text) => text.includes('south.test')));
  await page.click('tbody a[href^="/reports/"]');
  await page.waitForURL(/reports\/[0-9a-f-]{36}$/);
  await page.click('ol.steps a[href^="/ledger/"]');
  await page.waitForURL(/ledger\/\d+$/);
  await page.click('dl.facts a[href^="/reports?delivery="]');
  await page.waitForURL(/reports\?delivery=urn/);
  await count(items);
});
test('a team’s name from an attacker is text, wherever it stands', async () => {
  for (const path of ['/', '/economies/BR?days=30', '/partners', '/reports?sender=south.test']) {
    await visit(page, path);
    if (path.startsWith('/economies')) await page.waitForSelector('tbody:has-text("<script>window.pwned=1</script>")');
    await harmless(page, path);
  }
});
test('nothing serious from axe, light and dark; 360 pixels are enough, also from right to left; print has all rows', async () => {
  const pages = ['/?days=30', '/economies/BR?days=30', '/reports?sender=south.test'];
  for (const [language, colorScheme] of [['en', 'dark'], ['ar', 'light']]) {
    await page.emulateMedia({colorScheme});
    await page.setViewportSize({width: 1280, height: 900});
    await speak(page, language);
    for (const path of pages) {
      await visit(page, path);
      if (path.startsWith('/?')) await untilFlow('FI', 'KE', 11);
      await accessible(page, `${path} in ${language}`);
      await fitsPhone(page, `${path} in ${language}`);
    }
  }
  await visit(page, '/');
  const [map, beside] = await page.evaluate(() => ['.flows svg', '.flows table'].map((what) => document.querySelector(what).getBoundingClientRect().x));
  assert.ok(map > beside, 'the table stands on the left');
  await page.emulateMedia({media: 'print'});
  assert.equal(await page.$eval('.flows .wrap', (one) => getComputedStyle(one).maxHeight), 'none');
  await page.emulateMedia({media: 'screen'});
});
test('no complaint on the browser’s console', () => assert.deepEqual(complaints, []));
await runAll(() => page);
