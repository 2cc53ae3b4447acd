// Drives Chromium through every page of the node that everywhere.py started: by keys alone, in Arabic, light and dark, on a telephone.
import assert from 'node:assert/strict';
import {given, test, complaints, open, visit, signIn, still, accessible, fits, fitsPhone, roomy, speak, runAll} from './harness.mjs';

let page;
const agreement = `/agreements/${encodeURIComponent(given.agreement)}`;
const report = `/reports/${given.report}`;
const proof = `/ledger/proof?report=${given.report}&team=south.test`;
const pages = ['/', '/?days=7', '/reports', report, '/held', '/held?state=released', '/teams', '/teams?q=192.0.2.1', '/teams/south.test', '/agreements', agreement, '/agreements/new',
  '/partners', '/partners?add=1', '/partners/south.test', '/receipts', '/ledger', '/ledger/0', '/ledger/proof', proof, '/economies', '/economies/FI',
  '/operations', '/operations/log', '/operations/mail', '/operations/figures', '/teams/north.test/card', '/account'];

test('sign in', async () => {
  page = await open();
  await signIn(page, 'operator', given.first);
});
// All that takes the focus, in the order of Tab, from the beginning of the page until it begins anew.
const reach = async (limit) => {
  const reached = [];
  await page.evaluate(() => { window.marks = new Map(); });
  for (let last = '', times = 0; reached.length < limit;) {
    await page.keyboard.press('Tab');
    const now = await page.evaluate(() => {
      const at = document.activeElement;
      if (!at || at === document.body) return {mark: 'body'};
      if (!window.marks.has(at)) window.marks.set(at, `${window.marks.size} ${at.outerHTML.slice(0, 120)}`);
      const box = at.getBoundingClientRect();
      const style = getComputedStyle(at);
      return {mark: window.marks.get(at), visible: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
        outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2};
    });
    if (now.mark === last) {
      times += 1; // fields of dates have several stops
      assert.ok(times < 12, `no way out of ${last}`);
      continue;
    }
    [last, times] = [now.mark, 0];
    if (reached.some((one) => one.mark === now.mark)) break;
    reached.push(now);
  }
  return reached.filter((one) => one.mark !== 'body');
};
const focusable = 'a[href], button:not([disabled]), input:not([disabled]):not([type=hidden]), select:not([disabled]), textarea:not([disabled]), summary, [tabindex="0"]';
for (const path of pages.filter((one) => one !== '/partners?add=1'))
  test(`${path.slice(0, 40)} by keys: all is reached, the focus is seen, nothing traps it`, async () => {
    await visit(page, path);
    await still(page);
    if (path === '/agreements/new') await page.waitForSelector('main button:has-text("findings")');
    const wanted = await page.evaluate((what) => [...document.querySelectorAll(what)].filter((one) => one.checkVisibility() && one.tabIndex >= 0).length, focusable);
    const reached = await reach(wanted + 20);
    assert.deepEqual(reached.filter((one) => !one.visible).map((one) => one.mark), [], 'focus that is not seen');
    assert.deepEqual(reached.filter((one) => !one.outlined).map((one) => one.mark), [], 'focus without a mark');
    const missed = await page.evaluate((what) => [...document.querySelectorAll(what)].filter((one) => one.checkVisibility() && one.tabIndex >= 0 && !window.marks.has(one)).map((one) => one.outerHTML.slice(0, 150)), focusable);
    assert.deepEqual(missed, [], 'never reached');
  });
test('the first stop leads to the content', async () => {
  await visit(page, '/reports');
  await page.evaluate(() => { document.activeElement.blur(); document.querySelector('.skip').focus(); });
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
});
// [page, what opens it]
const dialogs = [['/', 'header button[aria-label="Keys"]'], ['/held', 'main button:text-is("Release")'], ['/partners', 'main button:has-text("Add a partner")'], ['/partners/south.test', '.head button.bad'],
  [report, '.head button:text-is("Recall")'], [report, '.head button:text-is("Correct")'], ['/operations', 'button:has-text("New account")']];
for (const [path, opener] of dialogs)
  test(`${path.slice(0, 30)} ${opener}: a dialog by keys, and back to where it was opened`, async () => {
    await visit(page, path);
    await still(page);
    if (path === '/held') await page.check('thead input');
    for (const leave of ['Escape', 'Cancel']) {
      await page.locator(opener).evaluate((button) => { button.dataset.opener = '1'; button.focus(); });
      await page.keyboard.press('Enter');
      await page.waitForSelector('dialog[open]');
      const inside = () => page.evaluate(() => document.activeElement === document.body || document.querySelector('dialog').contains(document.activeElement));
      for (let i = 0; i < 15; i++) {
        assert.ok(await inside(), 'the focus stays in the dialog');
        await page.keyboard.press(i % 3 === 2 ? 'Shift+Tab' : 'Tab');
      }
      await accessible(page, `${path} ${opener}`);
      const cancel = page.locator('dialog button:text-is("Cancel"), dialog button:text-is("Close")');
      if (leave === 'Cancel') { await cancel.focus(); await page.keyboard.press('Enter'); } else await page.keyboard.press('Escape');
      await page.waitForSelector('dialog', {state: 'detached'});
      assert.equal(await page.evaluate(() => document.activeElement.dataset.opener), '1', `after ${leave}`);
    }
  });
for (const language of ['en', 'ru', 'ar'])
  test(`every page in ${language}: axe in light and dark (English), 360 pixels, room for tables, and the way it is read`, async () => {
    await speak(page, language);
    for (const path of pages) {
      await visit(page, path);
      assert.equal(await page.evaluate(() => document.documentElement.dir), language === 'ar' ? 'rtl' : 'ltr');
      for (const colorScheme of language === 'en' ? ['light', 'dark'] : []) {
        await page.emulateMedia({colorScheme});
        await accessible(page, `${path}, ${colorScheme}`);
      }
      await fits(page, `${path} in ${language}`, 1280);
      await roomy(page, `${path} in ${language}`);
      await fitsPhone(page, `${path} in ${language}`);
    }
    await speak(page, 'en');
  });
test('no complaint on the browser’s console', () => assert.deepEqual(complaints, []));

await runAll(() => page);
