// Drives Chromium through the node that everywhere.py started, as each kind of account: what a page hides, the API refuses, and nothing else.
import assert from 'node:assert/strict';
import {given, test, complaints, expected, open, settled, visit, h1, signIn, runAll} from './harness.mjs';

const nobody = '00000000-0000-8000-8000-000000000000';
const agreement = `/agreements/${encodeURIComponent(given.agreement)}`;
const report = `/reports/${given.report}`;
const ownCard = '/teams/north.test/card';
const pages = ['/', '/reports', report, '/held', '/teams', '/teams/south.test', '/teams/south.test/waiting', '/agreements', agreement, '/agreements/new', '/partners', '/partners/south.test', '/receipts', '/ledger',
  '/ledger/0', `/ledger/proof?report=${given.report}&team=south.test`, '/economies', '/economies/FI', '/operations', '/operations/log', '/operations/mail', '/operations/figures', ownCard,
  '/account'];
// Nothing of these is there without a right: they say whom to ask.
const needed = {'/operations/log': 'operate', '/operations/mail': 'operate'};
// What a page shows of what may be done: [page, what shows it, right].
const acts = [['/held', 'main button:text-is("Release")', 'release'], ['/held', 'main button:text-is("Refuse")', 'release'], ['/held', 'tbody input[type=checkbox]', 'release'],
  [report, '.head button:text-is("Recall")', 'release'], [report, '.head button:text-is("Correct")', 'report'],
  ['/agreements', '.head a[href="/agreements/new"]', 'agree'], [agreement, '.head a:has-text("Draft from this")', 'agree'], ['/agreements/new', 'button:text-is("Propose")', 'agree'],
  ['/agreements/new', 'button:has-text("Simulate")', 'agree'], ['/partners', 'button:has-text("Add a partner")', 'operate'], ['/partners/south.test', '.head button.bad', 'operate'],
  ['/teams', '.head a[href="/teams/north.test/card"]', 'agree'], ['/teams/north.test', '.head a[href="/teams/north.test/card"]', 'agree'], [ownCard, 'button:text-is("Sign and publish")', 'agree'],
  ['/operations', '.tabs a[href="/operations/log"]', 'operate'], ['/operations', '.tabs a[href="/operations/mail"]', 'operate'], ['/operations/mail', '.head button:text-is("Mail a team")', 'operate'],
  ['/operations', 'button:has-text("New account")', 'operate'], ['/operations', '.table:has-text("Settings") td', 'operate'], ['/account', 'button:has-text("New token")', 'own']];
// What stands in a path, and bodies that are read before the right is asked for. Nothing of it is there, so that nothing is done.
const inPath = {id: nobody, name: 'no-such-account', number: '999999', team: 'nowhere.test', batch: `urn:uuid:${nobody}`};
// Beside what must be said: what makes sense of it, and changes nothing.
const more = {'POST principals': {name: 'a-reader'}, 'PATCH principals/{name}': {disabled: true}, 'POST reports/{id}/feedback': {opinion: 'agree'}, 'POST collections': {alias: '!'}};
const left = ['session', 'me']; // signing in and out is looked at by itself
// Others' passwords are the operator's; one's own is one's own.
const rightOf = ({path, right}) => (path === 'principals/{name}/password' ? 'operate' : right);

// The statuses of all routes, as this page's account gets them.
const asked = (page) => page.evaluate(async ({routes, inPath: of, more: given_}) => {
  const {csrf} = await (await fetch('/api/v1/session')).json();
  const found = {};
  for (const {method, path, body, BODY, QUERY} of routes) {
    const name = `${method} ${path}`;
    const stop = new AbortController();
    const headers = {'X-CSRF-Token': csrf, 'Content-Type': body === 'BODY_STREAM' ? 'application/octet-stream' : 'application/json'};
    const to = `/api/v1/${path.replace(/\{(\w+)\}/g, (all, key) => of[key])}?${new URLSearchParams(QUERY)}`;
    const sent = {BODY_NONE: undefined, BODY_STREAM: ''};
    const answer = await fetch(to, {method, headers, signal: stop.signal, body: method === 'GET' ? undefined : body in sent ? sent[body] : JSON.stringify({...BODY, ...given_[name]})});
    found[name] = answer.status;
    stop.abort();
  }
  return found;
}, {routes: given.routes.filter(({path}) => !left.includes(path)), inPath, more});

