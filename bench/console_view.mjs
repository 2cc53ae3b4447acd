// How long until Today is shown in a new browser, and how many bytes are its files? For bench_console.py.
import {createRequire} from 'node:module';

const given = JSON.parse(process.argv[2]);
const {chromium} = createRequire(`${given.npm}/`)('playwright-core');
const secret = 'a long enough password';
const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: process.getuid() === 0 ? ['--no-sandbox'] : []});
const fresh = (options) => browser.newContext({ignoreHTTPSErrors: true, viewport: {width: 1280, height: 900}, ...options});

async function signedIn() {
  const context = await fresh();
  const page = await context.newPage();
  await page.goto(given.url);
  await page.fill('[name=name]', given.name);
  await page.fill('[name=password]', given.first);
  await page.click('button.main');
  await page.fill('[name=current]', given.first);
  await page.fill('[name=password]', secret);
  await page.fill('[name=again]', secret);
  await page.click('button.main');
  await page.waitForSelector('nav.side');
  const state = await context.storageState();
  await context.close();
  return state;
}
const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

const storageState = await signedIn();
const times = [];
let bytes = 0;
for (let i = 0; i < given.rounds; i++) {
  const context = await fresh({storageState});
  const page = await context.newPage();
  const files = [];
  page.on('requestfinished', (request) => {
    const {pathname} = new URL(request.url());
    if (!pathname.startsWith('/api/') && !pathname.endsWith('world.json')) files.push(request.sizes().then((s) => s.responseBodySize));
  });
  await page.goto(given.url, {waitUntil: 'commit'});
  // Counts, what waits, the map with its flows, and the table beside it.
  await page.waitForFunction(() => document.querySelectorAll('.sum').length >= 3 && document.querySelector('.map path.flow')
    && document.querySelectorAll('.flows tbody tr').length > 1 && !document.querySelector('main progress'));
  times.push(await page.evaluate(() => performance.now()));
  bytes = (await Promise.all(files)).reduce((a, b) => a + b, 0);
  await context.close();
}
await browser.close();
console.log(JSON.stringify({ms: Math.round(median(times)), bytes}));
