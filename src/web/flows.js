// Which reports came in from where and went out to where, as it happens? On a map, and in a table beside it.
import {html, useState, useEffect, useMemo, useRef} from './lib/htm.js';
import {t, economy, number} from './i18n.js';
import {useQuery} from './router.js';
import {useData, Failure, Busy, Table, Team} from './ui.js';
import {WorldMap} from './map.js';

const periods = ['1', '7', '30', '365'];
const dayMs = 86400000;

// The period that the URL names: whole days in UTC, with today the last.
export function usePeriod(otherwise) {
  const [query] = useQuery();
  const days = periods.includes(query.days) ? query.days : otherwise;
  const first = Math.floor(Date.now() / dayMs) * dayMs - (days - 1) * dayMs;
  return {days, first, since: new Date(first).toISOString()};
}
export const Periods = ({path, days}) => html`<div class="tabs" role="group" aria-label=${t('period')}>${periods.map((n) =>
  html`<a href="${path}?days=${n}" aria-current=${n === days ? 'true' : undefined}>${t(`period.${n}`)}</a>`)}</div>`;

// What was heard of a day: the highest of each, as counts only grow and an answer may be older than an event.
function heard(today, {day, items}) {
  if (today.day !== day) Object.assign(today, {day, teams: new Map()});
  for (const {team, economy: code, ...now} of items) {
    const was = today.teams.get(team);
    today.teams.set(team, {economy: code, in: Math.max(now.in, was?.in ?? 0), out: Math.max(now.out, was?.out ?? 0)});
  }
}
// The answer, with what was heard since.
function joined(data, today) {
  const rows = new Map(data.items.map((row) => [row.team, row]));
  if (!data.live || today.day !== data.day) return [...rows.values()];
  for (const [team, now] of today.teams) {
    const was = rows.get(team) ?? {team, name: null, economy: now.economy, in: 0, out: 0, in_today: 0, out_today: 0};
    const more = (way) => Math.max(0, now[way] - was[`${way}_today`]);
    rows.set(team, {...was, in: was.in + more('in'), out: was.out + more('out')});
  }
  return [...rows.values()];
}
export function useFlows(since) {
  const got = useData('flows', {since});
  const today = useRef({day: '', teams: new Map()});
  const [turn, show] = useState(0);
  useEffect(() => {
    let frame;
    const hear = ({detail}) => {
      heard(today.current, detail);
      frame ??= requestAnimationFrame(() => { frame = undefined; show((n) => n + 1); });
    };
    addEventListener('flows', hear);
    addEventListener('dropped', got.reload);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener('flows', hear);
      removeEventListener('dropped', got.reload);
    };
  }, []);
  const {data} = got;
  useEffect(() => { if (data?.live && today.current.day > data.day) got.reload(); }, [turn]); // midnight
  const rows = useMemo(() => (data ? joined(data, today.current) : []), [data, turn]);
  return {...got, rows, others: rows.filter((row) => row.team !== data.own), own: rows.find((row) => row.team === data?.own)};
}

// One row an economy; '' is that of teams without one.
function byEconomy(rows) {
  const sums = new Map();
  for (const row of rows) {
    const code = row.economy ?? '';
    const was = sums.get(code) ?? {code, in: 0, out: 0, teams: []};
    sums.set(code, {code, in: was.in + row.in, out: was.out + row.out, teams: [...was.teams, row.team]});
  }
  return [...sums.values()].sort((a, b) => b.in + b.out - a.in - a.out || (a.code < b.code ? -1 : 1));
}
const ways = ['in', 'out'];
const arcs = (rows, home) => rows.filter((row) => row.code && row.code !== home).flatMap((row) => ways.filter((way) => row[way] > 0)
  .map((way) => ({way, from: way === 'in' ? row.code : home, to: way === 'in' ? home : row.code, count: row[way]})));
const Legend = () => html`<p class="quiet">${ways.map((way) => html`<span class="legend"><svg viewBox="0 0 32 8" aria-hidden="true"><path class="flow ${way}" d="M2 4H30" stroke-width="3" /></svg>
  ${t(`flows.${way}`)}</span> `)}${t('flows.text')}</p>`;

export function Flows({flows, days}) {
  const {data, others, own} = flows;
  const rows = byEconomy(others);
  const to = (code) => `/economies/${code}?days=${days}`;
  const columns = [{id: 'economy', label: t('economy'), value: (row) => row.code || row.teams,
    cell: (row) => (row.code ? html`<a href=${to(row.code)}>${economy(row.code)}</a>` : html`${t('flows.nowhere')} ${row.teams.map((id) => html`<div><${Team} id=${id} /></div>`)}`)},
    ...ways.map((id) => ({id, label: t(`flows.${id}`), number: true}))];
  const sum = (way) => number(others.reduce((all, row) => all + row[way], 0));
  return html`<section class="panel"><h2>${t('today.flows')}</h2><${Failure} error=${flows.error} retry=${flows.reload} />
    ${!data && html`<${Busy} when=${flows.loading} />`}${data && html`<div class="flows"><div>
      <${WorldMap} values=${Object.fromEntries(rows.map((row) => [row.code, row.in + row.out]))} flows=${data.home ? arcs(rows, data.home) : []} label=${t('today.flows')} to=${to} />
      <${Legend} /></div>
      <div><${Table} name="flows" caption=${t('flows.table')} columns=${columns} rows=${rows} id=${(row) => row.code} />
      <p>${t('flows.sum', {in: sum('in'), out: sum('out')})} ${own?.in > 0 && t('flows.own', {n: number(own.in)})}</p></div></div>`}</section>`;
}
