// Did this report cross? A proof, from the node or from a file that somebody gave, checked in the browser.
import {html, useState, useMemo} from '../lib/htm.js';
import {t, number} from '../i18n.js';
import {useQuery} from '../router.js';
import {useData, Failure, Busy, Page, Facts, Team, Code, FileDrop, download} from '../ui.js';
import {utf8} from '../canonical.js';
import {readProof, readText, readCheckpoint, readEntry, Unreadable} from '../tlog.js';
import {Verify, Steps, unreadable} from '../verify.js';

const pathOf = (id) => `reports/${encodeURIComponent(id)}/proof`;
const [proofMost, itemMost] = [2000000, 16 << 20]; // doc/ledger-format.md, Limits

// {proof, origin, team}, or {wrong}: what it is about, before anything of it is believed.
function about(bytes) {
  try {
    const proof = readProof(readText(bytes));
    return {proof, origin: readCheckpoint(proof.note).origin, team: readEntry(proof.entry).entry.to};
  } catch (error) {
    if (error instanceof Unreadable) return {wrong: error};
    throw error;
  }
}
function Given({given, give}) {
  const [error, fail] = useState();
  const take = (name, most) => async (file) => {
    const bytes = file.size > most ? null : new Uint8Array(await file.arrayBuffer());
    fail(bytes ? null : {message: t('proof.large', {name: file.name})});
    if (bytes) give((old) => ({...old, [name]: bytes, [`${name}Name`]: file.name}));
  };
  return html`<section class="panel stack"><p>${t('proof.text')}</p><${FileDrop} label=${t('proof.file')} name=${given.proofName} take=${take('proof', proofMost)} />
    <${FileDrop} label=${t('proof.item')} name=${given.itemName} take=${take('item', itemMost)} /><${Failure} error=${error} /></section>`;
}
const Told = ({of, report}) => html`<section class="panel"><${Facts} of=${[[t('report'), html`<a href="/reports/${report}"><${Code}>${report}<//></a>`], [t('recipient'), html`<${Team} id=${of.team} />`],
  [t('ledger.entry'), html`<a class="button" href="/ledger/${of.entry}">${number(of.entry)}</a>`]]} /><details><summary>${t('proof.item.shown')}</summary><pre class="mono" dir="ltr">${of.item}</pre></details></section>`;

export default function Proof() {
  const [query] = useQuery();
  const got = useData(query.report && pathOf(query.report), {team: query.team, recall: query.recall});
  const [given, give] = useState({});
  const bytes = useMemo(() => (query.report ? got.data && utf8.encode(got.data.proof) : given.proof), [query.report, got.data, given.proof]);
  const released = useMemo(() => (query.report ? got.data && utf8.encode(got.data.item) : given.item), [query.report, got.data, given.item]);
  const of = useMemo(() => bytes && about(bytes), [bytes]);
  return html`<${Page} title=${t('verify.proof')} actions=${got.data && html`<button onClick=${() => download(`${query.report}.tlog-proof`, 'text/plain', got.data.proof)}>${t('proof.keep')}</button>
      <button onClick=${() => download(`${query.report}.json`, 'application/json', got.data.item)}>${t('proof.keep.item')}</button>`}>
    ${query.report ? html`<${Failure} error=${got.error} retry=${got.reload} />${!got.data && html`<${Busy} when=${got.loading} />`}` : html`<${Given} given=${given} give=${give} />`}
    ${query.report && got.data && html`<${Told} of=${got.data} report=${query.report} />`}
    ${of?.wrong && html`<section class="panel verify"><h2>${t('verify')}</h2><${Steps} steps=${unreadable(of.wrong).steps} /></section>`}
    ${of?.proof && html`<${Verify} key=${`${of.origin} ${of.team} ${given.proofName} ${given.itemName}`} origin=${of.origin} team=${got.data?.team ?? of.team} gather=${async () => ({proof: of.proof, released})} />`}<//>`;
}
