// Did this report cross? A proof, from the node or from a file that somebody gave, checked in the browser.
import {html, useState} from '../lib/htm.js';
import {t, number} from '../i18n.js';
import {useQuery} from '../router.js';
import {useData, Failure, Busy, Page, Facts, Team, Code, download} from '../ui.js';
import {readProof} from '../tlog.js';
import {Verify} from '../verify.js';

const pathOf = (id) => `reports/${encodeURIComponent(id)}/proof`;
function File({label, take}) {
  return html`<label class="drop" onDragOver=${(e) => e.preventDefault()} onDrop=${async (e) => { e.preventDefault(); take(await e.dataTransfer.files[0]?.text()); }}>${label}
    <input type="file" onChange=${async (e) => take(await e.target.files[0]?.text())} /></label>`;
}
function Given({given, give}) {
  return html`<section class="panel stack"><p>${t('proof.text')}</p><${File} label=${t('proof.file')} take=${(proof) => give({...given, proof})} />
    <${File} label=${t('proof.item')} take=${(item) => give({...given, item})} /></section>`;
}
export default function Proof() {
  const [query] = useQuery();
  const got = useData(query.report && pathOf(query.report), {team: query.team, recall: query.recall});
  const [given, give] = useState({});
  const of = query.report ? got.data : given;
  const gather = async () => ({proof: readProof(of.proof), released: of.item});
  return html`<${Page} title=${t('verify.proof')} actions=${got.data && html`<button onClick=${() => download(`${query.report}.tlog-proof`, 'text/plain', of.proof)}>${t('proof.keep')}</button>
      <button onClick=${() => download(`${query.report}.json`, 'application/json', of.item)}>${t('proof.keep.item')}</button>`}>
    ${query.report ? html`<${Failure} error=${got.error} retry=${got.reload} />${!got.data && html`<${Busy} when=${got.loading} />`}` : html`<${Given} given=${given} give=${give} />`}
    ${got.data && html`<section class="panel"><${Facts} of=${[[t('report'), html`<a href="/reports/${query.report}"><${Code}>${query.report}<//></a>`], [t('recipient'), html`<${Team} id=${of.team} />`],
      [t('ledger.entry'), html`<a class="button" href="/ledger/${of.entry}">${number(of.entry)}</a>`]]} /><details><summary>${t('proof.item.shown')}</summary><pre class="mono" dir="ltr">${of.item}</pre></details></section>`}
    ${of?.proof && html`<${Verify} team=${of.team} gather=${gather} />`}<//>`;
}
