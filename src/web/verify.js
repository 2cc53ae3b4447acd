// What follows from an entry, a proof, an item, a receipt, and for whom? Each step with its result; nothing is taken from the node's word.
import {html, useState, useEffect} from './lib/htm.js';
import {t, number} from './i18n.js';
import {ask} from './api.js';
import {useData, Failure, Busy, Facts, Time, Code, Field} from './ui.js';
import {readKey, signedBy, readCheckpoint, readEntry, readNote, readReceipt, rootBy, leafHash, holds, same} from './tlog.js';

const step = (name, ok, more = '') => ({name, ok, more});
// One step; what throws has failed.
async function tried(name, run) {
  try { return await run(); } catch (error) { return step(name, false, error.message); }
}
const signature = (name, note, key, missing) => tried(name, async () => {
  if (!key) return step(name, null, missing);
  const {found, time} = await signedBy(note, await readKey(key));
  return step(name, found === 'good' ? true : found === 'wrong' ? false : null, [key, time].filter(Boolean).join(' '));
});
// The node's own keys are of use only where the reader got them by another way too: they are shown, and others can be given.
async function receiptStep(receipt, entry, key) {
  const note = readNote(receipt);
  const said = readReceipt(note);
  const fits = said.batch === entry.id && said.root === entry.items_root && said.count === String(entry.items);
  const signed = await signature('receipt', note, key, t('verify.nokey'));
  return fits ? {...signed, ok: signed.ok === null && key ? false : signed.ok, more: `${signed.more} ${said.time}`} : step('receipt', false, t('verify.other'));
}
// PROOF: {note, entry (bytes), index, path, item, receipt}; RELEASED: the item's text; KEYS: {log, receipt, witnesses}.
export async function judge(proof, released, keys) {
  const steps = [];
  const checkpoint = readCheckpoint(proof.note);
  steps.push(await tried('signature', async () => {
    const key = await readKey(keys.log);
    if (key.name !== checkpoint.origin) return step('signature', false, `${key.name} ≠ ${checkpoint.origin}`);
    const {found} = await signedBy(proof.note, key);
    return step('signature', found === 'good', keys.log);
  }));
  for (const key of keys.witnesses) {
    const one = await signature('witness', proof.note, key);
    if (one.ok !== null) steps.push(one);
  }
  const {entry, exact} = readEntry(proof.entry);
  steps.push(step('form', exact, entry.id ?? entry.agreement));
  steps.push(await tried('entry', async () => {
    const root = await rootBy(await leafHash(proof.entry), proof.index, checkpoint.size, proof.path);
    return step('entry', root !== null && same(root, checkpoint.root), `${number(proof.index)} / ${number(checkpoint.size)}`);
  }));
  if (proof.item) steps.push(await tried('item', async () => (released ? step('item', await holds(proof.item, released, entry), `${number(proof.item.index + 1)} / ${number(entry.items)}`)
    : step('item', null, t('verify.noitem')))));
  if (proof.receipt) steps.push(await tried('receipt', () => receiptStep(proof.receipt, entry, keys.receipt)));
  return {steps, entry, checkpoint};
}
const words = {true: ['good', 'verify.right'], false: ['bad', 'verify.wrong'], null: ['wait', 'verify.untried']};
export function Steps({steps}) {
  const wrong = steps.some((one) => one.ok === false);
  const whole = steps.every((one) => one.ok);
  return html`<div role="status" class="notice ${wrong ? 'bad' : whole ? 'good' : ''}" data-verdict=${wrong ? 'wrong' : 'right'}><strong>${t(wrong ? 'verify.failed' : 'verify.holds')}</strong>
    <ol class="steps">${steps.map((one) => html`<li data-step=${one.name} data-ok=${String(one.ok)}><span class="tag ${words[one.ok][0]}">${t(words[one.ok][1])}</span> ${t(`verify.step.${one.name}`)}
      ${one.more && html`<div class="quiet"><${Code}>${one.more}<//></div>`}</li>`)}</ol><p>${t('verify.means')}</p></div>`;
}
// The keys that the directory has of the log, its recipient and the witnesses; the reader may put others in their place.
function useKeys(team) {
  const status = useData('status');
  const recipient = useData(team && `teams/${encodeURIComponent(team)}`);
  const [witnesses, know] = useState([]);
  useEffect(() => {
    ask('GET', 'peers').then(({items}) => Promise.all(items.map((peer) => ask('GET', `teams/${encodeURIComponent(peer.team)}`).then((team) => team.card?.node?.witness, () => null)))).then((cards) => know(cards.filter(Boolean)), () => {});
  }, []);
  return {log: status.data?.log_key, receipt: recipient.data?.card?.node?.receipt, witnesses};
}
// GATHER gets the proof: {proof, released}, or null where nothing is given yet.
export function Verify({team, gather}) {
  const known = useKeys(team);
  const [given, give] = useState({});
  const [state, set] = useState({});
  const keys = {...known, ...given};
  const run = async () => {
    set({busy: true});
    try {
      const {proof, released} = await gather();
      set(await judge(proof, released, keys));
    } catch (error) { set({error}); }
  };
  const at = state.checkpoint;
  return html`<section class="panel verify"><h2>${t('verify')}</h2><p>${t('verify.text')}</p>
    <${Field} label=${t('verify.key')} value=${given.log ?? known.log ?? ''} onInput=${(log) => give({...given, log})} dir="ltr" spellcheck=${false} class="mono" />
    <${Field} label=${t('verify.receipt.key')} value=${given.receipt ?? known.receipt ?? ''} onInput=${(receipt) => give({...given, receipt})} dir="ltr" spellcheck=${false} class="mono" />
    <p><button class="main" onClick=${run} disabled=${state.busy || !keys.log}>${t('verify.run')}</button></p>
    <${Busy} when=${state.busy} /><${Failure} error=${state.error} />
    ${state.steps && html`<${Steps} steps=${state.steps} /><${Facts} of=${[[t('ledger.name'), html`<${Code}>${at.origin}<//>`], [t('ledger.size'), number(at.size)],
      [t('recipient'), state.entry.to && html`<${Code}>${state.entry.to}<//>`], [t('page.reports'), state.entry.items && number(state.entry.items)], [t('since'), html`<${Time} at=${state.entry.time} />`]]} />`}</section>`;
}
