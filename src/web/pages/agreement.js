// One agreement, read as clauses in words.
import {html} from '../lib/htm.js';
import {t, word, economy} from '../i18n.js';
import {may} from '../api.js';
import {useData, Failure, Busy, Page, Facts, Time, Tag, Team, Code, Table, download} from '../ui.js';
import {Clause} from '../clauses.js';

function Signatures({of}) {
  const columns = [{id: 'team', label: t('team'), value: (row) => row.team ?? row.party, cell: (row) => html`<${Team} id=${row.team ?? row.party} />`},
    {id: 'at', label: t('signed'), value: (row) => row.at ?? row.signed_at, cell: (row) => html`<${Time} at=${row.at ?? row.signed_at} />`},
    {id: 'key', label: t('keys'), cell: (row) => html`<${Code}>${row.key ?? row.key_id}<//>`}];
  return html`<${Table} name="signatures" caption=${t('signatures')} columns=${columns} rows=${of} id=${(row) => JSON.stringify(row)} />`;
}
export default function Agreement({id}) {
  const got = useData(`agreements/${encodeURIComponent(id)}`);
  const a = got.data;
  const text = a?.document;
  return html`<${Page} title=${a?.title ?? t('agreement')} actions=${text && html`
    ${may('agree') && html`<a class="button" href=${`/agreements/new?${new URLSearchParams({from: id})}`}>${t('draft.from')}</a>`}
    <button onClick=${() => download('agreement.json', 'application/json', `${JSON.stringify(text, null, 2)}\n`)}>JSON</button>
    <button onClick=${() => print()}>${t('print')}</button>`}>
    <${Failure} error=${got.error} retry=${got.reload} />${!a && html`<${Busy} when=${got.loading} />`}
    ${a && html`<section class="panel"><${Facts} of=${[[t('standing'), html`<${Tag} kind="standing" value=${a.standing.replaceAll(' ', '-')} /> <span dir="auto">${a.why}</span>`],
      [t('team.kind'), word('agreement.kind', a.kind)], [t('economy'), text?.economy && economy(text.economy)],
      [t('parties'), a.parties.length ? a.parties.map((one, i) => html`${i > 0 && ', '}<${Team} id=${one} />`) : t('party.all')],
      [t('from'), html`<${Time} at=${a.valid_from} />`], [t('until'), a.valid_until ? html`<${Time} at=${a.valid_until} />` : t('open')],
      [t('signed'), t(a.signed_by_all ? 'yes' : 'no')], ['ID', html`<${Code}>${a.id}<//>`],
      [t('agreement.paper'), text?.text_sha256 && html`<${Code}>SHA-256 ${text.text_sha256}<//>`]]} /></section>
    ${text && html`<section class="panel"><h2>${t('clauses')}</h2><ol class="clauses">${text.clauses.map((clause) =>
      html`<${Clause} key=${clause.id} clause=${clause} law=${a.kind === 'law'} />`)}</ol><p class="quiet">${t('clause.rest')}</p></section>
    ${text.signatures?.length > 0 && html`<${Signatures} of=${text.signatures} />`}`}`}<//>`;
}
