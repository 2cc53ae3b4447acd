// Drives Chromium through the console of the node that run.py started. One line a test; the last one counts them.
import {readFileSync} from 'node:fs';
import assert from 'node:assert/strict';
import {given, test, complaints, forgive, open, expected, settled, visit, h1, signIn, accessible, fits, fitsPhone, speak, harmless, scriptsIn, runAll} from './harness.mjs';

let page;
let evilReport;
const agreement = '/agreements/urn:uuid:00000000-0000-4000-8000-000000000001';
const pages = () => ['/', '/?days=30', '/partners', '/receipts', '/ledger', '/ledger/0', '/ledger/proof', '/reports', `/reports/${evilReport}`,
  '/held', '/teams', '/teams?q=192.0.2.1', '/teams/south.test', '/agreements', agreement, `/agreements/new?from=${agreement.split('/').pop()}`, '/economies', '/economies/KE', '/operations', '/account'];

test('a wrong password is refused, and the browser does not ask for one itself', async () => {
  page = await open();
  let bytes = 0;
  page.on('requestfinished', (request) => request.sizes().then((sizes) => { bytes += sizes.responseBodySize; }, () => {}));
  await page.goto(given.url);
  await accessible(page, 'sign-in');
  await page.fill('[name=name]', 'operator');
  await page.fill('[name=password]', 'wrong');
  await page.click('button.main');
  assert.match(await page.textContent('[role=alert]'), /wrong/);
  expected(/401/);
  assert.ok(bytes > 10000 && bytes < 100000, `the first view takes ${bytes} bytes`);
});
test('a password that was told once must be changed', async () => {
  await signIn(page, 'operator', given.first);
  await settled(page);
  assert.equal(await h1(page), 'Today');
  await page.reload();
  await settled(page);
  assert.equal(await h1(page), 'Today');
});
test('today: counts balance and are links', async () => {
  const text = await page.textContent('main');
  assert.match(text, /The counts balance/);
  assert.match(text, /[1-9]\d*here for us/); // no part of what waits for others
  const sums = await page.$$eval('.sum .part b', (all) => all.map((b) => Number(b.textContent.replace(/\D/g, ''))));
  assert.equal(sums[0], sums[1] + sums[2] + sums[3]);
  assert.equal(sums[4], sums[5] + sums[6] + sums[7] + sums[8]);
  await page.waitForSelector('.map path.flow');
});
test('reports: filters lie in the URL, and the back button goes back', async () => {
  await visit(page, '/reports');
  const all = await page.locator('tbody tr').count();
  await page.selectOption('label:has-text("Classification") select', 'spam');
  await page.fill('label:has-text("Team") input', 'south.test');
  await page.click('form button.main');
  await page.waitForURL(/classification=spam/);
  await settled(page);
  await page.waitForFunction(() => [...document.querySelectorAll('tbody tr')].every((row) => row.textContent.includes('spam')));
  const found = await page.locator('tbody tr').count();
  assert.ok(found > 0 && found <= all);
  await page.reload();
  await settled(page);
  assert.equal(await page.locator('tbody tr').count(), found);
  await page.goBack();
  await page.waitForURL(/reports$/);
});
test('a search from anywhere', async () => {
  for (const [text, url] of [['192.0.2.0/24', /address=192/], ['AS64496', /asn=64496/], ['south.test', /name=south/], ['north', /teams\?text=north/]]) {
    await page.fill('#search', text);
    await page.press('#search', 'Enter');
    await page.waitForURL(url);
  }
  await settled(page);
});
test('a report from all that attackers write runs nothing', async () => {
  await visit(page, '/reports?classification=phishing&address=192.0.2.200');
  evilReport = (await page.getAttribute('tbody a[href^="/reports/"]', 'href')).split('/').pop();
  for (const path of pages()) {
    await visit(page, path);
    await harmless(page, path);
  }
  await visit(page, `/reports/${evilReport}`);
  const shown = scriptsIn(await page.textContent('main'));
  assert.ok(shown >= given.evil, `the story shows it ${shown} times, as text`);
});
test('a report tells before and after, field by field, and the clause', async () => {
  const row = page.locator('tr', {hasText: 'source.account'}).first();
  assert.match(await row.textContent(), /removed/);
  assert.equal(await row.locator('del').count(), 1);
  const address = page.locator('tr', {has: page.locator('code', {hasText: /^source\.ip$/})}).first();
  assert.match(await address.textContent(), /192\.0\.2\.200.*source\.network.*192\.0\.2\.0\/24/s);
  assert.equal(await page.locator('section a[href^="/agreements/"]').count(), 1);
  const time = page.locator('time').first();
  assert.match(await time.getAttribute('title'), /UTC$/);
});
test('nothing inline runs', async () => {
  await page.evaluate(() => {
    const script = document.createElement('script');
    try { script.textContent = 'window.inline = 1'; } catch { /* Trusted Types */ }
    document.body.append(script);
  });
  assert.equal(await page.evaluate(() => window.inline), undefined);
  forgive(/Trusted|Content Security Policy|inline/);
});
test('one held item is released, many are refused, with the reason kept', async () => {
  await visit(page, '/held');
  const first = page.locator('tbody tr').first();
  const number = await first.locator('a').first().textContent();
  await first.locator('input[type=checkbox]').check();
  await page.click('main form button.main');
  await page.fill('dialog textarea', 'Asked by telephone');
  await page.click('dialog button.main');
  await page.waitForSelector('dialog', {state: 'detached'});
  assert.match(await page.textContent('.toasts'), /Decided: 1/);
  await page.waitForFunction((n) => document.querySelector('tbody a')?.textContent !== n, number);
  await settled(page);
  await page.check('thead input[type=checkbox]');
  await page.click('main form button.bad');
  await page.fill('dialog textarea', 'Not theirs');
  await page.click('dialog button.bad');
  await page.waitForSelector('dialog', {state: 'detached'});
  await visit(page, '/held?state=released');
  assert.match(await page.textContent('tbody tr'), /operator.*Asked by telephone/s);
  await visit(page, '/held?state=refused');
  assert.ok(await page.locator('tbody tr').count() > 10);
});
test('whois, teams, agreements in words, economies', async () => {
  await visit(page, '/teams?q=192.0.2.129');
  assert.match(await page.textContent('main'), /south\.test/);
  await visit(page, agreement);
  const text = await page.textContent('main');
  assert.match(text, /in force/);
  assert.match(text, /up to TLP:AMBER go out\. From: north\.test\. To: south\.test\./);
  assert.match(text, /Treatment of addresses: generalised\./);
  await visit(page, '/economies/KE');
  assert.equal(await h1(page), 'Kenya');
  assert.match(await page.textContent('main'), /east\.test/);
  await visit(page, '/economies?sort=-active_asns');
  assert.match(await page.textContent('tbody tr'), /United States|Brazil/);
});
test('a draft is checked as one types, and read in words', async () => {
  await visit(page, '/agreements/new');
  await page.waitForSelector('[role=alert], .table td');
  assert.match(await page.textContent('.table'), /error.*parties/s);
  const text = JSON.parse(await page.inputValue('textarea'));
  Object.assign(text, {title: 'Drafted', parties: ['north.test', 'nowhere.test'], valid_from: '2020-01-01'});
  await page.fill('textarea', JSON.stringify(text, null, 1));
  await page.waitForFunction(() => /warning/.test(document.querySelector('.table')?.textContent ?? ''));
  assert.match(await page.textContent('.table'), /nowhere\.test/);
  assert.match(await page.textContent('ol.clauses'), /wait for a person\. From: every party\./);
  text.parties[1] = 'south.test';
  await page.fill('textarea', JSON.stringify(text, null, 1));
  await page.waitForFunction(() => !/nowhere/.test(document.querySelector('main .grid').lastChild.textContent));
  await page.click('button:has-text("Simulate")');
  await page.waitForSelector('.table:has-text("By the draft")');
  assert.match(await page.textContent('.table:has-text("By the draft")'), /south\.test.*hold: [1-9]/s);
  await page.fill('textarea', '{');
  await page.waitForSelector('.notice.bad');
});
test('tables leave as CSV and JSON, and formulas are none', async () => {
  await visit(page, '/reports?classification=phishing&address=192.0.2.200');
  const get = async (text) => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(`.under button:has-text("${text}")`)]);
    return readFileSync(await download.path(), 'utf8');
  };
  const csv = await get('CSV');
  assert.match(csv, /^received,id,classification,/);
  assert.ok(csv.includes(evilReport));
  assert.ok(!/(^|,|")=cmd/m.test(csv));
  assert.equal(JSON.parse(await get('JSON'))[0].id, evilReport);
});
test('keys alone: go, search, choose, release, escape', async () => {
  await visit(page, '/');
  await page.keyboard.press('?');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', {state: 'detached'});
  await page.keyboard.press('g');
  await page.keyboard.press('h');
  await page.waitForURL(/held/);
  await settled(page);
  await page.waitForSelector('tbody input');
  const before = await page.textContent('tbody tr a');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.waitForSelector('tr[aria-selected=true]');
  for (let i = 0; i < 20 && (await page.evaluate(() => document.activeElement.textContent)) !== 'Release'; i++) await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open] textarea');
  await page.keyboard.type('With keys');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog', {state: 'detached'});
  await page.waitForFunction((old) => document.querySelector('tbody tr a')?.textContent !== old, before);
  await page.keyboard.press('/');
  await page.keyboard.type('198.51.100.1');
  await page.keyboard.press('Enter');
  await page.waitForURL(/reports\?address=198/);
});
test('every page: nothing serious from axe, light and dark; 360 pixels are enough', async () => {
  for (const [n, path] of pages().entries()) {
    await page.emulateMedia({colorScheme: n % 2 ? 'dark' : 'light'});
    await visit(page, path);
    await accessible(page, path);
    await fitsPhone(page, path);
  }
});
test('Arabic from right to left, and the choice is kept', async () => {
  await page.emulateMedia({colorScheme: 'light'});
  await visit(page, '/');
  await page.selectOption('header select >> nth=0', 'ar');
  await page.waitForFunction(() => document.documentElement.dir === 'rtl' && document.querySelector('h1')?.textContent === 'اليوم');
  await page.reload();
  await settled(page);
  const [side, main] = await page.evaluate(() => ['nav.side', 'main'].map((what) => document.querySelector(what).getBoundingClientRect().x));
  assert.ok(side > main, 'the pages stand on the right');
  for (const path of ['/', '/held', '/economies/KE']) {
    await visit(page, path);
    await fitsPhone(page, `${path} in Arabic`);
  }
  assert.equal(await h1(page), 'كينيا');
  await page.selectOption('header select >> nth=0', 'en');
  await page.waitForFunction(() => document.documentElement.dir === 'ltr');
});
test('a key does once what it does, in another language too', async () => {
  await visit(page, '/reports');
  for (const language of ['ar', 'en']) await speak(page, language);
  await page.waitForSelector('tbody tr:nth-child(3) a');
  await page.keyboard.press('j');
  assert.equal(await page.evaluate(() => document.activeElement.closest('tr')?.rowIndex), 1);
  await page.keyboard.press('j');
  assert.equal(await page.evaluate(() => document.activeElement.closest('tr')?.rowIndex), 2);
});
test('each message that differs by number has the forms that the language has', async () => {
  const wrong = await page.evaluate(async () => {
    const base = document.querySelector('script[src]').src.replace(/[^/]*$/, '');
    const found = [];
    for (const language of ['en', 'zh', 'fr', 'es', 'ru', 'ar']) {
      const rules = new Intl.PluralRules(language);
      const used = new Set(Array.from({length: 200}, (_, n) => rules.select(n)).concat(rules.select(0.5)));
      const messages = await (await fetch(`${base}messages/${language}.json`)).json();
      for (const [key, forms] of Object.entries(messages).filter(([, message]) => typeof message === 'object')) {
        const lacks = [...used, 'other'].filter((category) => !(category in forms));
        const none = Object.keys(forms).filter((category) => !rules.resolvedOptions().pluralCategories.includes(category));
        if (lacks.length || none.length) found.push({language, key, lacks, none});
      }
    }
    return found;
  });
  assert.deepEqual(wrong, []);
  const said = await page.evaluate(async () => {
    const base = document.querySelector('script[src]').src.replace(/[^/]*$/, '');
    const {t, speak} = await import(`${base}i18n.js`);
    const days = {};
    for (const language of ['ru', 'ar', 'fr', 'en']) {
      await speak(language);
      days[language] = [1, 2, 5, 21, 1000].map((n) => t('days', {n}));
    }
    return days;
  });
  assert.deepEqual(said.ru, ['1 день', '2 дня', '5 дней', '21 день', '1\u00a0000 дней']);
  assert.deepEqual(said.en, ['1 day', '2 days', '5 days', '21 days', '1,000 days']);
  assert.deepEqual(said.ar.slice(0, 2), ['يوم واحد', 'يومان']);
  assert.deepEqual(said.fr.slice(0, 2), ['1 jour', '2 jours']);
});
test('a reader looks and cannot decide; an analyst can', async () => {
  for (const [kind, may] of [['reader', false], ['analyst', true]]) {
    const other = await open();
    await signIn(other, given.accounts[kind].name, given.accounts[kind].first);
    await visit(other, '/held');
    assert.equal(await other.locator('tbody input[type=checkbox]').count() > 0, may);
    await visit(other, '/operations');
    assert.equal(await other.getByText('Accounts').count(), 0);
    await visit(other, '/account');
    await other.click('header button:has-text("Sign out")');
    await other.waitForSelector('[name=name]');
    await other.context().close();
  }
});
test('an operator adds an account, and takes its right to sign in', async () => {
  await visit(page, '/operations');
  await page.click('button:has-text("New account")');
  await page.fill('dialog input', 'someone');
  await page.click('dialog button.main');
  await page.waitForSelector('dialog code');
  await page.click('dialog button.main');
  await page.click('button:has-text("Disable someone")');
  await page.waitForSelector('button:has-text("Enable someone")');
});
test('a path that no page has says so, in the reader’s language, and how to go on', async () => {
  const base = (await page.getAttribute('script[src]', 'src')).replace(/[^/]*$/, '');
  for (const language of ['zh', 'fr', 'es', 'ru', 'ar', 'en']) {
    await speak(page, language);
    const messages = await page.evaluate(async (url) => (await fetch(url)).json(), `${base}messages/${language}.json`);
    for (const path of ['/nonsense', '/reports/x/y/z', '/agreements/urn%3Auuid%3', '/operations/nonsense']) {
      const answer = await page.goto(given.url + path);
      await settled(page);
      assert.equal(answer.status(), path.includes('%') ? 400 : 404, path);
      expected(/40[04]/);
      assert.equal(await h1(page), messages.lost, `${path} in ${language}`);
      assert.ok((await page.textContent('main')).includes(path));
      await fits(page, path, 1280);
    }
    await accessible(page, language);
    await fitsPhone(page, `no page, in ${language}`);
  }
  await page.fill('main [role=search] input', '192.0.2.1');
  await page.press('main [role=search] input', 'Enter');
  await page.waitForURL(/reports\?address=192/);
  await page.goto(`${given.url}/nonsense`);
  await settled(page);
  expected(/404/);
  await page.click('main a[href="/"]');
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === 'Today');
  await visit(page, '/reports/');
  assert.equal(await h1(page), 'Reports'); // a slash at the end is no other page
});
test('what is not there says so', async () => {
  await visit(page, '/reports/00000000-0000-8000-8000-000000000000');
  await page.waitForSelector('[role=alert]');
  expected(/40[04]/);
});
test('no complaint on the browser’s console', () => assert.deepEqual(complaints, []));
await runAll(() => page);
