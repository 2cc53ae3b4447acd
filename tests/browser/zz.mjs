// Drives Chromium through Operations, and through what all pages have: print, times, export, errors. operations.py started the node.
import {readFileSync} from 'node:fs';
import assert from 'node:assert/strict';
import {given, test, complaints, expected, open, settled, visit, h1, signIn, accessible, fits, runAll} from './harness.mjs';

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
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.equal(await page.locator('#app img[src="x"]').count(), 0);
  await page.fill('label:has-text("With this text") input', 'ROLE DIED');
  await page.press('label:has-text("With this text") input', 'Enter');
  await page.waitForURL(/text=ROLE/);
  await until(() => document.querySelectorAll('tbody tr').length === 1);
  await page.reload();
  await settled(page);
  await until(() => document.querySelectorAll('tbody tr').length === 1);
  await page.selectOption('label:has-text("Process") select', 'core');
  await until(() => /Nothing|No /.test(document.querySelector('tbody').textContent));
});
await runAll(() => page);
