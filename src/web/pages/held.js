// What waits for a person, and what do you decide?
import {html, useState, useEffect} from '../lib/htm.js';
import {t, number, word} from '../i18n.js';
import {ask, all, may, pathOf} from '../api.js';
import {useQuery} from '../router.js';
import {useList, Failure, Busy, Page, Tabs, Table, More, Time, Side, Tag, Team, Dialog, Reason, Filter, note} from '../ui.js';

const states = ['waiting', 'released', 'refused'];
const most = 1000; // numbers that one request takes

function Decide({what, numbers, close, done}) {
  const [state, set] = useState({});
  const submit = async (event) => {
    event.preventDefault();
    const reason = new FormData(event.target).get('reason');
    const told = {decided: [], conflicts: [], missing: []};
    set({busy: true, at: 0});
    try {
      for (let at = 0; at < numbers.length; at += most) {
        const part = await ask('POST', `held/${what}`, {body: {numbers: numbers.slice(at, at + most), reason}});
        for (const key of Object.keys(told)) told[key].push(...part[key]);
        set({busy: true, at: at + most});
      }
      done(told);
    } catch (error) { set({error}); }
  };
  return html`<${Dialog} title=${t(`held.${what}.title`, {n: number(numbers.length)})} close=${close}>
    <p>${t(`held.${what}.text`)}</p><form class="stack" onSubmit=${submit}>
      <${Reason} />
      <${Failure} error=${state.error} />${state.busy && html`<progress max=${numbers.length} value=${state.at} aria-label=${t('loading')} />`}
      <div class="row"><button class=${what === 'release' ? 'main' : 'bad'} disabled=${state.busy}>${t(`held.${what}`)}</button>
        <button type="button" onClick=${close}>${t('cancel')}</button></div></form><//>`;
}
const columns = (decided) => [
  {id: 'number', label: t('number'), cell: (row) => html`<a href="/reports/${row.report}">${row.number}</a>`},
  {id: 'since', label: t('since'), cell: (row) => html`<${Time} at=${row.since} />`},
  {id: 'team', label: t('recipient'), cell: (row) => html`<${Team} id=${row.team} />`},
  {id: 'classification', label: t('classification')},
  {id: 'source', label: t('source'), value: (row) => row.source?.address ?? row.source?.name, cell: (row) => html`<${Side} of=${row.source} />`},
  {id: 'destination', label: t('destination'), value: (row) => row.destination?.address ?? row.destination?.name,
    cell: (row) => html`<${Side} of=${row.destination} />`},
  {id: 'reason', label: t('held.why'), cell: (row) => word('reason', row.reason)},
  ...(decided ? [{id: 'decided', label: t('decided'), cell: (row) => html`<${Tag} kind="held" value=${row.state} /> <${Time} at=${row.decided} />`},
    {id: 'by', label: t('by')}, {id: 'why', label: t('reason')}] : [])];

export default function Held() {
  const [query] = useQuery();
  const [selected, select] = useState(new Set());
  const [deciding, decide] = useState();
  const state = states.includes(query.state) ? query.state : 'waiting';
  const asked = {state, team: query.team};
  const list = useList('held', {...asked, limit: 100});
  useEffect(() => select(new Set()), [state, query.team]);
  const decides = state === 'waiting' && may('release');
  const done = ({decided, conflicts, missing}) => {
    decide(null);
    select(new Set());
    list.reload();
    const others = conflicts.length + missing.length;
    note(`${t('held.done', {n: number(decided.length)})}${others ? ` ${t('held.faster', {n: number(others)})}` : ''}`);
  };
  const tabs = html`<${Tabs} label=${t('held.state')} at=${state}
    of=${states.map((one) => [one, pathOf('/held', {state: one === 'waiting' ? '' : one, team: query.team}), t(`held.${one}`)])} />`;
  return html`<${Page} title=${t('page.held')} actions=${tabs}>
    <${Filter} name="team" label=${t('filter.team')}>${decides && html`<span class="row" role="group" aria-label=${t('selected', {n: selected.size})}><span>${t('selected', {n: selected.size})}</span>
        <button type="button" class="main" disabled=${!selected.size} onClick=${() => decide('release')}>${t('held.release')}</button>
        <button type="button" class="bad" disabled=${!selected.size} onClick=${() => decide('refuse')}>${t('held.refuse')}</button></span>`}<//>
    ${state === 'waiting' && !may('release') && html`<p class="notice">${t('held.rights')}</p>`}
    <${Failure} error=${list.error} retry=${list.reload} /><${Busy} when=${list.busy} />
    <${Table} name="held" caption=${`${t('page.held')}: ${t(`held.${state}`)}`} hideCaption columns=${columns(state !== 'waiting')} rows=${list.items}
      id=${(row) => row.number} selected=${decides ? selected : undefined} select=${decides ? select : undefined}
      fetchAll=${(tell) => all('held', asked, 50000, tell)}><${More} list=${list} /><//>
    ${deciding && html`<${Decide} what=${deciding} numbers=${[...selected]} close=${() => decide(null)} done=${done} />`}<//>`;
}
