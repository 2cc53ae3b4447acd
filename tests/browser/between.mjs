// Drives Chromium through the consoles of two teams whose nodes exchange, both started by between.py: what one does, the other sees.
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import assert from 'node:assert/strict';
import {given, test, complaints, forgive, open, settled, signIn, harmless, scriptsIn, runAll} from './harness.mjs';

const evil = given.evil;
const consoles = {};
const pageOf = (team) => consoles[team];
const show = async (team, path) => {
  await pageOf(team).goto(given[team].url + path);
  await settled(pageOf(team));
  return pageOf(team);
};
// Until TEAM's node says so: IS is asked of what GET PATH answers.
async function until(team, path, is) {
  for (const begun = Date.now(); Date.now() - begun < 60000; await pageOf(team).waitForTimeout(100)) {
    const told = await pageOf(team).evaluate(async (path_) => { const answer = await fetch(`/api/v1/${path_}`); return answer.ok ? answer.json() : null; }, path);
    if (told && is(told)) return told;
  }
  throw new Error(`${team}: ${path} never came to be ${is}`);
}
const stands = (team, id, standing) => until(team, `agreements/${encodeURIComponent(id)}`, (a) => a.standing === standing);
const agreement = (id) => `/agreements/${encodeURIComponent(id)}`;
const shown = (page) => page.$$eval('.head button', (all) => all.map((one) => one.textContent).filter((text) => /^(Sign|Refuse|Suspend|Resume|End)$/.test(text)));
// Until the page offers just these: what may be done comes with what is asked of the node.
async function offers(page, wanted) {
  const end = Date.now() + 20000;
  while (JSON.stringify(await shown(page)) !== JSON.stringify(wanted) && Date.now() < end) await page.waitForTimeout(50);
  assert.deepEqual(await shown(page), wanted);
}
async function act(page, what, reason) {
  await page.click(`.head button:text-is("${what}")`);
  if (reason) await page.fill('dialog textarea', reason);
  await page.click(`dialog button:text-is("${what}")`);
  await page.waitForSelector('dialog', {state: 'detached'});
}
const ids = {};
async function propose(team, title, of) {
  const page = await show(team, '/agreements/new');
  const text = JSON.parse(await page.inputValue('textarea'));
  Object.assign(text, {title, parties: ['north.test', 'south.test'], valid_from: '2026-01-01', ...of});
  text.clauses = [{...text.clauses[0], id: '<img src=x onerror="window.pwned=1">', effect: 'release', tlp_max: 'amber', note: evil}];
  await page.fill('textarea', JSON.stringify(text, null, 1));
  await page.click('.under button.main:not([disabled])');
  await page.click('dialog button.main');
  await page.waitForURL(/agreements\/urn/);
  await settled(page);
  return text.id;
}

