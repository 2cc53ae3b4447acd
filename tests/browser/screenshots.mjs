// Takes the pictures in doc/console of the node that screenshots.py started. One line a picture.
import {given, test, open, settled, visit, signIn, still, keyed, runAll} from './harness.mjs';

let page;
const api = (path) => page.evaluate(async (path_) => (await fetch(`/api/v1/${path_}`)).json(), path);
async function dress({language = 'en', theme = 'light', width = 1280}) {
  await page.evaluate(([language_, theme_]) => { localStorage.setItem('language', language_); localStorage.setItem('theme', theme_); }, [language, theme]);
  await page.setViewportSize({width, height: 800});
}
async function verified() {
  await keyed(page);
  await page.click('.verify button.main');
  await page.waitForSelector('[data-verdict=right]');
}
async function simulated() {
  await page.click('button:has-text("Simulate")');
  await page.waitForSelector('.table:has-text("By the draft")');
}
// NAME: [path, height, how it is dressed, what is done first].
const pictures = {
  today: ['/', 1250, {}],
  reports: ['/reports', 1000, {}],
  report: [async () => `/reports/${(await api(`reports?team=${given.other}&effect=release&limit=1`)).items[0].id}`, 1500, {}],
  held: ['/held', 860, {theme: 'dark'}],
  teams: ['/teams?q=103.22.180.1', 1000, {}],
  team: [`/teams/${given.other}`, 1000, {}],
  agreements: ['/agreements', 520, {}],
  agreement: [`/agreements/${encodeURIComponent(given.agreement)}`, 1000, {}],
  draft: [`/agreements/new?from=${encodeURIComponent(given.agreement)}`, 1300, {}, simulated],
  partners: ['/partners', 520, {}],
  partner: [`/partners/${given.other}`, 900, {}],
  receipts: ['/receipts', 620, {}],
  ledger: ['/ledger', 900, {}],
  entry: [async () => `/ledger/${(await api(`receipts?team=${given.other}&limit=1`)).items[0].entry}`, 1250, {}, verified],
  economies: ['/economies', 1000, {}],
  economy: ['/economies/TH', 1000, {}],
  operations: ['/operations', 1000, {}],
  log: ['/operations/log', 900, {}],
  figures: ['/operations/figures', 700, {}],
  card: [`/teams/${given.own}/card`, 420, {}],
  proof: [async () => `/ledger/proof?report=${(await api(`reports?team=${given.other}&effect=release&limit=1`)).items[0].id}&team=${given.other}`, 1250, {}, verified],
  account: ['/account', 620, {}],
  arabic: ['/', 1100, {language: 'ar'}],
  phone: ['/', 740, {width: 360}],
};

test('sign in', async () => {
  page = await open({timezoneId: 'Asia/Tokyo', deviceScaleFactor: 1});
  await signIn(page, 'operator', given.first);
});
for (const [name, [path, height, dressed, first]] of Object.entries(pictures).filter(([one]) => !given.names.length || given.names.includes(one)))
  test(name, async () => {
    await dress(dressed);
    await visit(page, typeof path === 'string' ? path : await path());
    await settled(page);
    await first?.();
    await page.setViewportSize({width: dressed.width ?? 1280, height});
    await still(page);
    await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
    await page.screenshot({path: `${given.folder}/${name}.png`});
  });
await runAll(() => page);
