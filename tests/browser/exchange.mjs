// Drives Chromium through the console of a node that exchanges with another one, both started by exchange.py.
import {readFileSync} from 'node:fs';
import assert from 'node:assert/strict';
import {given, test, complaints, expected, open, settled, visit, h1, signIn, accessible, fitsPhone, roomy, speak, harmless, keyed, runAll} from './harness.mjs';

let page;
const until = (what, of) => page.waitForFunction(what, of);
const verdict = async () => {
  await page.evaluate(() => document.querySelector('[data-verdict]')?.setAttribute('data-verdict', 'old'));
  await page.click('.verify button.main');
  await page.waitForSelector('[data-verdict]:not([data-verdict=old])');
  const steps = Object.fromEntries(await page.$$eval('[data-step]', (all) => all.map((one) => [one.dataset.step, one.dataset.ok])));
  return [await page.getAttribute('[data-verdict]', 'data-verdict'), steps];
};
// The node's answer at PATTERN, changed by CHANGE (bytes to bytes) on its way to the page.
async function tampered(pattern, change, run) {
  await page.route(pattern, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({response: answer, body: change(await answer.body())});
  });
  try { return await run(); } finally { await page.unroute(pattern); }
}
const proof = `/ledger/proof?report=${given.report}&team=south.test`;

