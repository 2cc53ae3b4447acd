// Drives Chromium through the console of a node to which another one has shown other teams' cards, both started by teams.py.
import http from 'node:http';
import assert from 'node:assert/strict';
import {given, test, complaints, forgive, open, visit, h1, signIn, accessible, fitsPhone, speak, harmless, scriptsIn, runAll} from './harness.mjs';

let page;
const officerPages = ['/teams', '/teams/evil.test/waiting', '/teams/east.test', '/teams/east.test/waiting', '/teams/north.test', '/teams/north.test/card'];
// What south's node answers its own people.
const south = (path) => new Promise((done, failed) => {
  http.get({socketPath: given.south, path}, (answer) => {
    let text = '';
    answer.on('data', (part) => { text += part; }).on('end', () => done(JSON.parse(text)));
  }).on('error', failed);
});
async function southSays(path, good) {
  for (const end = Date.now() + 60000; ; ) {
    const said = await south(path);
    if (good(said)) return said;
    assert.ok(Date.now() < end, `south says of ${path}: ${JSON.stringify(said).slice(0, 500)}`);
    await new Promise((again) => { setTimeout(again, 100); });
  }
}
const row = (text, of = page) => of.locator('tbody tr', {hasText: text});
// A button that opens the dialog, which is filled in and confirmed.
async function decide(button, reason) {
  await page.click(`.panel button:text-is("${button}"), .head button:text-is("${button}")`);
  const check = page.locator('dialog input[type=checkbox]');
  if (await check.count()) await check.check();
  await page.fill('dialog textarea', reason);
  await page.click('dialog form button:not([type=button])');
}

