// What the console's tests share: Chromium, the node that is given, signing in, what is looked at on every page.
import {createRequire} from 'node:module';
import {readFileSync} from 'node:fs';
import assert from 'node:assert/strict';

export const given = JSON.parse(process.argv[2]);
const require = createRequire(`${given.npm}/`);
const {chromium} = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const secret = 'a long enough password';
const patience = 20000; // before a test is given up
const [desk, phone] = [{width: 1280, height: 900}, {width: 360, height: 740}];
const tests = [];
export const test = (name, run) => tests.push([name, run]);
export const complaints = [];

const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: process.getuid() === 0 ? ['--no-sandbox'] : []});
export async function open(options = {}) {
  const context = await browser.newContext({ignoreHTTPSErrors: true, locale: 'en-GB', timezoneId: 'Asia/Tokyo', acceptDownloads: true,
    viewport: desk, reducedMotion: 'reduce', ...options});
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  page.on('console', (message) => message.type() === 'error' && complaints.push(`${page.url()}: ${message.text()} ${message.location().url}`));
  page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.stack}`));
  page.on('dialog', (dialog) => { complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  return page;
}
export const expected = (pattern) => {
  const at = complaints.findIndex((text) => pattern.test(text));
  assert.notEqual(at, -1, `expected a complaint ${pattern}`);
  complaints.splice(at, 1);
};
// All complaints of that kind, however many.
export const forgive = (pattern) => complaints.splice(0, complaints.length, ...complaints.filter((text) => !pattern.test(text)));
export const settled = async (page) => {
  await page.waitForSelector('h1');
  await page.waitForFunction(() => !document.querySelector('main progress') && document.querySelector('h1').textContent);
};
export const visit = async (page, path) => {
  await page.goto(given.url + path);
  await settled(page);
};
export const h1 = (page) => page.textContent('h1');
export async function signIn(page, name, first, url = given.url) {
  await page.goto(url);
  await page.fill('[name=name]', name);
  await page.fill('[name=password]', first);
  await page.click('button.main');
  await page.fill('[name=current]', first);
  await page.fill('[name=password]', secret);
  await page.fill('[name=again]', secret);
  await page.click('button.main');
  await page.waitForSelector('nav.side');
}
// What a reader sees, less what goes on meanwhile: times, and how large the store and how full the disk is.
export const seen = (of) => of.evaluate(() => {
  const main = document.querySelector('main').cloneNode(true);
  main.querySelectorAll('time, .printed').forEach((time) => { time.textContent = ''; });
  main.querySelectorAll('dl.facts dd').forEach((fact) => { if (/^[\d.,]+ ([KMGT]i)?B$/.test(fact.textContent)) fact.textContent = ''; });
  const fields = [...document.querySelectorAll('main input:not([type=file]), main select, main textarea')].map((one) => (one.type === 'checkbox' ? one.checked : one.value));
  return JSON.stringify([main.textContent.replaceAll(/\s+/g, ' '), fields, [...document.querySelectorAll('main [aria-sort]')].map((one) => one.textContent)], null, 1);
});
// What is seen once nothing changes any more.
export async function still(of) {
  await settled(of);
  for (let before = await seen(of); ;) {
    await of.waitForTimeout(150);
    const now = await seen(of);
    if (now === before) return now;
    before = now;
  }
}
export async function accessible(page, where) {
  await page.evaluate(axe);
  const {violations, passes} = await page.evaluate(() => axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}));
  assert.ok(passes.length > 5, `${where}: axe looked at nothing`);
  const serious = violations.filter((v) => ['serious', 'critical'].includes(v.impact));
  assert.deepEqual(serious.map((v) => `${where}: ${v.id}: ${v.nodes[0].html.slice(0, 200)} ${v.nodes[0].failureSummary}`), []);
}
export const fits = async (page, where, width = 360) => {
  const {wide, what} = await page.evaluate((w) => ({wide: document.scrollingElement.scrollWidth, what: [...document.querySelectorAll('main *')]
    .filter((e) => e.getBoundingClientRect().right > w + 1 && !e.closest('.wrap')).slice(0, 3).map((e) => e.outerHTML.slice(0, 150))}), width);
  assert.ok(wide <= width, `${where} is ${wide} wide: ${what}`);
};
// Each table of the page has room for all of its columns.
export const roomy = async (page, where) => assert.deepEqual(await page.$$eval('.wrap', (all) => all.filter((one) => one.scrollWidth > one.clientWidth)
  .map((one) => `${one.ariaLabel}: ${one.scrollWidth} in ${one.clientWidth}`)), [], `${where}: a table scrolls sideways`);
export async function fitsPhone(page, where) {
  await page.setViewportSize(phone);
  await fits(page, where);
  await page.setViewportSize(desk);
}
export async function speak(page, language) {
  await page.selectOption('header select >> nth=0', language);
  await page.waitForFunction((wanted) => document.documentElement.lang === wanted, language);
}
// Nothing that attackers wrote (chromium.py) has run or become an element.
export async function harmless(page, where) {
  assert.equal(await page.evaluate(() => window.pwned), undefined, where);
  assert.equal(await page.locator('#app img[src="x"], #app script').count(), 0, where);
}
// How often it stands in TEXT.
export const scriptsIn = (text) => text.split('<script>window.pwned=1</script>').length - 1;
// Until the key is filled in by which a log is verified.
export const keyed = (page) => page.waitForFunction(() => document.querySelector('.verify input')?.value.includes('+'));

// All tests in order, on PAGE(), at the size of a desk's screen.
export async function runAll(page) {
  let failed = 0;
  for (const [name, run] of tests) {
    const begun = Date.now();
    try {
      await page()?.setViewportSize(desk);
      await run();
      console.log(`ok      ${String(Date.now() - begun).padStart(6)} ms  ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack}`);
    }
  }
  await browser.close();
  console.log(`${tests.length - failed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}
