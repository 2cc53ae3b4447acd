// Which teams are there, and who answers for an address, a network or a name?
import {html} from '../lib/htm.js';
import {t, word, economies, economy, list} from '../i18n.js';
import {all, may} from '../api.js';
import {useQuery, useDraft} from '../router.js';
import {useData, useList, useSorted, Failure, Busy, Page, Table, More, Field, Choice, Facts, Economy, Code, Link, Sources} from '../ui.js';
import {WorldMap} from '../map.js';
import {waitingColumns} from './cards.js';

function Whois() {
  const [query, set] = useQuery();
  const [draft, write] = useDraft(query.q);
  const found = useData(query.q && 'whois', {q: query.q});
  const w = query.q && found.data;
  return html`<section class="panel"><h2>${t('whois')}</h2>
    <form class="row" onSubmit=${(e) => { e.preventDefault(); set({q: draft.trim()}); }}>
      <${Field} label=${t('whois.what')} value=${draft} onInput=${write} dir="ltr" placeholder="192.0.2.1, AS64496, example.org" /><button class="main">${t('find')}</button></form>
    ${query.q && html`<${Failure} error=${found.error} />`}
    ${w && html`<div role="status"><${Facts} of=${[[t('whois.for'), html`<${Code}>${w.query}<//>`],
      [t('team'), w.team ? html`<a href="/teams/${encodeURIComponent(w.team)}">${w.team}</a> <span dir="auto">${w.team_name}</span>` : t('nobody')],
      [t('rule'), word('rule', w.rule)], [t('evidence.prefix'), w.prefix && html`<${Code}>${w.prefix}<//>`],
      [t('network'), w.asn && html`<a href="/reports?asn=${w.asn}">AS${w.asn}</a> ${w.as_name}`],
      [t('economy'), w.economy && html`<${Economy} code=${w.economy} />`], [t('evidence.registry'), economy(w.registry_economy)],
      [t('evidence.asn'), economy(w.asn_economy)], [t('evidence.domain'), w.registered_domain && html`<${Code}>${w.registered_domain}<//>`],
      [t('evidence.special'), w.special]]} />
      ${w.disagrees && html`<div class="notice">${t('evidence.disagrees')}</div>`}
      ${w.verified === false && html`<div class="notice">${t('team.unverified')}</div>`}<${Sources} /></div>`}</section>`;
}
const channelTones = {encrypted: 'good', open: 'wait', none: ''};
const columns = () => [
  {id: 'name', label: t('name'), cell: (row) => html`<${Link} to=${`/teams/${encodeURIComponent(row.id)}`}>${row.name}<//>`},
  {id: 'full_name', label: t('team.full')}, {id: 'id', label: 'ID', cell: (row) => html`<${Code}>${row.id}<//>`},
  {id: 'kind', label: t('team.kind'), value: (row) => row.kind, cell: (row) => word('team.kind', row.kind)},
  {id: 'economies', label: t('page.economies'), value: (row) => row.economies,
    cell: (row) => row.economies.map((code, i) => html`${i > 0 && ', '}<${Economy} code=${code} />`)},
  {id: 'channel', label: t('channel'), value: (row) => row.channel, cell: (row) => html`<span class="tag ${channelTones[row.channel]}">${t(`team.channel.${row.channel}`)}</span>`},
  {id: 'key', label: t('card.key'), value: (row) => row.key, cell: (row) => html`<span class="tag ${row.key === 'none' ? '' : 'good'}">${t(`team.key.${row.key}`)}</span>`},
  {id: 'verified', label: t('team.verified'), value: (row) => row.verified, cell: (row) => (row.verified ? html`<span class="tag good">${t('yes')}</span>`
    : html`<span class="tag wait">${t('team.unconfirmed')}</span>`)}];

// Other teams' cards that wait for a person; nothing where none does.
function Waiting() {
  const list = useList('cards', {limit: 25}); // judging one is work for the node
  if (!list.error && !list.data?.waiting) return null;
  return html`<${Failure} error=${list.error} retry=${list.reload} />
    ${list.data && html`<div class="notice">${t('card.waiting.text')}</div><${Table} name="cards" caption=${t('card.waiting')} columns=${waitingColumns()} rows=${list.items} id=${(row) => row.sha256}
      fetchAll=${(tell) => all('cards', {}, 1000, tell, 100)}><${More} list=${list} /><//>`}`;
}
export default function Teams() {
  const [query, set] = useQuery();
  const [text, write] = useDraft(query.text);
  const asked = {text: query.text, economy: query.economy};
  const found = useSorted('teams', asked);
  const counts = {};
  for (const code of found.items.flatMap((team) => team.economies)) counts[code] = (counts[code] ?? 0) + 1;
  const status = useData('status');
  const actions = may('agree') && status.data?.team && html`<a class="button" href="/teams/${encodeURIComponent(status.data.team)}/card">${t('card.own')}</a>`;
  return html`<${Page} title=${t('page.teams')} actions=${actions}><${Whois} /><${Waiting} />
    <form class="panel row" onSubmit=${(e) => { e.preventDefault(); set({text: text.trim()}); }}>
      <${Field} label=${t('team.text')} value=${text} onInput=${write} dir="auto" />
      <${Choice} label=${t('economy')} any=${t('any')} value=${query.economy} onInput=${(code) => set({economy: code})} options=${economies()} />
      <button>${t('find')}</button></form>
    <${Failure} error=${found.error} retry=${found.reload} /><${Busy} when=${found.busy} />
    <${Table} name="teams" caption=${t('page.teams')} hideCaption sorts more=${found.next} columns=${columns()} rows=${found.items} id=${(row) => row.id}
      fetchAll=${(tell) => all('teams', asked, 50000, tell)}><${More} list=${found} /><//>
    <section class="panel"><h2>${t('team.map')}</h2><${WorldMap} values=${counts} label=${t('team.map.label', {list: list(Object.keys(counts).map(economy))})} to=${(code) => `/teams?economy=${code}`} /></section><//>`;
}
