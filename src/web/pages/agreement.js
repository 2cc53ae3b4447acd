// One agreement, read as clauses in words; where each party stands, what happened, what changed, what may be done.
import {html} from '../lib/htm.js';
import {t, word, economy, number} from '../i18n.js';
import {may} from '../api.js';
import {useData, Failure, Busy, Page, Facts, Time, Tag, Standing, Team, Code, Table, download} from '../ui.js';
import {Clause} from '../clauses.js';
import {Acts} from './acts.js';

// A party without a signature has not signed.
function Parties({a}) {
  const rows = a.parties.map((team) => {
    const signature = (a.signatures ?? a.document?.signatures ?? []).find((one) => (one.party ?? one.team) === team);
    const there = (a.abroad ?? []).find((one) => one.team === team);
    return {team, at: signature?.signed_at ?? signature?.at, is: signature ? signature.is ?? 'unchecked' : 'missing', standing: there?.standing, since: there?.since};
  });
  const columns = [{id: 'team', label: t('team'), cell: (row) => html`<${Team} id=${row.team} />`},
    {id: 'is', label: t('signatures'), value: (row) => row.is, cell: (row) => html`<${Tag} kind="signature" value=${row.is} />`},
    {id: 'at', label: t('signed.at'), cell: (row) => html`<${Time} at=${row.at} />`},
    {id: 'standing', label: t('abroad'), value: (row) => row.standing, cell: (row) => (row.standing ? html`<${Standing} of=${row.standing} /> <${Time} at=${row.since} />` : '–')}];
  return html`<${Table} name="parties" caption=${t('parties.stand')} columns=${columns} rows=${rows} id=${(row) => row.team} />`;
}
function Events({of}) {
  const columns = [{id: 'time', label: t('since'), cell: (row) => html`<${Time} at=${row.time} />`}, {id: 'event', label: t('history'), value: (row) => row.event, cell: (row) => word('event', row.event)},
    {id: 'team', label: t('team'), cell: (row) => html`<${Team} id=${row.team} />`}, {id: 'account', label: t('by')},
    {id: 'at', label: t('from'), cell: (row) => html`<${Time} at=${row.at} />`}, {id: 'reason', label: t('reason')}];
  return html`<${Table} name="events" caption=${t('history')} columns=${columns} rows=${of} id=${(row) => `${row.time} ${row.event} ${row.team}`} />`;
}
function Difference({id}) {
  const got = useData(`agreements/${encodeURIComponent(id)}/difference`);
  const d = got.data;
  const columns = [{id: 'direction', label: t('difference.way'), value: (row) => row.direction, cell: (row) => t(`simulate.${row.direction}`)},
    {id: 'recipients', label: t('recipient')}, {id: 'text', label: t('draft.message'), cell: (row) => html`<span lang="en" dir="auto">${row.text}</span>`}];
  const documents = [{id: 'key', label: t('field'), cell: (row) => html`<${Code}>${row.key}<//>`}, {id: 'before', label: t('before')}, {id: 'after', label: t('after')}];
  return html`<${Failure} error=${got.error} retry=${got.reload} />${d && html`<section class="panel"><h2>${t('difference')}</h2>
    <p>${d.from ? html`${t('difference.from')} <a href="/agreements/${encodeURIComponent(d.from)}" dir="auto">${d.from}</a>` : t('difference.none')} ${d.identical && t('difference.same')}</p>
    ${d.changes.length > 0 && html`<${Table} name="changes" caption=${t('difference.changes', {n: number(d.changes.length)})} columns=${columns} rows=${d.changes} />`}
    ${d.documents.length > 0 && html`<${Table} name="documents" caption=${t('difference.documents')} columns=${documents} rows=${d.documents} id=${(row) => row.key} />`}</section>`}`;
}
const facts = (a, text) => [[t('standing'), html`<${Standing} of=${a.standing} /> <span dir="auto">${a.why}</span>`],
  [t('team.kind'), word('agreement.kind', a.kind)], [t('economy'), text?.economy && economy(text.economy)],
  [t('parties'), a.parties.length ? a.parties.map((one, i) => html`${i > 0 && ', '}<${Team} id=${one} />`) : t('party.all')],
  [t('from'), html`<${Time} at=${a.valid_from} />`], [t('until'), a.valid_until ? html`<${Time} at=${a.valid_until} />` : t('open')],
  [t('signed'), t(a.signed_by_all ? 'yes' : 'no')], ['ID', html`<${Code}>${a.id}<//>`], ['SHA-256', a.sha256 && html`<${Code}>${a.sha256}<//>`],
  [t('agreement.paper'), text?.text_sha256 && html`<${Code}>SHA-256 ${text.text_sha256}<//>`]];

export default function Agreement({id}) {
  const got = useData(`agreements/${encodeURIComponent(id)}`);
  const status = useData('status');
  const a = got.data;
  const text = a?.document;
  return html`<${Page} title=${a?.title ?? t('agreement')} actions=${text && html`
    ${may('agree') && html`<${Acts} a=${a} own=${status.data?.team} done=${got.reload} />
      <a class="button" href=${`/agreements/new?${new URLSearchParams({from: id})}`}>${t('draft.from')}</a>`}
    <button onClick=${() => download('agreement.json', 'application/json', `${JSON.stringify(text, null, 2)}\n`)}>JSON</button>
    <button onClick=${() => print()}>${t('print')}</button>`}>
    <${Failure} error=${got.error} retry=${got.reload} />${!a && html`<${Busy} when=${got.loading} />`}
    ${a && html`<section class="panel"><${Facts} of=${facts(a, text)} /></section>
    ${a.parties.length > 0 && html`<${Parties} a=${a} />`}
    ${text && html`<section class="panel"><h2>${t('clauses')}</h2><ol class="clauses">${text.clauses.map((clause) =>
      html`<${Clause} key=${clause.id} clause=${clause} law=${a.kind === 'law'} />`)}</ol><p class="quiet">${t('clause.rest')}</p></section>`}
    <${Difference} id=${id} />${a.events?.length > 0 && html`<${Events} of=${a.events} />`}`}<//>`;
}
