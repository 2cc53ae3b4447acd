// Which reports are there?
import {html, useState, useEffect} from '../lib/htm.js';
import {t, economies, economy, asset} from '../i18n.js';
import {all} from '../api.js';
import {useQuery} from '../router.js';
import {useList, Failure, Busy, Page, Table, More, Time, Side, Tag, Team, Field, Choice} from '../ui.js';

const texts = ['address', 'name', 'asn', 'team', 'sender', 'provider', 'delivery'];
const filters = [...texts, 'economy', 'classification', 'effect', 'unattributed', 'since', 'until'];
export const pick = (query) => Object.fromEntries(filters.filter((name) => query[name]).map((name) => [name, query[name]]));

// datetime-local has no zone: the reader's.
const local = (at) => (Date.parse(at) ? new Date(new Date(at) - new Date(at).getTimezoneOffset() * 60000).toISOString().slice(0, 16) : '');
const instant = (text) => (text ? new Date(text).toISOString() : '');

function Filters({query, set}) {
  const [draft, write] = useState(query);
  const [classes, know] = useState([]);
  useEffect(() => write(query), [JSON.stringify(query)]);
  useEffect(() => { asset('classifications.json').then(know, () => {}); }, []);
  const change = (name) => (value) => write({...draft, [name]: value});
  const submit = (event) => {
    event.preventDefault();
    set(Object.fromEntries(filters.map((name) => [name, draft[name]?.trim()])));
  };
  return html`<form class="panel" onSubmit=${submit} aria-label=${t('filter')}><div class="filters">
    ${texts.map((name) => html`<${Field} label=${t(`filter.${name}`)} value=${draft[name]} onInput=${change(name)} dir="auto" />`)}
    <${Choice} label=${t('economy')} any=${t('any')} value=${draft.economy} onInput=${change('economy')} options=${economies()} />
    <${Choice} label=${t('classification')} any=${t('any')} value=${draft.classification} onInput=${change('classification')}
      options=${classes.map(([group, type]) => [type, `${type} (${group})`])} />
    <${Choice} label=${t('verdict')} any=${t('any')} value=${draft.effect} onInput=${change('effect')}
      options=${['release', 'hold', 'withhold'].map((word) => [word, t(`effect.${word}`)])} />
    <${Field} label=${t('filter.since')} type="datetime-local" value=${local(draft.since)} onInput=${(v) => change('since')(instant(v))} />
    <${Field} label=${t('filter.until')} type="datetime-local" value=${local(draft.until)} onInput=${(v) => change('until')(instant(v))} />
    <label class="check"><input type="checkbox" checked=${draft.unattributed === 'true'}
      onChange=${(e) => change('unattributed')(e.target.checked ? 'true' : '')} />${t('filter.unattributed')}</label>
    <div class="row"><button class="main">${t('find')}</button><a class="button" href="/reports">${t('filter.none')}</a></div></div></form>`;
}
const places = (side) => side && [side.address, side.name, side.asn && `AS${side.asn}`, side.economy].filter(Boolean).join(' ');
const columns = () => [
  {id: 'received', label: t('received'), cell: (row) => html`<a href="/reports/${row.id}"><${Time} at=${row.received} /></a>`},
  {id: 'id', hidden: true},
  {id: 'classification', label: t('classification')},
  {id: 'source', label: t('source'), value: (row) => places(row.source), cell: (row) => html`<${Side} of=${row.source} />`},
  {id: 'destination', label: t('destination'), value: (row) => places(row.destination), cell: (row) => html`<${Side} of=${row.destination} />`},
  {id: 'outcomes', label: t('verdict'), value: (row) => row.outcomes.map((one) => `${one.team ?? '-'}:${one.effect}`),
    cell: (row) => row.outcomes.map((one) => html`<div><${Team} id=${one.team} /> <${Tag} kind="effect" value=${one.effect} /></div>`)},
  {id: 'tlp', label: 'TLP'}, {id: 'provider', label: t('provider')},
  {id: 'time', label: t('observed'), cell: (row) => html`<${Time} at=${row.time} />`}];

export default function Reports() {
  const [query, set] = useQuery();
  const asked = pick(query);
  const list = useList('reports', {...asked, limit: 25});
  const title = asked.economy ? `${t('page.reports')}: ${economy(asked.economy)}` : t('page.reports');
  return html`<${Page} title=${title}><${Filters} query=${asked} set=${set} />
    <${Failure} error=${list.error} retry=${list.reload} /><${Busy} when=${list.busy} />
    <${Table} name="reports" caption=${t('page.reports')} hideCaption columns=${columns()} rows=${list.items} id=${(row) => row.id}
      fetchAll=${(tell) => all('reports', asked, 50000, tell)}><${More} list=${list} /><//><//>`;
}
