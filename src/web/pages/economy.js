// One economy: its networks, its teams, what they gave and got, what came in about it and what nobody answers for.
import {html, useState, useEffect} from '../lib/htm.js';
import {t, economy, economies, number, word, asset} from '../i18n.js';
import {useData, Failure, Busy, Page, Facts, Table, Code, Side, Time, Tag, Team, Sources} from '../ui.js';
import {Places} from '../map.js';
import {Periods, useFlows, usePeriod} from '../flows.js';

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
// What was decided for its teams.
function Counts({ids, since}) {
  const stats = useData('statistics', {since, by: 'team'});
  const sums = {};
  for (const item of stats.data?.items ?? []) if (ids.has(item.team)) sums[item.name] = (sums[item.name] ?? 0) + item.count;
  const rows = ['outcomes', 'released', 'held', 'withheld'].map((name) => ({name, count: sums[name] ?? 0}));
  const columns = [{id: 'name', label: t('today.balance'), value: (row) => row.name, cell: (row) => word('stat', row.name)}, {id: 'count', label: t('count'), number: true}];
  return html`<${Failure} error=${stats.error} retry=${stats.reload} /><${Table} name="counts" caption=${t('economy.out')} columns=${columns} rows=${rows} id=${(row) => row.name} />`;
}
// Its teams of the directory, and those that gave or got reports, with how many.
function Teams({code, teams, flows, since}) {
  const moved = new Map(flows.rows.map((row) => [row.team, row]));
  const known = new Set(teams.map((team) => team.id));
  const gone = flows.rows.filter((row) => row.economy === code && !known.has(row.team)).map((row) => ({id: row.team, name: row.name ?? row.team}));
  const rows = [...teams, ...gone].map((team) => ({...team, in: moved.get(team.id)?.in ?? 0, out: moved.get(team.id)?.out ?? 0}));
  const reports = (n, query) => (n > 0 ? html`<a href=${`/reports?${new URLSearchParams({...query, since})}`}>${number(n)}</a>` : number(n));
  const columns = [{id: 'name', label: t('name'), cell: (row) => html`<a href="/teams/${encodeURIComponent(row.id)}" dir="auto">${row.name}</a>`},
    {id: 'id', label: 'ID', cell: (row) => html`<${Code}>${row.id}<//>`},
    {id: 'kind', label: t('team.kind'), value: (row) => row.kind, cell: (row) => word('team.kind', row.kind)},
    {id: 'in', label: t('flows.in'), number: true, cell: (row) => reports(row.in, {sender: row.id})},
    {id: 'out', label: t('flows.out'), number: true, cell: (row) => reports(row.out, {team: row.id, effect: 'release'})}];
  const sum = (way) => number(rows.reduce((all, row) => all + row[way], 0));
  return html`<${Failure} error=${flows.error} retry=${flows.reload} /><${Table} name="teams" caption=${t('page.teams')} columns=${columns} rows=${rows} id=${(row) => row.id}>
    <span>${t('flows.sum', {in: sum('in'), out: sum('out')})}</span><//>`;
}
// By network, of the newest that nobody answers for; what has no AS number, by its address.
function byNetwork(reports) {
  const found = new Map();
  for (const {source, destination, received} of reports) {
    const side = [source, destination].find((one) => one && !one.team) ?? source;
    const id = side?.asn ? `AS${side.asn}` : side?.address ?? side?.name;
    if (!id) continue;
    const was = found.get(id);
    found.set(id, {id, asn: side.asn, address: side.address, name: side.name, count: (was?.count ?? 0) + 1, newest: was?.newest ?? received});
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}
function Networks({code, since}) {
  const found = useData('reports', {economy: code, unattributed: 'true', since, limit: 1000});
  const about = (row) => (row.asn ? {asn: row.asn} : row.address ? {address: row.address} : {name: row.name});
  const query = {economy: code, unattributed: 'true', since};
  const columns = [{id: 'id', label: t('network'), cell: (row) => html`<a href=${`/teams?${new URLSearchParams({q: row.id})}`}><${Code}>${row.id}<//></a>`},
    {id: 'count', label: t('page.reports'), number: true, cell: (row) => html`<a href=${`/reports?${new URLSearchParams({...query, ...about(row)})}`}>${number(row.count)}</a>`},
    {id: 'newest', label: t('received'), cell: (row) => html`<${Time} at=${row.newest} />`}];
  const {items = [], next} = found.data ?? {};
  return html`<${Failure} error=${found.error} retry=${found.reload} /><${Busy} when=${found.loading} />
    <${Table} name="networks" caption=${t('economy.networks')} columns=${columns} rows=${byNetwork(items)} id=${(row) => row.id}>
      ${next && html`<span class="quiet">${t('economy.newest', {n: number(items.length)})}</span>`}
      <a href=${`/reports?${new URLSearchParams(query)}`}>${t('all')}</a><//>`;
}
function Recent({code, since}) {
  const query = {economy: code, since};
  const found = useData('reports', {...query, limit: 10});
  const columns = [{id: 'received', label: t('received'), cell: (row) => html`<a href="/reports/${row.id}"><${Time} at=${row.received} /></a>`},
    {id: 'classification', label: t('classification')}, {id: 'source', label: t('source'), value: (row) => row.source?.address ?? row.source?.name,
      cell: (row) => html`<${Side} of=${row.source} />`},
    {id: 'outcomes', label: t('verdict'), value: (row) => row.outcomes.map((one) => `${one.team ?? '-'}:${one.effect}`),
      cell: (row) => row.outcomes.map((one) => html`<div><${Team} id=${one.team} /> <${Tag} kind="effect" value=${one.effect} /></div>`)}];
  return html`<${Failure} error=${found.error} retry=${found.reload} /><${Busy} when=${found.loading} />
    <${Table} name="recent" caption=${t('economy.recent')} columns=${columns} rows=${found.data?.items ?? []} id=${(row) => row.id}>
      <a href=${`/reports?${new URLSearchParams(query)}`}>${t('all')}</a><//>`;
}
export default function EconomyPage({id}) {
  const code = id.toUpperCase();
  const {days, since} = usePeriod('30');
  const found = useData('teams', {economy: code, limit: 1000});
  const flows = useFlows(since);
  const teams = found.data?.items ?? [];
  // A team may be of a region that is no economy of the data.
  if (found.data && !teams.length && !economies().some(([one]) => one === code))
    return html`<${Page} title=${code}><${Failure} error=${{status: 404}} /><p><a href="/economies">${t('page.economies')}</a></p><//>`;
  return html`<${Page} title=${economy(code)} actions=${html`<${Periods} path="/economies/${code}" days=${days} />`}>
    <div class="grid"><section class="panel"><${Numbers} code=${code} /></section>
    <section class="panel"><${Places} codes=${[code]} label=${economy(code)} /></section></div>
    <${Failure} error=${found.error} retry=${found.reload} />
    ${found.data && !teams.length && html`<div class="notice">${t('economy.noteam')}</div>`}
    <${Teams} ...${{code, teams, flows, since}} />
    ${found.data && html`<${Counts} ids=${new Set(teams.map((team) => team.id))} since=${since} />`}
    <${Networks} code=${code} since=${since} /><${Recent} code=${code} since=${since} /><${Sources} /><//>`;
}
