// Which counters and gauges does monitoring get?
import {html, useState, useEffect} from '../lib/htm.js';
import {t, number} from '../i18n.js';
import {Problem} from '../api.js';
import {useQuery} from '../router.js';
import {Failure, Busy, Page, Table, Filter, Code, Time} from '../ui.js';
import {OperationsTabs} from './operations.js';

// Prometheus' text format, 0.0.4, as far as the node writes it: "# HELP name text", "name{labels} value".
function read(text) {
  const meaning = {};
  const rows = [];
  for (const line of text.split('\n')) {
    const help = line.match(/^# HELP (\S+) (.*)$/);
    const value = line.match(/^([a-z_]+)(?:\{(.*)\})? (\S+)$/);
    if (help) meaning[help[1]] = help[2];
    else if (value) rows.push({name: value[1], labels: value[2] ?? '', value: Number(value[3]), meaning: meaning[value[1]] ?? ''});
  }
  return rows;
}
async function fetchFigures() {
  const answer = await fetch('/metrics').catch(() => { throw new Problem(0); });
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  return read(await answer.text());
}
const isTime = (row) => row.name.endsWith('_seconds') && row.value > 1e9; // since 1970
const columns = () => [{id: 'name', label: t('name'), cell: (row) => html`<${Code}>${row.name}<//>`},
  {id: 'labels', label: t('figures.labels'), cell: (row) => html`<${Code}>${row.labels}<//>`},
  {id: 'value', label: t('figures.value'), number: true, cell: (row) => (isTime(row) ? html`<${Time} at=${new Date(row.value * 1000).toISOString()} />` : number(row.value))},
  {id: 'meaning', label: t('figures.meaning'), cell: (row) => html`<span lang="en" dir="ltr">${row.meaning}</span>`}];

export default function Figures() {
  const [query] = useQuery();
  const [state, put] = useState({busy: true});
  const load = () => { put({busy: true}); fetchFigures().then((rows) => put({rows}), (error) => put({error})); };
  useEffect(load, []);
  const wanted = (query.text ?? '').toLowerCase();
  const rows = (state.rows ?? []).filter((row) => `${row.name} ${row.labels} ${row.meaning}`.toLowerCase().includes(wanted));
  return html`<${Page} title=${t('page.figures')} actions=${html`<${OperationsTabs} at="figures" />`}>
    <${Filter} name="text" label=${t('log.text')} title=${t('filter')}><button type="button" onClick=${load}>${t('again')}</button><//>
    <p class="quiet">${t('figures.text')} <a href="/metrics">/metrics</a></p>
    <${Failure} error=${state.error} retry=${load} /><${Busy} when=${state.busy} />
    ${state.rows && html`<${Table} name="figures" caption=${t('page.figures')} hideCaption sorts columns=${columns()} rows=${rows} id=${(row) => row.name + row.labels} />`}<//>`;
}
