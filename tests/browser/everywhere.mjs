// Drives Chromium through every state of every page of the node that everywhere.py started: its URL leads there, and the back button back.
import assert from 'node:assert/strict';
import {given, test, complaints, open, settled, visit, signIn, seen, still, runAll} from './harness.mjs';

let page;
let other; // a context of its own, signed in as PAGE is
const agreement = `/agreements/${encodeURIComponent(given.agreement)}`;
const report = `/reports/${given.report}`;

async function same(of, wanted, what) {
  for (const begun = Date.now(); Date.now() - begun < 10000; await of.waitForTimeout(50)) if (await seen(of) === wanted) return;
  assert.equal(await seen(of), wanted, what);
}

const click = (selector) => (of) => of.click(selector);
const fill = (label, value) => async (of) => {
  await of.fill(`main label:has-text("${label}") input`, value);
  await of.press(`main label:has-text("${label}") input`, 'Enter');
};
const choose = (label, value, submit) => async (of) => {
  await of.selectOption(`main label:has-text("${label}") select`, value);
  if (submit) await of.click(submit);
};
const sort = (label) => (of) => of.click(`main th button:has-text("${label}")`);
const find = 'main form button.main';
// Page by page: [from, act, what the URL then says]; with `replace` the back button does not stop there.
const states = [
  ['/', click('.tabs a:has-text("30 days")'), /\/\?days=30$/],
  ['/', click('nav.side a:has-text("Held")'), /\/held$/],
  ['/reports', fill('Address or prefix', '192.0.2.0/24'), /address=192/],
  ['/reports', fill('Domain name', 'north.test'), /name=north/],
  ['/reports', fill('AS number', '64496'), /asn=64496/],
  ['/reports', fill('Team', 'south.test'), /team=south/],
  ['/reports', fill('Provider', 'Test'), /provider=Test/],
  ['/reports', choose('Economy', 'FI', find), /economy=FI/],
  ['/reports', choose('Classification', 'scanner', find), /classification=scanner/],
  ['/reports', choose('Verdict', 'hold', find), /effect=hold/],
  ['/reports', fill('Received from', '2026-01-01T10:00'), /since=2026/],
  ['/reports', fill('Received before', '2099-01-01T10:00'), /until=2099/],
  ['/reports', async (of) => { await of.check('main label:has-text("nobody answers") input'); await of.click(find); }, /unattributed=true/],
  ['/reports?team=south.test', click('main a:has-text("Without filters")'), /\/reports$/],
  [report, async (of) => { await of.locator('main label:has-text("Only what was changed") input').first().check(); }, /changes=1/, 'replace'],
  [report, click('main a[href^="/ledger/proof"]'), /ledger\/proof\?/],
  ['/held', click('.tabs a:has-text("Refused")'), /state=refused/],
  ['/held', fill('Team', 'east.test'), /team=east/],
  ['/teams', fill('Address, prefix', '192.0.2.1'), /q=192/],
  ['/teams', fill('Name or id', 'south'), /text=south/],
  ['/teams', choose('Economy', 'FI'), /economy=FI/],
  ['/teams', sort('Name'), /sort=name/, 'replace'],
  ['/teams/south.test', click('main a:has-text("Reports for this team")'), /reports\?team=south/],
  ['/agreements', fill('Team that is a party', 'south.test'), /team=south/],
  ['/agreements', sort('Kind'), /sort=kind/, 'replace'],
  [agreement, click('main a:has-text("Draft from this")'), /new\?from=/],
  ['/partners', click('main button:has-text("Add a partner")'), /add=1/],
  ['/partners', sort('Team'), /sort=team/, 'replace'],
  ['/partners', click('main .tabs a:has-text("Receipts")'), /\/receipts$/],
  ['/partners/south.test', click('main a[href^="/receipts"]'), /receipts\?team=south/],
  ['/receipts', click('.tabs a:text-is("Open")'), /show=open/],
  ['/receipts', click('.tabs a:has-text("Late")'), /show=late/],
  ['/receipts', click('.tabs a:has-text("Different")'), /show=differs/],
  ['/receipts', fill('Team', 'south.test'), /team=south/],
  ['/ledger', choose('Kind', 'delivery'), /kind=delivery/],
  ['/ledger', fill('Team', 'south.test'), /team=south/],
  ['/ledger', click('main tbody a[href="/ledger/0"]'), /ledger\/0$/],
  ['/economies', choose('Shown on the map', 'population'), /measure=population/, 'replace'],
  ['/economies', sort('ISO'), /sort=iso/, 'replace'],
  ['/operations', sort('Recipient'), /sort=team/, 'replace'],
];

test('sign in', async () => {
  page = await open();
  await signIn(page, 'operator', given.first);
  other = await open({storageState: await page.context().storageState()});
});
for (const [from, act, url, replace] of states)
  test(`${from.slice(0, 30)} ${url}: the same by its URL, and back, and forth`, async () => {
    await visit(page, from);
    const before = await still(page);
    await act(page);
    await page.waitForURL(url);
    const after = await still(page);
    assert.notEqual(after, before, 'it changes what is seen');
    await other.goto(page.url());
    await settled(other);
    await same(other, after, 'somebody else sees the same');
    if (replace) return;
    await page.goBack();
    await settled(page);
    await same(page, before, 'back');
    await page.goForward();
    await settled(page);
    await same(page, after, 'and forth');
  });

test('no complaint on the browser’s console', () => assert.deepEqual(complaints, []));

await runAll(() => page);
