// Judges the proofs of verified.py with the modules that the node serves, and holds what they say against comity verify's words.
import {readFileSync} from 'node:fs';
import assert from 'node:assert/strict';
import {given, test, complaints, open, runAll} from './harness.mjs';

let page;
const cases = JSON.parse(readFileSync(given.cases, 'utf8'));
const states = {true: 'proven', false: 'false', null: 'not-proven'};
const beside = ['witness-unknown', 'witness-none', 'form', 'form-later']; // the program says nothing of these, or refuses the file

// {read, steps: {name: state}, wrong} of each of CASES, as pages do it.
const judged = () => page.evaluate(async ({cases: all, keys}) => {
  const base = document.querySelector('script[src]').src.replace(/[^/]*$/, '');
  const [{judge, isWrong}, {readProof, readText, Unreadable}] = await Promise.all([import(`${base}judge.js`), import(`${base}tlog.js`)]);
  const bytes = (encoded) => (encoded === null ? null : Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0)));
  const told = [];
  for (const {proof, item} of all) {
    try {
      const {steps} = await judge(readProof(readText(bytes(proof))), bytes(item), {...keys, witnesses: [keys.witness]});
      told.push({read: true, wrong: isWrong(steps), steps});
    } catch (error) {
      told.push(error instanceof Unreadable ? {read: false, wrong: true, why: error.message} : {thrown: String(error.stack)});
    }
  }
  return told;
}, {cases, keys: given.keys});

const stateOf = (steps) => {
  const found = {};
  for (const {name, ok} of steps.filter((one) => !beside.includes(one.name))) found[name.split('-')[0]] = states[ok];
  return found;
};
test(`the browser says of ${cases.length} proofs what comity verify says`, async () => {
  page = await open();
  await page.goto(given.url);
  await page.waitForSelector('h1');
  const differing = [];
  (await judged()).forEach((found, i) => {
    const {name, told} = cases[i];
    const same = !found.thrown && (told.read ? found.read && JSON.stringify(Object.entries(stateOf(found.steps)).sort()) === JSON.stringify(Object.entries(told.steps).sort()) : found.wrong);
    if (!same) differing.push({name, told, found: found.steps ? stateOf(found.steps) : found});
  });
  assert.deepEqual(differing, []);
});
test('no complaint on the browser’s console', () => assert.deepEqual(complaints, []));
await runAll(() => page);