test('the cards that wait are counted, and told with the reason', async () => {
  page = await open();
  await signIn(page, 'operator', given.first);
  await page.waitForSelector('nav.side a[href="/teams"] .count:text-is("3")');
  await visit(page, '/teams');
  await page.waitForSelector('.table:has-text("Cards that wait")');
  assert.match(await row('east.test').first().textContent(), /not known.*KE as a whole, 203\.0\.113\.0\/24, AS64500.*south\.test/s);
  const names = await page.$$eval('.table:has-text("Cards that wait") tbody a[href$="/waiting"]', (all) => all.map((one) => one.textContent));
  assert.deepEqual(names, ['east.test', 'evil.test', 'west.test']);
});
test('a card from all that attackers write runs nothing while it waits', async () => {
  await harmless(page, '/teams');
  await visit(page, '/teams/evil.test/waiting');
  await page.waitForSelector('.table:has-text("What it says")');
  const shown = scriptsIn(await page.textContent('main'));
  assert.ok(shown >= 12, `the card shows it ${shown} times, as text`);
  await harmless(page, '/teams/evil.test/waiting');
});
test('what a card claims anew and what differs is shown; it is accepted with the reason', async () => {
  await visit(page, '/teams');
  await page.click('a[href="/teams/east.test/waiting"]');
  await page.waitForSelector('.notice li');
  assert.deepEqual(await page.$$eval('.notice li', (all) => all.map((one) => one.textContent)), ['KE as a whole', '203.0.113.0/24', 'AS64500']);
  assert.match(await page.textContent('.table:has-text("What differs")'), /constituency\.asns.*64500/s);
  await page.click('.panel button:text-is("Accept")');
  await accessible(page, 'the dialog for a card');
  // Nothing is done before it is said that the key was compared, and why.
  await page.fill('dialog textarea', 'Read to me by telephone');
  await page.click('dialog form button.main');
  assert.equal(await page.locator('dialog[open]').count(), 1);
  await page.check('dialog input[type=checkbox]');
  await page.click('dialog form button.main');
  await page.waitForURL(/teams\/east\.test$/);
  await page.waitForSelector('.table:has-text("What was decided about its cards")');
  assert.match(await page.textContent('.table:has-text("What was decided about its cards")'), /accepted.*operator.*Read to me by telephone/s);
  assert.match(await page.textContent('.table:has-text("Keys that are known")'), /signs its card/);
  assert.match(await page.textContent('main'), /accepted by a person here.*https:\/\/east\.test:8444/s);
  await page.waitForSelector('nav.side a[href="/teams"] .count:text-is("2")');
});
test('a vouch is signed, and counts at another node', async () => {
  await decide('Vouch for the key', 'We met');
  await page.waitForSelector('.table:has-text("Who vouches for its key") a[href="/teams/north.test"]');
  await southSays('/api/v1/teams/east.test', (team) => team.vouches.some((one) => one.by === 'north.test' && one.known));
});
test('another card is refused, and nothing of it counts', async () => {
  await visit(page, '/teams/west.test/waiting');
  await decide('Refuse', 'Nobody knows them');
  await page.waitForSelector('main:has-text("No card of this team waits")');
  assert.match(await page.textContent('.table:has-text("What was decided about its cards")'), /refused.*operator.*Nobody knows them/s);
  await visit(page, '/teams?text=west');
  await page.waitForSelector('main td:has-text("Nothing here")');
});
test('what came in its place meanwhile is not accepted', async () => {
  await visit(page, '/teams/evil.test/waiting');
  await page.route('**/api/v1/cards/*/accept', (route) => {
    const body = JSON.parse(route.request().postData());
    return route.continue({postData: JSON.stringify({...body, sha256: body.sha256.replace(/^./, (c) => (c === '0' ? '1' : '0'))})});
  });
  await decide('Accept', 'Not this one');
  await page.waitForSelector('dialog [role=alert]:has-text("another card")');
  forgive(/409/);
  await page.unroute('**/api/v1/cards/*/accept');
  await page.keyboard.press('Escape');
});
test('every page: nothing serious from axe, 360 pixels are enough, also from right to left', async () => {
  for (const language of ['en', 'ar']) {
    await speak(page, language);
    for (const path of officerPages) {
      await visit(page, path);
      await page.waitForSelector('main .panel, main .table');
      if (language === 'en') await accessible(page, path);
      await fitsPhone(page, `${path} in ${language}`);
    }
  }
  await speak(page, 'en');
});
test('the attackers’ card runs nothing once it is accepted, either', async () => {
  await visit(page, '/teams/evil.test/waiting');
  await decide('Accept', given.evil);
  await page.waitForURL(/teams\/evil\.test$/);
  await page.waitForSelector('.table:has-text("What was decided about its cards")');
  const shown = scriptsIn(await page.textContent('main'));
  assert.ok(shown >= 10, `the page shows it ${shown} times, as text`);
  assert.equal(await h1(page), given.evil);
  await harmless(page, '/teams/evil.test');
  for (const path of ['/teams', '/teams?text=evil']) {
    await visit(page, path);
    await harmless(page, path);
  }
});
test('an accepted card is dropped, and the directory’s counts again', async () => {
  await visit(page, '/teams/east.test');
  await decide('Drop the accepted card', 'They split up');
  await page.waitForSelector('.table:has-text("They split up")');
  assert.equal(await page.locator('.head button:text-is("Vouch for the key")').count(), 0);
});
test('the own card says something new, is signed, and another node sees it', async () => {
  await visit(page, '/teams/north.test');
  await page.click('.head a[href="/teams/north.test/card"]');
  await page.waitForSelector('.notice.good');
  assert.ok(await page.isDisabled('main button.main'), 'what is said already is not signed again');
  await page.click('button:has-text("Change what the team says")');
  const text = JSON.parse(await page.inputValue('textarea'));
  assert.deepEqual(Object.keys(text).filter((key) => ['node', 'signature', 'version'].includes(key)), []);
  await page.fill('textarea', JSON.stringify({...text, surplus: 1}));
  await page.waitForSelector('.notice.bad:has-text("surplus")');
  await page.fill('textarea', JSON.stringify({...text, hours: 'always'}, null, 1));
  await page.waitForSelector('.table:has-text("What changes by it") tr:has-text("hours"):has-text("always")');
  await page.click('main button.main:not([disabled])');
  await accessible(page, 'the dialog for the own card');
  await page.click('dialog button.main');
  await page.waitForURL(/teams\/north\.test$/);
  await page.waitForSelector('main:has-text("always")');
  assert.match(await page.textContent('.table:has-text("What was decided about its cards")'), /signed and published.*operator/s);
  const seen = await southSays('/api/v1/teams/north.test', (team) => team.card.hours === 'always');
  assert.equal(seen.signed.as, 'key');
});
test('a node that has signed no card yet is told what is missing, and signs its first', async () => {
  const own = page;
  page = await open();
  await signIn(page, 'operator', given.new.first, given.new.url);
  await page.goto(`${given.new.url}/teams/east.test/card`);
  await page.waitForSelector('.notice.bad:has-text("Say once where others reach")');
  assert.ok(await page.isDisabled('main button.main'));
  await page.fill('input[type=url]', `${given.new.door}/path`);
  await page.waitForSelector('.notice.bad:has-text("nothing behind")');
  await page.fill('input[type=url]', given.new.door);
  await page.waitForSelector('.table:has-text("What it says") tr:has-text("node.url")');
  await page.click('main button.main:not([disabled])');
  assert.match(await page.textContent('dialog'), /A key is made with the first signature/);
  await page.click('dialog button.main');
  await page.waitForURL(/teams\/east\.test$/);
  await page.waitForSelector('.table:has-text("What was decided about its cards")');
  await page.waitForSelector('main:has-text("its own, signed here")');
  await page.context().close();
  page = own;
});
test('who may not decide sees no button, and is refused', async () => {
  for (const [kind, may] of [['reader', false], ['officer', true]]) {
    const other = await open();
    await signIn(other, `a-${kind}`, given.accounts[kind]);
    for (const path of ['/teams/evil.test', '/teams/north.test', '/teams/north.test/card']) {
      await visit(other, path);
      await other.waitForSelector('main .panel, main .notice');
      const buttons = await other.locator('main button:text-is("Vouch for the key"), main button:text-is("Sign and publish"), main a:text-is("This team’s own card")').count();
      assert.equal(buttons > 0, may, `${kind} at ${path}`);
    }
    const status = await other.evaluate(async () => {
      const me = await (await fetch('/api/v1/session')).json();
      const answer = await fetch('/api/v1/cards/evil.test/refuse', {method: 'POST', headers: {'Content-Type': 'application/json', 'X-CSRF-Token': me.csrf},
        body: JSON.stringify({sha256: '0'.repeat(64), reason: 'x'})});
      return answer.status;
    });
    assert.equal(status, may ? 409 : 403);
    forgive(/40[39]/);
    await other.context().close();
  }
});
test('no complaint on the browser’s console', () => assert.deepEqual(complaints, []));

await runAll(() => page);
