// One report's whole story: where it belongs, who was told, under which clause, and what was left of it.
import {html} from '../lib/htm.js';
import {t, word, list, number, arrow} from '../i18n.js';
import {useQuery} from '../router.js';
import {useData, Failure, Busy, Page, Table, Time, Tag, Team, Economy, Facts, Code, asText, download, Sources} from '../ui.js';
import {ReportActs, Recalled, Feedback} from './recall.js';

function Evidence({of, when}) {
  return html`<h3>${when}</h3><${Facts} of=${[
    [t('team'), html`<${Team} id=${of.team} />`], [t('rule'), word('rule', of.rule)],
    [t('evidence.prefix'), of.prefix && html`<${Code}>${of.prefix}<//>`],
    [t('network'), of.asn && html`<a href="/reports?asn=${of.asn}">AS${of.asn}</a> ${of.as_name}`],
    [t('economy'), of.economy && html`<${Economy} code=${of.economy} />`],
    [t('evidence.registry'), of.registry_economy && html`<${Economy} code=${of.registry_economy} />`],
    [t('evidence.asn'), of.asn_economy && html`<${Economy} code=${of.asn_economy} />`],
    [t('evidence.feed'), of.feed_economy && html`<${Economy} code=${of.feed_economy} />`],
    [t('evidence.domain'), of.registered_domain && html`<${Code}>${of.registered_domain}<//>`],
    [t('evidence.others'), of.other_teams || null]]} />
    ${of.disagrees && html`<div class="notice">${t('evidence.disagrees')}</div>`}`;
}
function Endpoint({title, of}) {
  if (!of) return null;
  const changed = of.then.team !== of.now.team || of.then.rule !== of.now.rule;
  return html`<section class="panel"><h2>${title}</h2><p><${Code}>${of.address ?? ''}<//> <${Code}>${of.name ?? ''}<//></p>
    ${changed && html`<${Evidence} of=${of.then} when=${t('then')} /><div class="notice">${t('evidence.changed')}</div>`}
    <${Evidence} of=${of.now} when=${changed ? t('now') : t('evidence')} /></section>`;
}
function Verdict({of, title}) {
  const treated = Object.entries(of.treatments).filter(([, how]) => how !== 'keep');
  return html`<h3>${title} <${Tag} kind="effect" value=${of.effect} /></h3><p>${word('reason', of.reason)}</p>
    ${of.clauses.length > 0 && html`<ul>${of.clauses.map((clause) => html`<li>${t('clause')} <strong dir="auto">${clause.clause}</strong>:${' '}
      <a href="/agreements/${encodeURIComponent(clause.agreement)}" dir="auto">${clause.title ?? clause.agreement}</a>
      ${clause.note && html`<div class="quiet" dir="auto">${clause.note}</div>`}</li>`)}</ul>`}
    <${Facts} of=${[
      [t('treatment'), treated.length ? list(treated.map(([of_, how]) => `${word('class', of_)}: ${word('treatment', how)}`)) : t('treatment.none')],
      [t('retention'), of.retention_days ? t('days', {n: of.retention_days}) : null],
      [t('requires'), list([of.require_encrypted && t('require.encrypted-channel'), of.require_receipt && t('require.receipt')].filter(Boolean))],
      [t('onward'), word('onward', of.onward)]]} />`;
}
const columns = () => [
  {id: 'name', label: t('field'), cell: (row) => html`<${Code}>${row.name}<//>`},
  {id: 'before', label: t('before'), value: (row) => asText(row.before),
    cell: (row) => html`<span class="mono value" dir="auto">${row.result === 'kept' ? asText(row.before) : html`<del>${asText(row.before)}</del>`}</span>`},
  {id: 'after', label: t('after'), value: (row) => asText(row.after), cell: (row) => (row.result === 'removed' ? html`<span class="quiet">–</span>`
    : html`<span class="mono value" dir="auto">${row.after_name !== row.name && html`${row.after_name}: `}${row.result === 'changed'
      ? html`<ins>${asText(row.after)}</ins>` : asText(row.after)}</span>`)},
  {id: 'result', label: t('result'), cell: (row) => html`<${Tag} kind="result" value=${row.result} />`},
  {id: 'class', label: t('class'), value: (row) => row.class, cell: (row) => word('class', row.class)},
  {id: 'treatment', label: t('treatment'), value: (row) => row.treatment, cell: (row) => word('treatment', row.treatment)}];