let page; // of the kind that is looked at
const signedIn = {};
async function as(kind) {
  if (!signedIn[kind]) {
    signedIn[kind] = await open();
    const account = kind === 'operator' ? {name: 'operator', first: given.first} : given.accounts[kind];
    await signIn(signedIn[kind], account.name, account.first);
  }
  page = signedIn[kind];
}
test('who is not signed in sees the sign-in on every page, and gets nothing of the API', async () => {
  page = await open();
  for (const path of pages) {
    await page.goto(given.url + path);
    await page.waitForSelector('[name=password]');
    assert.equal(await page.locator('nav.side').count(), 0, path);
  }
  const statuses = await page.evaluate(async (routes) => Promise.all(routes.map(async ([method, path]) => [`${method} ${path}`, (await fetch(`/api/v1/${path}`, {method})).status])),
    given.routes.filter(({path, method, right}) => right !== 'none' && !(path === 'session' && method === 'POST')).map(({method, path}) => [method, path.replace(/\{(\w+)\}/g, (all, name) => inPath[name])]));
  assert.deepEqual(statuses.filter(([, status]) => status !== 401), []);
  const told = await page.evaluate(async () => Object.keys(await (await fetch('/api/v1/status')).json()));
  assert.deepEqual(told, ['ok', 'version'], 'what everybody hears of its status');
  complaints.splice(0);
});
test('a partner’s account has no business at this door', async () => {
  await page.goto(given.url);
  await page.fill('[name=name]', given.accounts.partner.name);
  await page.fill('[name=password]', given.accounts.partner.first);
  await page.click('button.main');
  await page.waitForSelector('[role=alert]');
  assert.equal(await page.locator('nav.side').count(), 0);
  complaints.splice(0);
});
test('after the sign-in one is where one wanted to go', async () => {
  await as('reader');
  const context = await open();
  await context.goto(`${given.url}/receipts?show=open`);
  await context.fill('[name=name]', given.accounts.reader.name);
  await context.fill('[name=password]', 'a long enough password');
  await context.click('button.main');
  await context.waitForSelector('nav.side');
  await settled(context);
  assert.equal(await h1(context), 'Receipts');
  assert.match(context.url(), /show=open$/);
  await context.context().close();
});
for (const kind of ['operator', 'officer', 'analyst', 'reader']) {
  test(`${kind}: every page asks for what it may have only, and shows what may be done only`, async () => {
    await as(kind);
    const {rights} = await page.evaluate(async () => (await fetch('/api/v1/session')).json());
    for (const path of pages) {
      await visit(page, path);
      const alerts = await page.locator('main [role=alert]').allTextContents();
      const refused = path in needed && !rights.includes(needed[path]);
      assert.equal(alerts.length, refused ? 1 : 0, `${path}: ${alerts}`);
      if (!refused) continue;
      assert.match(alerts[0], /ask an operator/, path);
      expected(/403/);
    }
    assert.deepEqual(complaints, []);
    for (const [path, shows, right] of acts) {
      await visit(page, path);
      if (rights.includes(right)) await page.waitForSelector(shows);
      else assert.equal(await page.locator(shows).count(), 0, `${path} ${shows}`);
    }
  });
  test(`${kind}: the API refuses all else, and only that`, async () => {
    await as(kind);
    const {rights} = await page.evaluate(async () => (await fetch('/api/v1/session')).json());
    const statuses = await asked(page);
    complaints.splice(0); // each refusal is one
    const wrong = given.routes.filter(({path}) => !left.includes(path)).filter((route) => (statuses[`${route.method} ${route.path}`] === 403) === (route.right === 'none' || rights.includes(rightOf(route))));
    assert.deepEqual(wrong.map(({method, path, right}) => `${method} ${path} (${right}): ${statuses[`${method} ${path}`]}`), []);
  });
}
test('a page of somebody else’s cannot act for who is signed in', async () => {
  await as('operator');
  const status = await page.evaluate(async () => (await fetch('/api/v1/held/release', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{"numbers":[1],"reason":"x"}'})).status);
  assert.equal(status, 403);
  complaints.splice(0);
});
test('a right that is taken away is gone at once: the page says so and shows the sign-in', async () => {
  await as('operator');
  await visit(page, '/operations');
  await page.click('button:has-text("Disable a-analyst")');
  await page.waitForSelector('button:has-text("Enable a-analyst")');
  await as('analyst');
  await page.click('nav.side a:has-text("Held")');
  await page.waitForSelector('[name=password]');
  complaints.splice(0);
});
test('who signs out is out, on every page, also by the back button', async () => {
  await as('officer');
  await visit(page, '/held');
  await page.click('header button:has-text("Sign out")');
  await page.waitForSelector('[name=password]');
  await page.goBack();
  await page.waitForSelector('[name=password]');
  assert.equal(await page.locator('nav.side').count(), 0);
  await page.goto(`${given.url}/reports`);
  await page.waitForSelector('[name=password]');
});
test('no complaint on the browser’s console', () => assert.deepEqual(complaints, []));

await runAll(() => page);