test('both sign in', async () => {
  for (const team of ['north', 'south']) {
    consoles[team] = await open();
    await signIn(pageOf(team), 'operator', given[team].first, given[team].url);
  }
});
test('an agreement is proposed by one and signed by the other: it is in force at both', async () => {
  ids.pact = await propose('north', `Pact ${evil}`);
  await offers(pageOf('north'), ['End']); // what one has signed one ends
  await stands('south', ids.pact, 'proposed');
  const south = await show('south', '/agreements');
  assert.match(await south.textContent(`tr:has(a[href="${agreement(ids.pact)}"])`), /proposed/);
  await south.click(`a[href="${agreement(ids.pact)}"]`);
  await settled(south);
  await offers(south, ['Sign', 'Refuse']);
  await act(south, 'Sign');
  await south.waitForSelector('dl .tag:has-text("in force")');
  await offers(south, ['Suspend', 'End']);
  await stands('north', ids.pact, 'in force');
  const north = await show('north', agreement(ids.pact));
  assert.match(await north.textContent('.table:has-text("Where each party stands")'), /north\.test.*signed.*south\.test.*signed/s);
});
test('one suspends it, with the reason, and only the same one can resume it', async () => {
  const south = await show('south', agreement(ids.pact));
  await act(south, 'Suspend', `Looked into ${evil}`);
  await south.waitForSelector('dl .tag:has-text("suspended")');
  await offers(south, ['Resume', 'End']);
  await stands('north', ids.pact, 'suspended');
  const north = await show('north', agreement(ids.pact));
  await offers(north, ['Suspend', 'End']);
  assert.ok((await north.textContent('.table:has-text("What happened")')).includes(`Looked into ${evil}`));
  await act(south, 'Resume', 'It was nothing');
  await south.waitForSelector('dl .tag:has-text("in force")');
  await stands('north', ids.pact, 'in force');
});
test('another is refused, and its proposer sees why', async () => {
  ids.other = await propose('south', 'Refused', {kind: 'bilateral'});
  await stands('north', ids.other, 'proposed');
  const north = await show('north', agreement(ids.other));
  await act(north, 'Refuse', `No ${evil}`);
  await north.waitForSelector('dl .tag:has-text("refused")');
  await offers(north, []);
  await stands('south', ids.other, 'refused');
  const south = await show('south', agreement(ids.other));
  await offers(south, []);
  assert.ok((await south.textContent('.table:has-text("What happened")')).includes(`No ${evil}`));
});
test('reports cross under it, and what is said of one comes back', async () => {
  execFileSync(given.comity, ['ingest', '--home', given.home, given.reports]);
  const crossed = await until('south', 'reports', ({items}) => items.length === 3);
  ids.south = crossed.items[0].id;
  ids.report = crossed.items[0].known_as;
  const south = await show('south', `/reports/${ids.report}`);
  await south.click('.head button:has-text("Give feedback")');
  await south.selectOption('dialog select', 'disagree');
  await south.fill('dialog textarea', `Not ours ${evil}`);
  await south.click('dialog button.main');
  await south.waitForSelector('dialog', {state: 'detached'});
  assert.match(await south.textContent('.toasts'), /north\.test is told/);
  await until('north', `reports/${ids.report}/explanation`, (r) => r.feedback.length === 1);
  const north = await show('north', `/reports/${ids.report}`);
  const said = await north.textContent('.table:has-text("What teams said of it")');
  assert.match(said, /south\.test.*disagree/s);
  assert.ok(said.includes(`Not ours ${evil}`));
});
test('it is corrected by a file, and both stories lead to what takes its place', async () => {
  const north = await show('north', `/reports/${ids.report}`);
  const right = {...JSON.parse(readFileSync(given.reports, 'utf8').split('\n')[0]), 'source.port': 4242, 'extra.number': 99};
  await north.click('.head button:text-is("Correct")');
  await north.setInputFiles('dialog input[type=file]', {name: `${evil.replaceAll('/', '')}.json`, mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(right))});
  await north.fill('dialog textarea', `Another port ${evil}`);
  await north.click('dialog button.bad');
  await north.waitForSelector('.notice.bad a[href^="/reports/"]');
  const link = await north.getAttribute('.notice.bad a[href^="/reports/"]', 'href');
  await until('south', `reports/${ids.report}/explanation`, (r) => r.recalled?.corrected_by);
  for (const team of ['north', 'south']) {
    const page = await show(team, `/reports/${ids.report}`);
    assert.ok((await page.textContent('.notice.bad')).includes(`Another port ${evil}`), team);
    assert.equal(await page.locator('.head button:text-is("Correct")').count(), 0, 'once is enough');
    await until(team, link.slice(1), () => true);
    await page.click(`.notice.bad a[href="${link}"]`);
    await page.waitForSelector(`.notice a[href="/reports/${ids.report}"]`);
  }
});
test('another is recalled, with the reason, and the other node’s story says so', async () => {
  const {items} = await until('north', 'reports', () => true);
  ids.recalled = items.map((one) => one.id).filter((id) => id !== ids.report).at(-1);
  const north = await show('north', `/reports/${ids.recalled}`);
  await north.click('.head button:text-is("Recall")');
  await north.fill('dialog textarea', `All wrong ${evil}`);
  await north.click('dialog button.bad');
  await north.waitForSelector('.notice.bad');
  await until('south', `reports/${ids.recalled}/explanation`, (r) => r.recalled);
  const south = await show('south', `/reports/${ids.recalled}`);
  assert.ok((await south.textContent('.notice.bad')).includes(`All wrong ${evil}`));
});
test('nothing that the other team wrote runs: on no page of either node', async () => {
  await until('north', 'receipts', (d) => d.items.length >= 2 && d.open === 0);
  for (const [team, other] of [['north', 'south'], ['south', 'north']]) {
    const entries = (await pageOf(team).evaluate(async () => Number((await (await fetch('/log/checkpoint')).text()).split('\n')[1])));
    const paths = ['/', '/reports', '/held', '/teams', '/teams?text=test', `/teams/${other}.test`, '/agreements', agreement(ids.pact), agreement(ids.other),
      `/agreements/new?from=${encodeURIComponent(ids.pact)}`, '/partners', '/partners?add=1', `/partners/${other}.test`, '/receipts', '/receipts?show=open', '/ledger',
      ...Array.from({length: entries}, (_, n) => `/ledger/${n}`), '/ledger/proof', `/ledger/proof?report=${ids.report}&team=south.test`,
      `/ledger/proof?report=${ids.recalled}&team=south.test&recall=true`, `/reports/${ids.report}`, `/reports/${ids.recalled}`, '/economies/FI', '/operations', '/account'];
    let shown = 0;
    for (const path of team === 'south' ? paths.filter((one) => !one.includes('proof?')) : paths) {
      const page = await show(team, path);
      const found = await page.evaluate(() => ({pwned: window.pwned, made: document.querySelectorAll('#app img[src="x"], #app script, #app [onerror]').length,
        links: [...document.querySelectorAll('a[href]')].filter((link) => !/^(https?|blob):$/.test(new URL(link.href).protocol)).length, text: document.getElementById('app').textContent}));
      assert.deepEqual([found.pwned, found.made, found.links], [undefined, 0, 0], `${team} ${path}`);
      shown += scriptsIn(found.text);
    }
    assert.ok(shown >= 20, `${team} shows it ${shown} times, as text`);
  }
});
test('a proof with script in its entry is shown as text, too', async () => {
  const north = await show('north', '/ledger/proof');
  const of = await north.evaluate(async ([path]) => (await fetch(path)).json(), [`/api/v1/reports/${ids.report}/proof?team=south.test`]);
  const changed = of.proof.replace(/^extra (.*)$/m, (all, text) => `extra ${Buffer.from(Buffer.from(text, 'base64').toString().replaceAll('south.test', evil.replaceAll('"', '\\"'))).toString('base64')}`)
    .replace('\nnorth.test/log\n', '\n<script>window.pwned=1</script>\n');
  await north.setInputFiles('.drop input >> nth=0', {name: `${evil.replaceAll('/', '')}.tlog-proof`, mimeType: 'text/plain', buffer: Buffer.from(changed)});
  await north.waitForSelector('.verify');
  await north.fill('.verify input >> nth=0', `<script>window.pwned=1</script>+00000000+${Buffer.alloc(33).toString('base64')}`);
  await north.click('.verify button.main');
  await north.waitForSelector('[data-verdict=wrong]');
  await harmless(north, 'a proof from a file');
  forgive(/4\d\d .*api\/v1\/teams/);
});
test('one ends it, and it is over at both', async () => {
  const north = await show('north', agreement(ids.pact));
  await act(north, 'End', `Enough ${evil}`);
  await north.waitForSelector('dl .tag:has-text("ended")');
  await stands('south', ids.pact, 'ended');
  const south = await show('south', agreement(ids.pact));
  await offers(south, []);
  await offers(north, []);
  assert.ok((await south.textContent('.table:has-text("What happened")')).includes(`Enough ${evil}`));
});
test('no complaint on the browser’s console', () => assert.deepEqual(complaints, []));

await runAll(() => consoles.north);
