// Drives Chromium through the console of a node that found a partner's ledger to have two histories.
import {readFileSync} from 'node:fs';
import assert from 'node:assert/strict';
import {given, test, complaints, open, visit, signIn, accessible, runAll} from './harness.mjs';

let page;
test('a partner with two histories is shown as such', async () => {
  page = await open();
  await signIn(page, 'operator', given.first);
  await visit(page, '/partners/north.test');
  await page.waitForSelector('.notice.bad:has-text("two histories")');
  await accessible(page, 'a partner with two histories');
  await visit(page, '/ledger');
  await page.waitForSelector('.tag.bad:has-text("two histories")');
});
test('what proves it is kept in a file, as the command prints it', async () => {
  await visit(page, '/partners/north.test');
  const [saved] = await Promise.all([page.waitForEvent('download'), page.click('button:has-text("Keep the evidence")')]);
  assert.equal(saved.suggestedFilename(), 'north.test.two-histories');
  assert.equal(readFileSync(await saved.path(), 'utf8'), given.evidence);
  assert.match(given.evidence, /^comity-two-histories-v1\n/);
});
test('no complaint on the browser’s console', () => assert.deepEqual(complaints, []));
await runAll(() => page);