// From here on the ledger has it.
const crossed = ['written-out', 'sent', 'fetched', 'receipt', 'receipt-differs', 'failed'];
function Recipient({of, n, id}) {
  const [{changes}, set] = useQuery();
  const rows = changes ? of.fields.filter((field) => field.result !== 'kept') : of.fields;
  const differs = of.now && (of.now.effect !== of.then.effect || of.now.reason !== of.then.reason);
  return html`<section class="panel"><h2>${t('recipient')}: <${Team} id=${of.team} /> ${of.name && html`<span class="quiet" dir="auto">${of.name}</span>`}</h2>
    <div class="grid"><div><${Verdict} of=${of.then} title=${t('then')} />${differs && html`<${Verdict} of=${of.now} title=${t('now')} />`}</div>
    <div><h3>${t('history')}</h3><ol class="steps">${of.history.map((step) => html`<li>${word('step', step.what)} ${step.at && html`<${Time} at=${step.at} />`}
      ${step.entry !== undefined && html` <a href="/ledger/${step.entry}">${t('report.delivery', {n: number(step.entry)})}</a>`}
      ${step.by && html` <span dir="auto">${step.by}</span>`}${step.why && html`: <q dir="auto">${step.why}</q>`}</li>`)}</ol></div></div>
    ${of.then.reason !== 'own-constituency' && of.history.some((one) => crossed.includes(one.what)) && html`<p><a href=${`/ledger/proof?${new URLSearchParams({report: id, team: of.team})}`}>${t('report.proof')}</a></p>`}
    ${of.then.effect === 'hold' && html`<p class="notice">${t('fields.held')}</p>`}
    ${of.then.effect === 'withhold' && html`<p class="notice">${t('fields.withheld')}</p>`}
    <${Table} name=${`report-${id}-${n + 1}`} caption=${t('fields')} columns=${columns()} rows=${rows} id=${(row) => row.name}>
      <label class="check"><input type="checkbox" checked=${Boolean(changes)} onChange=${(e) => set({changes: e.target.checked ? '1' : ''}, {replace: true})} />${t('fields.changed')}</label><//></section>`;
}
export default function Report({id}) {
  const story = useData(`reports/${encodeURIComponent(id)}/explanation`);
  const r = story.data;
  const actions = r && html`<${ReportActs} r=${r} done=${story.reload} /><button onClick=${() => download(`report-${id}.json`, 'application/json', JSON.stringify(r, null, 1))}>JSON</button>
    <button onClick=${() => print()}>${t('print')}</button>`;
  return html`<${Page} title=${r?.classification ? `${t('report')}: ${r.classification}` : t('report')} actions=${actions}>
    <${Failure} error=${story.error} retry=${story.reload} />${!r && html`<${Busy} when=${story.loading} />`}
    ${r && html`<${Recalled} r=${r} /><section class="panel"><${Facts} of=${[['ID', html`<${Code}>${r.id}<//>`], [t('received'), html`<${Time} at=${r.received} />`],
      [t('observed'), r.time && html`<${Time} at=${r.time} />`],
      [t('classification'), r.classification && html`<a href="/reports?classification=${r.classification}">${r.classification}</a> <span class="quiet">${r.taxonomy}</span>`],
      ['TLP', r.tlp], [t('provider'), r.provider && html`<span dir="auto">${r.provider}</span>`],
      [t('report.path'), r.path.length > 0 && r.path.map((one, i) => html`${i > 0 && arrow()}<${Team} id=${one} />`)]]} /></section><${Feedback} of=${r.feedback} />
    <div class="grid"><${Endpoint} title=${t('source')} of=${r.source} /><${Endpoint} title=${t('destination')} of=${r.destination} /></div>
    ${r.recipients.map((one, n) => html`<${Recipient} of=${one} n=${n} id=${id} />`)}<${Sources} />`}<//>`;
}
