// One entry of the ledger, and what proves that it stands there.
import {html, useState, useEffect} from '../lib/htm.js';
import {t, number} from '../i18n.js';
import {ask} from '../api.js';
import {Failure, Busy, Page, Facts, Time, Team, Code, download} from '../ui.js';
import {utf8} from '../canonical.js';
import {Log, fetchCheckpoint, readCheckpoint, readEntry, base64} from '../tlog.js';
import {Verify} from '../verify.js';
import {what} from './ledger.js';

async function fetchEntry(index) {
  const note = await fetchCheckpoint();
  const log = new Log(readCheckpoint(note).size);
  return {note, log, index, entry: await log.entry(index)};
}
// As a proof has it; undefined: none has come, or nothing was delivered.
async function receiptOf(id) {
  try { const {note} = await ask('GET', `receipts/${encodeURIComponent(id)}`); return note && base64(utf8.encode(note)); } catch (error) { if (error.status === 404) return undefined; throw error; }
}

// What was delivered can be looked at as long as it is here.
const Items = ({of}) => (of.kind === 'delivery' || ['released', 'recalled'].includes(of.decision)
  ? html`<a href=${`/reports?${new URLSearchParams({delivery: of.id})}`}>${number(of.items)}</a>` : number(of.items));
function Shown({of}) {
  return html`<section class="panel"><${Facts} of=${[[t('team.kind'), what(of)], [t('since'), html`<${Time} at=${of.time} />`], [t('from.team'), of.from && html`<${Team} id=${of.from} />`],
      [t('recipient'), of.to && html`<${Team} id=${of.to} />`], [t('by'), of.by && html`<${Team} id=${of.by} />`], [t('page.reports'), of.items !== undefined && html`<${Items} of=${of} />`],
      [t('agreement'), of.agreement && html`<a href="/agreements/${encodeURIComponent(of.agreement)}" dir="auto">${of.agreement}</a>`],
      [t('clauses'), of.clauses?.map((one) => html`<div><a href="/agreements/${encodeURIComponent(one.agreement)}" dir="auto">${one.agreement}</a>: ${t('clause')} ${one.clause}</div>`)],
      [t('receipt.batch'), of.id && html`<${Code}>${of.id}<//>`], ['items_root', of.items_root && html`<${Code}>${of.items_root}<//>`]]} />
    <details><summary>JSON</summary><pre class="mono" dir="ltr">${JSON.stringify(of, null, 1)}</pre></details></section>`;
}
export default function Entry({id}) {
  const [state, set] = useState({busy: true});
  const index = Number(id);
  useEffect(() => {
    let wanted = true;
    fetchEntry(index).then(({entry}) => wanted && set(readEntry(entry)), (error) => wanted && set({error: error.status ? error : Object.assign(error, {status: 404})}));
    return () => { wanted = false; };
  }, [id]);
  // All anew, so that what is checked is what the log shows now.
  const gather = async () => {
    const got = await fetchEntry(index);
    const {entry} = readEntry(got.entry);
    return {proof: {...got, path: await got.log.path(index), receipt: entry.kind === 'delivery' ? await receiptOf(entry.id) : undefined}};
  };
  const e = state.entry;
  return html`<${Page} title=${`${t('ledger.entry')} ${number(index)}`} actions=${html`<a class="button" href="/ledger">${t('page.ledger')}</a>
      ${e && html`<button onClick=${() => download(`entry-${index}.json`, 'application/json', `${JSON.stringify(e)}\n`)}>JSON</button>`}`}>
    <${Failure} error=${state.error} /><${Busy} when=${state.busy} />
    ${e && html`<${Shown} of=${e} /><${Verify} team=${e.to} gather=${gather} />`}<//>`;
}