test('a partner is added from its card, which is shown first', async () => {
  page = await open();
  await signIn(page, 'operator', given.first);
  await visit(page, '/partners');
  await page.click('button:has-text("Add a partner")');
  await page.waitForURL(/add=1/);
  await page.setInputFiles('dialog input[type=file]', {name: 'wrong.json', mimeType: 'application/json', buffer: Buffer.from('{')});
  await page.waitForSelector('dialog [role=alert]');
  assert.ok(await page.isDisabled('dialog button.main'));
  await page.setInputFiles('dialog input[type=file]', given.card);
  await page.waitForSelector('dialog dl');
  const card = JSON.parse(readFileSync(given.card, 'utf8'));
  const shown = await page.textContent('dialog dl');
  for (const text of [card.id, card.node.url, card.node.certificate, card.node.log]) assert.ok(shown.includes(text), text);
  await accessible(page, 'the dialog for a partner');
  await page.click('dialog button.main');
  await page.waitForURL(/partners\/south\.test$/);
  await settled(page);
  assert.match(await page.textContent('main'), /sends: .*fetches: /s);
});
test('its queue empties, and its receipt is right', async () => {
  for (;;) {
    await visit(page, '/receipts?show=all');
    if (await page.locator('tbody .tag.good').count() === 2) break;
  }
  assert.match(await page.textContent('tbody tr'), /confirmed by receipt.*south\.test.*10.*right/s);
  await page.click('nav.tabs a:has-text("Different")');
  await page.waitForURL(/show=differs/);
  await until(() => /Nothing here/.test(document.querySelector('tbody').textContent));
  await visit(page, '/partners');
  assert.match(await page.textContent('tbody tr'), /south\.test.*sends: works/s);
});
test('the ledger is read from its tiles, and an entry verified in the browser', async () => {
  await visit(page, '/ledger?kind=delivery');
  await page.click('tbody a[href^="/ledger/"]');
  await page.waitForURL(/ledger\/\d+$/);
  await settled(page);
  await keyed(page);
  assert.equal(await page.inputValue('.verify input'), given.key);
  const [found, steps] = await verdict();
  assert.equal(found, 'right');
  assert.equal(steps.signature, 'true');
  assert.equal(steps.entry, 'true');
  assert.equal(steps.receipt, 'true');
  for (let seen = steps.witness; seen !== 'true'; seen = (await verdict())[1].witness) await page.waitForTimeout(200);
  await visit(page, '/ledger');
  await page.waitForSelector('.table:has-text("cosigned") code:has-text("south.test/witness")');
  await page.goBack();
  await keyed(page);
});
test('another key, another checkpoint, another tile, another bundle: each is found out', async () => {
  const entry = new URL(page.url()).pathname;
  await page.fill('.verify input', given.other);
  assert.equal((await verdict())[1].signature, 'false');
  const flip = (at) => (body) => { body[(at + body.length) % body.length] ^= 1; return body; };
  const letter = (body) => Buffer.from(body.toString().replace(/\n([A-Za-z0-9+/]{43}=)\n/, (all, root) => `\n${root[0] === 'A' ? 'B' : 'A'}${root.slice(1)}\n`));
  for (const [pattern, change, step] of [['**/log/checkpoint', letter, 'signature'], [/log\/tile\/\d/, flip(0), 'entry'],
    ['**/log/tile/entries/**', (body) => Buffer.from(body.toString('latin1').replaceAll('north.test', 'n0rth.test'), 'latin1'), 'entry'],
    ['**/api/v1/receipts/*', (body) => Buffer.from(body.toString().replace('count 10', 'count 11')), 'receipt-other']]) {
    await tampered(pattern, change, async () => {
      await visit(page, entry);
      await keyed(page);
      const [found, steps] = await verdict();
      assert.equal(found, 'wrong', `${pattern}: ${JSON.stringify(steps)}`);
      assert.equal(steps[step], 'false', `${pattern}: ${JSON.stringify(steps)}`);
    });
  }
});
test('a cosignature may tell any time', async () => {
  const last = (body) => Buffer.from(body.toString().replace(/(— south\.test\/witness )(\S+)/, (all, before, encoded) => {
    const bytes = Buffer.from(encoded, 'base64');
    bytes.fill(255, 4, 12);
    return before + bytes.toString('base64');
  }));
  await tampered('**/log/cosigned', last, async () => {
    await visit(page, '/ledger');
    await page.waitForSelector('.table:has-text("cosigned") tr:has(code:has-text("south.test/witness")) time[datetime^="2100-01-01"]');
  });
});
test('a report’s story leads to the proof that it crossed; the item is the recipient’s', async () => {
  await visit(page, `/reports/${given.report}`);
  await page.click('a[href^="/ledger/proof"]');
  await page.waitForURL(/ledger\/proof/);
  await settled(page);
  await keyed(page);
  const [found, steps] = await verdict();
  assert.equal(found, 'right');
  assert.equal(steps.item, 'true');
  assert.equal(steps.receipt, 'true');
});
test('a proof of another item, entry or place is refused', async () => {
  const changed = (change) => (body) => Buffer.from(JSON.stringify(change(JSON.parse(body))));
  const other = {
    item: (of) => ({...of, item: of.item.replace('"type":"', '"typf":"')}),
    entry: (of) => ({...of, proof: of.proof.replace(/^extra (.*)$/m, (all, text) => `extra ${Buffer.from(Buffer.from(text, 'base64').toString().replace('"to":"south.test"', '"to":"s0uth.test"')).toString('base64')}`)}),
    signature: (of) => ({...of, proof: of.proof.replace(/\n(\d+)\n([A-Za-z0-9+/]{43}=)\n\n/, (all, size, root) => `\n${Number(size) + 1}\n${root}\n\n`)}),
  };
  for (const [step, change] of Object.entries(other))
    await tampered('**/api/v1/reports/*/proof*', changed(change), async () => {
      await visit(page, proof);
      await keyed(page);
      const [found, steps] = await verdict();
      assert.equal(found, 'wrong', step);
      assert.equal(steps[step], 'false', `${step}: ${JSON.stringify(steps)}`);
    });
});
test('witnesses: who did not sign, whose key is not known or cannot be read, and a wrong cosignature are all told', async () => {
  const entry = '/ledger/0';
  const ready = async () => {
    await visit(page, entry);
    await keyed(page);
  };
  await ready();
  let [found, steps] = await verdict();
  assert.deepEqual([found, steps.witness], ['right', 'true']);
  const withoutCosignature = (body) => Buffer.from(body.toString().replace(/— south\.test\/witness .*\n/, ''));
  await tampered('**/log/checkpoint', withoutCosignature, async () => {
    [found, steps] = await verdict();
    assert.deepEqual([found, steps.witness, steps['witness-absent']], ['right', undefined, 'null']);
  });
  const wrongCosignature = (body) => Buffer.from(body.toString().replace(/(— south\.test\/witness .{30})(.)/, (all, before, letter) => before + (letter === 'A' ? 'B' : 'A')));
  await tampered('**/log/checkpoint', wrongCosignature, async () => {
    [found, steps] = await verdict();
    assert.deepEqual([found, steps.witness], ['wrong', 'false']);
  });
  for (const path of ['**/api/v1/peers', '**/api/v1/teams/south.test']) {
    await page.route(path, (route) => route.fulfill({status: 500, contentType: 'application/problem+json', body: '{"detail":"out of order"}'}));
    [found, steps] = await verdict();
    assert.deepEqual([found, steps.witness, steps['witness-unread']], ['right', undefined, 'null'], path);
    assert.match(await page.textContent('[data-step=witness-unread]'), /out of order/);
    assert.equal(await page.locator('.verify .notice.good').count(), 0, 'not all of it was checked');
    await page.unroute(path);
    expected(/500/);
  }
  for (const [key, step, ok] of [[given.witness, 'witness', 'true'], [given.other, 'witness-absent', 'null'], ['no key', 'witness-unread', 'null']]) {
    await page.fill('.verify textarea', key);
    [found, steps] = await verdict();
    assert.deepEqual([found, steps[step]], ['right', ok], key);
  }
});
test('a proof from a file: chosen or dropped, of this ledger or another, and what is none', async () => {
  const of = await page.evaluate((path) => fetch(path).then((answer) => answer.json()), `/api/v1/reports/${given.report}/proof?team=south.test`);
  const file = (name, text) => ({name, mimeType: 'application/octet-stream', buffer: Buffer.from(text)});
  const [proofInput, itemInput] = [page.locator('.drop input').nth(0), page.locator('.drop input').nth(1)];
  const drop = async (n, name, text) => {
    const transfer = await page.evaluateHandle(([of_, name_]) => {
      const data = new DataTransfer();
      data.items.add(new File([of_], name_));
      return data;
    }, [text, name]);
    await page.locator('.drop').nth(n).dispatchEvent('dragover', {dataTransfer: transfer});
    await page.waitForSelector('.drop.over');
    await page.locator('.drop').nth(n).dispatchEvent('drop', {dataTransfer: transfer});
    await page.waitForSelector(`.drop code:has-text("${name}")`);
  };
  const ready = () => page.waitForFunction(() => [...document.querySelectorAll('.verify input')].slice(0, 2).filter((input) => input.value.includes('+')).length === 2);
  await visit(page, '/ledger/proof');
  await proofInput.setInputFiles(file('a.tlog-proof', of.proof));
  await ready();
  assert.equal(await page.inputValue('.verify input'), given.key);
  let [found, steps] = await verdict();
  assert.deepEqual([found, steps['item-missing']], ['right', 'null']);
  await itemInput.setInputFiles(file('a.json', of.item));
  await page.waitForSelector('.drop code:has-text("a.json")');
  await ready();
  [found, steps] = await verdict();
  assert.deepEqual([found, steps.item, steps.receipt, steps.entry, steps.signature], ['right', 'true', 'true', 'true', 'true']);
  await visit(page, '/ledger/proof');
  await drop(0, 'b.tlog-proof', of.proof);
  await drop(1, 'b.json', of.item.replace('"type":"', '"typf":"'));
  await ready();
  [found, steps] = await verdict();
  assert.deepEqual([found, steps.item, steps.entry], ['wrong', 'false', 'true']);
  await accessible(page, 'a proof from a file');
  await drop(0, '<img src=x onerror=window.pwned=1>', 'c2sp.org/tlog-proof@v1\n<script>window.pwned=1</script>\n\n');
  await page.waitForSelector('[data-verdict=wrong] [data-step=read]');
  assert.equal(await page.locator('.verify button').count(), 0, 'nothing is there to be verified');
  await itemInput.setInputFiles(file('large.json', Buffer.alloc((16 << 20) + 1)));
  await page.waitForSelector('[role=alert]:has-text("large.json")');
  await harmless(page, 'a proof from a file');
  // Another team's ledger: its key is the one on its card.
  await drop(0, 'south.tlog-proof', given.foreign);
  await ready();
  assert.equal(await page.inputValue('.verify input'), given.other);
  [found, steps] = await verdict();
  assert.equal(steps.signature, 'true');
});
test('the pages: nothing serious from axe, 360 pixels are enough, also from right to left, and tables have room', async () => {
  const pages = ['/partners', '/partners/south.test', '/receipts', '/ledger', '/ledger/0', proof];
  for (const language of ['en', 'ru', 'ar']) {
    await speak(page, language);
    for (const path of pages) {
      await visit(page, path);
      await roomy(page, `${path} in ${language}`);
      if (language === 'en') await accessible(page, path);
      await fitsPhone(page, `${path} in ${language}`);
    }
  }
  await speak(page, 'en');
});
test('a report is taken back, with the reason, and its story says so', async () => {
  await visit(page, `/reports/${given.report}`);
  await page.click('.head button:has-text("Recall")');
  await page.fill('dialog textarea', 'It was a test');
  await page.click('dialog button.bad');
  await page.waitForSelector('.notice.bad:has-text("It was a test")');
  assert.match(await page.textContent('.toasts'), /told: south\.test/);
  assert.equal(await page.locator('.head button:has-text("Recall")').count(), 0);
});
test('an agreement is proposed from a draft, and ended with the reason', async () => {
  const own = page;
  page = await open();
  await signIn(page, 'operator', given.east.first, given.east.url);
  await page.goto(`${given.east.url}/agreements/new`);
  await settled(page);
  const text = JSON.parse(await page.inputValue('textarea'));
  Object.assign(text, {title: 'From the console', parties: ['east.test', 'north.test'], valid_from: '2030-01-01'});
  await page.fill('textarea', JSON.stringify(text, null, 1));
  await page.click('.under button.main:not([disabled])');
  await page.click('dialog button.main');
  await page.waitForURL(/agreements\/urn/);
  await settled(page);
  assert.match(await page.textContent('main'), /proposed.*east\.test.*signed.*north\.test.*not yet/s);
  await page.waitForSelector('h2:has-text("What changes by it")');
  await accessible(page, 'an agreement of the register');
  await fitsPhone(page, 'an agreement of the register');
  assert.equal(await page.locator('.head button:has-text("Refuse")').count(), 0, 'what one has signed one ends');
  await page.click('.head button:has-text("End")');
  await page.fill('dialog textarea', 'Not this one');
  await page.click('dialog button.bad');
  await page.waitForSelector('.table:has-text("Not this one")');
  assert.match(await page.textContent('main dl'), /ended/);
  assert.equal(await page.locator('.head button:has-text("End")').count(), 0);
  await page.context().close();
  page = own;
});
test('a partner is removed, once one is sure', async () => {
  await visit(page, '/partners/south.test');
  await page.click('.head button.bad');
  await page.click('dialog button.bad');
  await page.waitForURL(/partners$/);
  await settled(page);
  assert.equal(await h1(page), 'Partners');
  await until(() => /Nothing here/.test(document.querySelector('tbody').textContent));
});
test('no complaint on the browser’s console', () => assert.deepEqual(complaints, []));

await runAll(() => page);
