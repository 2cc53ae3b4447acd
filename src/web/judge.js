// What follows from an entry, a proof, an item, a receipt, and for whom? Each step with its result; `comity verify` says the same.
import {readKey, signedBy, isBy, readCheckpoint, readEntry, readNote, readReceipt, decodeReceipt, rootBy, leafHash, isItem, same} from './tlog.js';

// OK: true, false, or null: not checked. MORE: what it is about. BESIDE: it was not asked for, so that it lessens nothing.
export const step = (name, ok, more = '', beside = false) => ({name, ok, more, beside});
// One step; what throws has failed.
async function tried(name, run) {
  try { return await run(); } catch (error) { return step(name, false, error.message); }
}
const results = {good: true, wrong: false, none: null};

async function logStep(note, checkpoint, key) {
  const known = await readKey(key);
  if (known.name !== checkpoint.origin) return step('signature', false, `${known.name} ≠ ${checkpoint.origin}`);
  return step('signature', (await signedBy(note, known)).found === 'good', key);
}
// What the node tells of witnesses is none of what is checked here: that it could not tell stands beside it, never nothing at all.
async function witnessSteps(note, checkpoint, {witnesses = [], absent = [], unread = []}) {
  const steps = [];
  const [keys, missing, unreadable] = [[], [...absent], [...unread]];
  for (const text of witnesses) {
    try { keys.push([text, await readKey(text)]); } catch (error) { unreadable.push(`${text}: ${error.message}`); }
  }
  for (const [text, key] of keys) {
    const {found, time} = await signedBy(note, key);
    if (found === 'none') missing.push(key.name);
    else steps.push(step('witness', results[found], [text, time].filter(Boolean).join(' ')));
  }
  const seen = steps.some((one) => one.ok);
  const others = note.signatures.filter((one) => one.name !== checkpoint.origin && !keys.some(([, key]) => isBy(one, key)));
  if (missing.length) steps.push(step('witness-absent', null, missing.join(' '), seen));
  if (others.length) steps.push(step('witness-unknown', null, others.map((one) => one.name).join(' '), seen));
  if (unreadable.length) steps.push(step('witness-unread', null, unreadable.join('\n')));
  return steps.length ? steps : [step('witness-none', null)];
}
// Who signed with another key may have changed it since: that is not wrong, and nothing is proven by it.
async function receiptStep(encoded, entry, key) {
  const note = readNote(decodeReceipt(encoded));
  const said = readReceipt(note);
  if (said.batch !== entry.id || said.root !== entry.items_root || said.count !== String(entry.items)) return step('receipt-other', false);
  if (!key) return step('receipt-nokey', null);
  const ok = results[(await signedBy(note, await readKey(key))).found];
  return step(ok === null ? 'receipt-key' : 'receipt', ok, `${key} ${said.time}`);
}
function itemStep(item, released, entry) {
  if (!item) return step('item-none', false);
  if (!released) return step('item-missing', null);
  return isItem(item, released, entry).then((ok) => step('item', ok, `${item.index + 1} / ${entry.items}`));
}
// PROOF: {note, entry (bytes), index, path, item, receipt}; RELEASED: the item's bytes; KEYS: {log, receipt, witnesses, absent, unread}: the
// texts of keys, names of witnesses that should have signed, and why others are not known. Throws Unreadable.
export async function judge(proof, released, keys) {
  const checkpoint = readCheckpoint(proof.note);
  const {entry, exact} = readEntry(proof.entry);
  const steps = [await tried('signature', () => logStep(proof.note, checkpoint, keys.log)), ...await witnessSteps(proof.note, checkpoint, keys)];
  steps.push(step(exact === null ? 'form-later' : 'form', exact, entry.id ?? entry.agreement));
  steps.push(await tried('entry', async () => {
    const root = await rootBy(await leafHash(proof.entry), proof.index, checkpoint.size, proof.path);
    return step('entry', root !== null && same(root, checkpoint.root), `${proof.index} / ${checkpoint.size}`);
  }));
  if (proof.item || released) steps.push(await tried('item', () => itemStep(proof.item, released, entry)));
  if (proof.receipt) steps.push(await tried('receipt', () => receiptStep(proof.receipt, entry, keys.receipt)));
  return {steps, entry, checkpoint};
}
export const isWrong = (steps) => steps.some((one) => one.ok === false);
export const isWhole = (steps) => steps.every((one) => one.ok || one.beside);
