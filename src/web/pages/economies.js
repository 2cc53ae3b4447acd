// How do the world's economies stand: networks, addresses, teams, use of the Internet?
import {html, useState, useEffect} from '../lib/htm.js';
import {t, economy, asset} from '../i18n.js';
import {all} from '../api.js';
import {useQuery} from '../router.js';
import {Failure, Busy, Page, Table, Economy, Choice, Sources} from '../ui.js';
import {WorldMap} from '../map.js';

const measures = ['active_asns', 'ipv4_addresses', 'ipv4_prefixes', 'ipv6_slash32', 'teams', 'internet_users_pct', 'fixed_bb_per_100',
  'mobile_per_100', 'population'];

export function useEconomies() {
  const [state, set] = useState({});
  useEffect(() => {
    Promise.all([asset('economies.json'), all('teams', {})]).then(([facts, teams]) => {
      const rows = Object.entries(facts).map(([code, fact]) => ({code, ...fact, teams: 0}));
      const byCode = new Map(rows.map((row) => [row.code, row]));
      for (const team of teams) for (const code of team.economies) if (byCode.has(code)) byCode.get(code).teams += 1;
      set({rows});
    }, (error) => set({error}));
  }, []);
  return state;
}
export default function Economies() {
  const [query, set] = useQuery();
  const {rows, error} = useEconomies();
  const shown = measures.includes(query.measure) ? query.measure : 'active_asns';
  const columns = [{id: 'code', label: t('economy'), value: (row) => economy(row.code), cell: (row) => html`<${Economy} code=${row.code} />`},
    {id: 'iso', label: 'ISO', value: (row) => row.code}, {id: 'region', label: t('region'), cell: (row) => html`<span lang="en" dir="ltr">${row.region}</span>`},
    ...measures.map((id) => ({id, label: t(`measure.${id}`), number: true}))];
  return html`<${Page} title=${t('page.economies')}><${Failure} error=${error} /><${Busy} when=${!rows && !error} />
    <section class="panel"><h2 class="on-paper">${t('measure')}: ${t(`measure.${shown}`)}</h2><${Choice} label=${t('measure')} value=${shown} onInput=${(measure) => set({measure}, {replace: true})}
      options=${measures.map((id) => [id, t(`measure.${id}`)])} />
      <${WorldMap} label=${t(`measure.${shown}`)} values=${Object.fromEntries((rows ?? []).map((row) => [row.code, row[shown] ?? 0]))}
        to=${(code) => `/economies/${code}`} /></section>
    <${Table} name="economies" caption=${t('page.economies')} hideCaption sorts columns=${columns} rows=${rows ?? []} id=${(row) => row.code} />
    <${Sources} /><//>`;
}
