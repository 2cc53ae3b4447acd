// One economy: its networks, its teams, what came in about it and what nobody answers for.
import {html, useState, useEffect} from '../lib/htm.js';
import {t, economy, number, word, asset} from '../i18n.js';
import {useData, Failure, Busy, Page, Facts, Table, Code, Side, Time, Tag, Team, Sources} from '../ui.js';
import {Places} from '../map.js';

const percent = (value, year) => value !== undefined && html`${number(value)} ${year && html`<span class="quiet">(${year})</span>`}`;

function Numbers({code}) {
  const [f, set] = useState();
  useEffect(() => { asset('economies.json').then((facts) => set(facts[code] ?? {}), () => set({})); }, [code]);
  return f && html`<${Facts} of=${[['ISO', code], [t('region'), html`<span lang="en" dir="ltr">${f.region}</span>`], [t('measure.population'), f.population && number(f.population)],
    [t('measure.active_asns'), number(f.active_asns)], [t('measure.ipv4_addresses'), number(f.ipv4_addresses)], [t('measure.ipv4_prefixes'), number(f.ipv4_prefixes)],
    [t('measure.ipv6_slash32'), number(f.ipv6_slash32)], [t('measure.ixps'), number(f.ixps)],
    [t('measure.internet_users_pct'), percent(f.internet_users_pct, f.internet_users_year)],
    [t('measure.fixed_bb_per_100'), percent(f.fixed_bb_per_100, f.fixed_bb_year)], [t('measure.mobile_per_100'), percent(f.mobile_per_100)]]} />`;
}
function Counts({teams}) {
  const stats = useData('statistics', {});
  const ids = new Set(teams.map((team) => team.id));
  const sums = {};
  for (const item of stats.data?.items ?? []) if (ids.has(item.team)) sums[item.name] = (sums[item.name] ?? 0) + item.count;
  const rows = ['outcomes', 'released', 'held', 'withheld'].map((name) => ({name, count: sums[name] ?? 0}));
  const columns = [{id: 'name', label: t('today.balance'), value: (row) => row.name, cell: (row) => word('stat', row.name)}, {id: 'count', label: t('count'), number: true}];
  return html`<${Failure} error=${stats.error} /><${Table} name="counts" caption=${t('economy.out')} columns=${columns} rows=${rows} id=${(row) => row.name} />`;
}
function Recent({code, unattributed}) {
  const query = unattributed ? {economy: code, unattributed: 'true'} : {economy: code};
  const found = useData('reports', {...query, limit: 10});
  const title = t(unattributed ? 'economy.nobody' : 'economy.recent');
  const columns = [{id: 'received', label: t('received'), cell: (row) => html`<a href="/reports/${row.id}"><${Time} at=${row.received} /></a>`},
    {id: 'classification', label: t('classification')}, {id: 'source', label: t('source'), value: (row) => row.source?.address ?? row.source?.name,
      cell: (row) => html`<${Side} of=${row.source} />`},
    {id: 'outcomes', label: t('verdict'), value: (row) => row.outcomes.map((one) => `${one.team ?? '-'}:${one.effect}`),
      cell: (row) => row.outcomes.map((one) => html`<div><${Team} id=${one.team} /> <${Tag} kind="effect" value=${one.effect} /></div>`)}];
  return html`<${Failure} error=${found.error} retry=${found.reload} /><${Busy} when=${found.loading} />
    <${Table} name=${unattributed ? 'nobody' : 'recent'} caption=${title} columns=${columns} rows=${found.data?.items ?? []} id=${(row) => row.id}>
      <a href=${`/reports?${new URLSearchParams(query)}`}>${t('all')}</a><//>`;
}
export default function EconomyPage({id}) {
  const code = id.toUpperCase();
  const found = useData('teams', {economy: code, limit: 1000});
  const teams = found.data?.items ?? [];
  const columns = [{id: 'name', label: t('name'), cell: (row) => html`<a href="/teams/${encodeURIComponent(row.id)}" dir="auto">${row.name}</a>`},
    {id: 'id', label: 'ID', cell: (row) => html`<${Code}>${row.id}<//>`},
    {id: 'kind', label: t('team.kind'), value: (row) => row.kind, cell: (row) => word('team.kind', row.kind)}];
  return html`<${Page} title=${economy(code)}><div class="grid"><section class="panel"><${Numbers} code=${code} /></section>
    <section class="panel"><${Places} codes=${[code]} label=${economy(code)} /></section></div>
    <${Failure} error=${found.error} retry=${found.reload} />
    ${found.data && !teams.length && html`<div class="notice">${t('economy.noteam')}</div>`}
    <${Table} name="teams" caption=${t('page.teams')} columns=${columns} rows=${teams} id=${(row) => row.id} />
    ${found.data && html`<${Counts} teams=${teams} />`}<${Recent} code=${code} /><${Recent} code=${code} unattributed />
    <${Sources} /><//>`;
}
