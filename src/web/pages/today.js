// What came in, what went out, what waits for a person?
import {html, useMemo} from '../lib/htm.js';
import {t, arrow, number, day, word} from '../i18n.js';
import {useData, useTold, Failure, Busy, Page, Table, Team, Time} from '../ui.js';
import {Flows, Periods, useFlows, usePeriod} from '../flows.js';

const dayMs = 86400000;
const often = 5000; // ms: what has changed is asked for no more often

const Part = ({n, text, to}) => html`<div class="part"><b>${to && n ? html`<a href=${to}>${number(n)}</a>` : number(n)}</b><span>${text}</span></div>`;
const Sign = ({children}) => html`<span class="op" aria-hidden="true">${children}</span>`;

function Balance({totals, balanced, since}) {
  const parts = (of) => of.map((name, i) => html`${i > 0 && html`<${Sign}>+<//>`}<${Part} n=${totals[name]} text=${word('stat', name)}
    to=${links[name]?.(since)} />`);
  return html`<div class="sum"><${Part} n=${totals.received} text=${t('stat.received')} /><${Sign}>=<//>${parts(['stored', 'rejected', 'duplicate'])}</div>
    <div class="sum"><${Part} n=${totals.outcomes} text=${t('stat.outcomes')} /><${Sign}>=<//>
      ${parts(['released', 'held', 'withheld', 'unattributed'])}</div>
    <p class=${balanced ? 'quiet' : 'notice bad'}>${t(balanced ? 'today.balanced' : 'today.unbalanced')}</p>`;
}
const links = {
  released: (since) => `/reports?effect=release&since=${since}`,
  held: () => '/held',
  withheld: (since) => `/reports?effect=withhold&since=${since}`,
  unattributed: (since) => `/reports?unattributed=true&since=${since}`,
};

// Counts of NAME by KEY.
function by(items, name, key) {
  const sums = new Map();
  for (const item of items) if (item.name === name && item[key]) sums.set(item[key], (sums.get(item[key]) ?? 0) + item.count);
  return [...sums].map(([id, count]) => ({id, count})).sort((a, b) => b.count - a.count);
}
function Days({since, first}) {
  const stats = useData('statistics', {since, by: 'day'});
  useTold('counts', often, [stats]);
  const items = stats.data?.items ?? [];
  const columns = [{id: 'day', label: t('day'), cell: (row) => html`<time dateTime=${row.day}>${day(row.day)}</time>`},
    ...['received', 'stored', 'released', 'held', 'withheld', 'unattributed'].map((id) => ({id, label: word('stat', id), number: true}))];
  const rows = useMemo(() => {
    const days = new Map();
    for (let at = first; at <= Date.now(); at += dayMs) {
      const text = new Date(at).toISOString().slice(0, 10);
      days.set(text, {day: text, ...Object.fromEntries(columns.slice(1).map((c) => [c.id, 0]))});
    }
    for (const item of items) if (days.has(item.day) && item.name in days.get(item.day)) days.get(item.day)[item.name] += item.count;
    return [...days.values()];
  }, [stats.data, first]);
  return html`<${Failure} error=${stats.error} retry=${stats.reload} /><${Bars} rows=${rows} /><details><summary>${t('as.table')}</summary>
    <${Table} name="days" caption=${t('today.days')} columns=${columns} rows=${[...rows].reverse()} id=${(row) => row.day} /></details>`;
}
function Bars({rows}) {
  const most = Math.max(1, ...rows.map((row) => row.released + row.held + row.withheld + row.unattributed));
  const step = 700 / rows.length;
  const bar = (row, i) => {
    let y = 150;
    return [['bar1', row.released], ['bar2', row.held], ['bar3', row.withheld + row.unattributed]].map(([kind, n]) => {
      const high = (n / most) * 140;
      y -= high;
      return html`<rect class=${kind} x=${20 + i * step + step * 0.1} y=${y} width=${step * 0.8} height=${high} />`;
    });
  };
  return html`<svg class="chart" viewBox="0 0 740 170" role="img" aria-label=${t('today.days')}>
    <line class="axis" x1="20" x2="720" y1="150" y2="150" />${rows.map(bar)}
    <text x="20" y="166">${day(rows[0]?.day ?? Date.now())}</text><text x="720" y="166" text-anchor="end">${day(rows.at(-1)?.day ?? Date.now())}</text>
    <text x="20" y="10">${number(most)}</text></svg>
    <p class="quiet">${[['bar1', ['released']], ['bar2', ['held']], ['bar3', ['withheld', 'unattributed']]].map(([kind, names]) =>
      html`<span><span class="key ${kind}"></span>${names.map((name) => word('stat', name)).join(', ')} ${' '}</span>`)}</p>`;
}
function Top({title, label, rows, cell, count, name}) {
  const most = Math.max(1, ...rows.map((row) => row.count));
  const columns = [{id: 'id', label, cell}, {id: 'count', label: t('count'), number: true, cell: count},
    {id: 'share', label: html`<span class="hidden">${t('share')}</span>`, value: (row) => row.count / most,
      cell: (row) => html`<svg class="meter" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="bar1" width=${(100 * row.count) / most} height="8" /></svg>`}];
  return html`<${Table} name=${name} caption=${title} columns=${columns} rows=${rows.slice(0, 10)} id=${(row) => row.id} />`;
}
function Waiting() {
  const held = useData('held', {limit: 5});
  return html`<section class="panel"><h2><a href="/held">${t('today.waiting')}</a> ${held.data && html`<span class="count">${number(held.data.waiting)}</span>`}</h2>
    <${Failure} error=${held.error} retry=${held.reload} />
    ${held.data && (held.data.items.length ? html`<ul>${held.data.items.map((item) => html`<li><a href="/reports/${item.report}">${item.classification ?? item.report}</a>${arrow()}<${Team} id=${item.team} />
      <div class="quiet">${word('reason', item.reason)} <${Time} at=${item.since} /></div></li>`)}</ul>`
    : html`<p class="quiet">${t('today.nothing')}</p>`)}</section>`;
}
function Node({status}) {
  if (!status) return null;
  return html`<section class="panel"><h2><a href="/operations">${t('today.way')}</a></h2><div class="sum">
    <${Part} n=${status.due} text=${t('queue.due')} /><${Part} n=${status.waiting} text=${t('queue.waiting')} />
    <${Part} n=${status.delivered} text=${t('queue.delivered')} /><${Part} n=${status.failed} text=${t('queue.failed')} />
    ${status.own > 0 && html`<${Part} n=${status.own} text=${t('queue.own')} />`}</div>
    ${status.sandbox === false && html`<div class="notice bad">${t('node.open')}</div>`}
    ${status.clock_trusted === false && html`<div class="notice bad">${t('node.clock')}</div>`}</section>`;
}
const largest = (rows, way) => rows.filter((row) => row[way] > 0).map((row) => ({id: row.team, count: row[way]})).sort((a, b) => b.count - a.count);

export default function Today() {
  const {days, first, since} = usePeriod('1');
  const stats = useData('statistics', {since, by: 'classification'});
  const status = useData('status');
  const flows = useFlows(since);
  useTold('counts', often, [stats, status]);
  const items = stats.data?.items;
  const reports = (row, query) => html`<a href=${`/reports?${new URLSearchParams({...query, since})}`}>${number(row.count)}</a>`;
  return html`<${Page} title=${t('page.today')} actions=${html`<${Periods} path="/" days=${days} />`}>
    <${Failure} error=${stats.error ?? status.error} retry=${stats.reload} />${!items && html`<${Busy} when=${stats.loading} />`}
    ${items && html`<section class="panel"><h2>${t('today.balance')}</h2><${Balance} ...${stats.data} since=${since} />
      ${days !== '1' && html`<${Days} since=${since} first=${first} />`}</section>`}
    <div class="grid"><${Waiting} /><${Node} status=${status.data} /></div>
    <${Flows} flows=${flows} days=${days} />
    <div class="grid"><${Top} name="senders" title=${t('today.senders')} label=${t('filter.sender')} rows=${largest(flows.others, 'in')} cell=${(row) => html`<${Team} id=${row.id} />`}
        count=${(row) => reports(row, {sender: row.id})} />
      <${Top} name="recipients" title=${t('today.recipients')} label=${t('recipient')} rows=${largest(flows.others, 'out')} cell=${(row) => html`<${Team} id=${row.id} />`}
        count=${(row) => reports(row, {team: row.id, effect: 'release'})} />
      ${items && html`<${Top} name="classifications" title=${t('today.kinds')} label=${t('classification')} rows=${by(items, 'outcomes', 'classification')}
        cell=${(row) => html`<a href=${`/reports?${new URLSearchParams({classification: row.id, since})}`}>${row.id}</a>`} />`}</div><//>`;
}
