// How is the node: health, queues, accounts?
import {html, useState} from '../lib/htm.js';
import {t, bytes} from '../i18n.js';
import {ask, may, session} from '../api.js';
import {useData, Failure, Busy, Page, Facts, Table, Time, Team, Dialog, Field, Choice, Code, note} from '../ui.js';

const kinds = ['operator', 'officer', 'analyst', 'reader', 'partner'];

function Health() {
  const got = useData('status');
  const s = got.data;
  return html`<section class="panel"><h2>${t('node.health')}</h2><${Failure} error=${got.error} retry=${got.reload} />${!s && html`<${Busy} when=${got.loading} />`}
    ${s && html`${s.sandbox === false && html`<div class="notice bad">${t('node.open')}</div>`}${!s.clock_trusted && html`<div class="notice bad">${t('node.clock')}</div>`}
    <${Facts} of=${[[t('node.state'), html`<span class="tag ${s.ok ? 'good' : 'bad'}">${t(s.ok ? 'node.ok' : 'node.stopping')}</span>`],
      [t('node.version'), s.version], [t('node.team'), s.team ? html`<${Team} id=${s.team} />` : t('node.noteam')],
      [t('node.started'), html`<${Time} at=${s.started} />`], [t('node.sandbox'), t(s.sandbox ? 'yes' : 'no')],
      [t('node.clock.trusted'), t(s.clock_trusted ? 'yes' : 'no')], [t('page.teams'), s.teams], [t('page.agreements'), s.agreements],
      [t('page.held'), s.held], [t('node.storage'), s.store_bytes !== undefined && bytes(s.store_bytes)], [t('node.room'), s.free_bytes !== undefined && bytes(s.free_bytes)],
      [t('queue.oldest'), s.oldest && html`<${Time} at=${s.oldest} />`],
      [t('node.metrics'), html`<a href="/metrics">/metrics</a>`], ['API', html`<a href="/api/v1/openapi.json">/api/v1/openapi.json</a>`]]} />`}</section>`;
}
function Queues() {
  const got = useData('outbox');
  const columns = [{id: 'team', label: t('recipient'), cell: (row) => html`<${Team} id=${row.team} />`}, {id: 'name', label: t('name')},
    ...['due', 'waiting', 'delivered', 'failed'].map((id) => ({id, label: t(`queue.${id}`), number: true})),
    {id: 'oldest', label: t('queue.oldest'), cell: (row) => html`<${Time} at=${row.oldest} />`}];
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
      note(t(row.disabled ? 'account.enabled' : 'account.disabled', {name: row.name}));
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
  return html`<${Page} title=${t('page.operations')}><${Health} /><${Queues} />${may('operate') && html`<${Accounts} /><${Settings} />`}<//>`;
}
