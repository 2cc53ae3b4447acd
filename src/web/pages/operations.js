// How is the node: health, processes, queues, other nodes, what is kept, accounts, settings?
import {html, useState} from '../lib/htm.js';
import {t, bytes, number} from '../i18n.js';
import {ask, may, session} from '../api.js';
import {useData, Failure, Busy, Page, Tabs, Facts, Table, Time, Team, Dialog, Field, Choice, Code, note} from '../ui.js';
import {wayColumns, queueColumns} from './partners.js';

const kinds = ['operator', 'officer', 'analyst', 'reader', 'partner'];
const soon = 30 * 86400000; // ms before a certificate's end

const tabs = [['operations', '/operations', 'read'], ['log', '/operations/log', 'operate'], ['mail', '/operations/mail', 'operate'], ['figures', '/operations/figures', 'read']];
export const OperationsTabs = ({at}) => html`<${Tabs} label=${t('page.operations')} at=${at} of=${tabs.filter(([, , right]) => may(right)).map(([name, to]) => [name, to, t(`page.${name}`)])} />`;

const left = (s) => (s.certificate_until ? new Date(s.certificate_until) - new Date(s.now) : Infinity);
function Warnings({s}) {
  return html`${s.why && html`<div class="notice bad">${t('node.refuses')} <span lang="en" dir="auto">${s.why}</span></div>`}
    ${s.sandbox === false && html`<div class="notice bad">${t('node.open')}</div>`}${!s.clock_trusted && html`<div class="notice bad">${t('node.clock')}</div>`}
    ${left(s) < soon && html`<div class="notice ${left(s) < 0 ? 'bad' : ''}">${t('node.certificate.soon')}</div>`}`;
}
function Health({got}) {
  const s = got.data;
  return html`<section class="panel"><h2>${t('node.health')}</h2><${Failure} error=${got.error} retry=${got.reload} />${!s && html`<${Busy} when=${got.loading} />`}
    ${s && html`<${Warnings} s=${s} />
    <${Facts} of=${[[t('node.state'), html`<span class="tag ${s.ok ? 'good' : 'bad'}">${t(s.ok ? 'node.ok' : 'node.stopping')}</span>`],
      [t('node.version'), s.version], [t('node.team'), s.team ? html`<${Team} id=${s.team} />` : t('node.noteam')],
      [t('node.started'), html`<${Time} at=${s.started} />`], [t('node.now'), html`<${Time} at=${s.now} />`], [t('node.sandbox'), t(s.sandbox ? 'yes' : 'no')],
      [t('node.clock.trusted'), t(s.clock_trusted ? 'yes' : 'no')], [t('node.certificate'), s.certificate_until && html`<${Time} at=${s.certificate_until} />`],
      [t('page.teams'), number(s.teams)], [t('page.agreements'), number(s.agreements)], [t('page.held'), number(s.held)],
      [t('queue.oldest'), s.oldest && html`<${Time} at=${s.oldest} />`],
      [t('node.metrics'), html`<a href="/metrics">/metrics</a>`], ['API', html`<a href="/api/v1/openapi.json">/api/v1/openapi.json</a>`]]} />`}</section>`;
}
const roleTones = {ready: 'good', starting: 'wait', stopping: 'wait'};
function Roles({s}) {
  const columns = [{id: 'role', label: t('node.role'), cell: (row) => html`<a href=${`/operations/log?${new URLSearchParams({role: row.role})}`}><${Code}>${row.role}<//></a>`},
    {id: 'state', label: t('node.state'), value: (row) => row.state, cell: (row) => html`<span class="tag ${roleTones[row.state] ?? ''}">${t(`node.role.${row.state}`)}</span>`},
    {id: 'walls', label: t('node.walls'), value: (row) => row.walls, cell: (row) => (row.state === 'ready' ? html`<span class="tag ${row.walls ? 'good' : 'bad'}">${t(row.walls ? 'yes' : 'no')}</span>` : '–')},
    {id: 'since', label: t('since'), cell: (row) => html`<${Time} at=${row.since} />`},
    {id: 'died', label: t('node.died'), number: true}, {id: 'pid', label: 'PID', cell: (row) => row.pid ?? '–'}];
  return html`<${Table} name="roles" caption=${t('node.roles')} columns=${columns} rows=${s.roles ?? []} id=${(row) => row.role} />`;
}
const days = (seconds) => (seconds == null ? t('node.forever') : t('days', {n: Math.round(seconds / 86400)}));
function Kept({s}) {
  const r = s.retention;
  return html`<section class="panel"><h2>${t('node.retention')}</h2>${r.clock_jumped && html`<div class="notice">${t('node.jumped')}</div>`}
    <${Facts} of=${[[t('node.storage'), bytes(s.store_bytes)], [t('node.unused'), bytes(s.unused_bytes)], [t('node.room'), s.free_bytes !== undefined && bytes(s.free_bytes)],
      [t('node.keep.reports'), days(r.reports)], [t('node.keep.pieces'), days(r.pieces)], [t('node.keep.receipts'), days(r.receipts)],
      [t('node.removed'), number(r.removed)], [t('node.removed.receipts'), number(r.receipts_removed)], [t('node.removed.last'), html`<${Time} at=${r.last} />`]]} /></section>`;
}
const On = ({is}) => html`<span class="tag ${is ? 'good' : ''}">${t(is ? 'node.on' : 'node.off')}</span>`;
function Out({s}) {
  return html`<section class="panel"><h2>${t('node.out')}</h2>
    ${!s.courier && html`<p class="notice">${t('node.courier.off')}</p>`}
    <${Facts} of=${[[t('node.courier'), html`<${On} is=${s.courier} />`], [t('page.partners'), html`<a href="/partners">${number(s.links)}</a>`],
      [t('node.links.lost'), s.links_lost > 0 ? html`<span class="tag bad">${number(s.links_lost)}</span>` : number(0)],
      [t('receipts.open'), html`<a href="/receipts?show=open">${number(s.receipts_open)}</a>`],
      [t('page.mail'), may('operate') ? html`<a href="/operations/mail"><${On} is=${s.mail} /></a>` : html`<${On} is=${s.mail} />`],
      ...['mailed_teams', 'mails_waiting', 'mails_late', 'mails_stopped'].map((one) => [t(`node.${one}`), number(s[one])])]} /></section>`;
}
// Each way to each other node that does not work as it should.
function Links() {
  const got = useData('peers');
  const rows = (got.data?.items ?? []).flatMap((peer) => peer.ways.filter((way) => way.on).map((way) => ({team: peer.team, url: peer.url, ...way})));
  const columns = [{id: 'team', label: t('team'), cell: (row) => html`<a href="/partners/${encodeURIComponent(row.team)}" dir="auto">${row.team}</a>`},
    ...wayColumns()];
  return html`<${Failure} error=${got.error} retry=${got.reload} />
    <${Table} name="links" caption=${t('node.links')} sorts columns=${columns} rows=${rows} id=${(row) => `${row.team} ${row.way}`} />`;
}
function Queues() {
  const got = useData('outbox');
  const columns = [{id: 'team', label: t('recipient'), cell: (row) => html`<${Team} id=${row.team} />`}, {id: 'name', label: t('name')}, ...queueColumns()];
  return html`<${Failure} error=${got.error} retry=${got.reload} />
    <${Table} name="outbox" caption=${t('node.queues')} columns=${columns} sorts rows=${got.data?.items ?? []} id=${(row) => row.team} />`;
}
function Settings() {
  const got = useData('settings');
  const columns = [{id: 'name', label: t('name'), cell: (row) => html`<${Code}>${row.name}<//>`},
    {id: 'value', label: t('setting.value'), cell: (row) => html`<${Code}>${row.value}<//> ${row.set && html`<span class="tag">${t('setting.set')}</span>`}`},
    {id: 'default', label: t('setting.default'), cell: (row) => html`<${Code}>${row.default}<//>`},
    {id: 'applies', label: t('setting.applies'), value: (row) => row.applies, cell: (row) => t(`setting.${row.applies}`)},
    {id: 'text', label: t('note'), cell: (row) => html`<span lang="en" dir="ltr">${row.text}</span>`}];
  return html`<${Failure} error=${got.error} retry=${got.reload} />
    <${Table} name="settings" caption=${t('settings')} columns=${columns} rows=${got.data?.items ?? []} id=${(row) => row.name} />
    <p class="quiet">${t('node.settings')}</p>`;
}
function NewAccount({close, made}) {
  const [draft, write] = useState({kind: 'analyst'});
  const [state, set] = useState({});
  const submit = async (event) => {
    event.preventDefault();
    try {
      const body = {name: draft.name, kind: draft.kind, ...(draft.kind === 'partner' ? {team: draft.team} : {})};
      set({password: (await ask('POST', 'principals', {body})).password});
      made();
    } catch (error) { set({error}); }
  };
  if (state.password)
    return html`<${Dialog} title=${t('account.made', {name: draft.name})} close=${close}><p>${t('account.once')}</p><p><${Code}>${state.password}<//></p>
      <button class="main" onClick=${close}>${t('close')}</button><//>`;
  return html`<${Dialog} title=${t('account.new')} close=${close}><form class="stack" onSubmit=${submit}>
    <${Field} label=${t('name')} value=${draft.name} onInput=${(name) => write({...draft, name})} required maxLength="64" dir="ltr" />
    <${Choice} label=${t('team.kind')} value=${draft.kind} onInput=${(kind) => write({...draft, kind})} options=${kinds.map((one) => [one, t(`kind.${one}`)])} />
    ${draft.kind === 'partner' && html`<${Field} label=${t('team')} value=${draft.team} onInput=${(team) => write({...draft, team})} required dir="ltr" />`}
    <${Failure} error=${state.error} /><div class="row"><button class="main">${t('account.new')}</button>
    <button type="button" onClick=${close}>${t('cancel')}</button></div></form><//>`;
}
function Accounts() {
  const got = useData('principals');
  const [adding, add] = useState(false);
  const [error, fail] = useState();
  // Undone by the same button: no question before it.
  const flip = async (row) => {
    try {
      await ask('PATCH', `principals/${encodeURIComponent(row.name)}`, {body: {disabled: !row.disabled}});
      note(t(row.disabled ? 'account.enabled' : 'account.disabled', {name: row.name}), () => flip({...row, disabled: !row.disabled}));
      got.reload();
    } catch (problem) { fail(problem); }
  };
  const columns = [{id: 'name', label: t('name')}, {id: 'kind', label: t('team.kind'), value: (row) => row.kind, cell: (row) => t(`kind.${row.kind}`)},
    {id: 'team', label: t('team')}, {id: 'seen', label: t('account.seen'), cell: (row) => html`<${Time} at=${row.seen} />`},
    {id: 'disabled', label: t('node.state'), value: (row) => row.disabled, cell: (row) => html`<span class="tag ${row.disabled ? 'bad' : 'good'}">
      ${t(row.disabled ? 'account.off' : 'account.on')}</span> ${row.name !== session().name && html`<button class="plain" onClick=${() => flip(row)}>
      ${t(row.disabled ? 'account.enable' : 'account.disable')} <span class="hidden">${row.name}</span></button>`}`}];
  return html`<${Failure} error=${got.error ?? error} retry=${got.reload} />
    <${Table} name="accounts" caption=${t('accounts')} columns=${columns} rows=${got.data?.items ?? []} id=${(row) => row.name}>
      <button onClick=${() => add(true)}>${t('account.new')}</button><//>${adding && html`<${NewAccount} close=${() => add(false)} made=${got.reload} />`}`;
}
export default function Operations() {
  const status = useData('status');
  const s = status.data;
  return html`<${Page} title=${t('page.operations')} actions=${html`<${OperationsTabs} at="operations" />`}><div class="grid"><${Health} got=${status} />
    ${s && html`<div><${Out} s=${s} /><${Kept} s=${s} /></div>`}</div>
    ${s && html`<${Roles} s=${s} />`}<${Queues} /><${Links} />${may('operate') && html`<${Accounts} /><${Settings} />`}<//>`;
}
