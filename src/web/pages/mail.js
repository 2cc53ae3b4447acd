// Which teams without a node are mailed, how does it go, and what would they get next?
import {html, useState} from '../lib/htm.js';
import {t, bytes} from '../i18n.js';
import {ask, may} from '../api.js';
import {useQuery} from '../router.js';
import {useData, Failure, Busy, Page, Table, Time, Team, Dialog, Form, Field, Choice, Code, FileDrop, download, note} from '../ui.js';
import {base64} from '../tlog.js';
import {OperationsTabs} from './operations.js';

const most = 262144; // bytes of a key that the API takes
const pathOf = (team) => `mail/${encodeURIComponent(team)}`;

function Change({row, close, done}) {
  const [draft, write] = useState({team: row?.team ?? '', address: row?.address ?? '', when: row?.when ?? 'daily'});
  const [state, set] = useState({});
  const take = async (file) => {
    if (file.size > most) set({wrong: true});
    else set({key: base64(new Uint8Array(await file.arrayBuffer())), name: file.name});
  };
  const act = async () => {
    await ask('PUT', pathOf(draft.team.trim()), {body: {address: draft.address.trim(), when: draft.when, ...(state.key ? {key: state.key} : {})}});
    note(t('mail.kept', {team: draft.team}));
    done();
  };
  return html`<${Form} title=${t(row ? 'mail.change' : 'mail.add')} text=${t('mail.add.text')} act=${act} close=${close}>
    <${Field} label=${t('team')} value=${draft.team} onInput=${(team) => write({...draft, team})} required maxLength="64" readOnly=${Boolean(row)} dir="ltr" />
    <${Field} label=${t('mail.address')} type="email" value=${draft.address} onInput=${(address) => write({...draft, address})} required maxLength="254" dir="ltr" />
    <${Choice} label=${t('mail.when')} value=${draft.when} onInput=${(when) => write({...draft, when})} options=${['daily', 'at-once'].map((one) => [one, t(`mail.when.${one}`)])} />
    <${FileDrop} label=${t('mail.key.file')} accept=".asc,.gpg,.pgp,.key" name=${state.name} take=${take} />
    ${state.wrong && html`<div class="notice bad" role="alert">${t('error.large')}</div>`}<//>`;
}
function Remove({team, close, done}) {
  const remove = async () => {
    await ask('DELETE', pathOf(team));
    note(t('mail.removed', {team}));
    done();
  };
  return html`<${Form} title=${t('mail.remove')} text=${html`${t('mail.remove.text')} <strong dir="auto">${team}</strong>`} act=${remove} close=${close} bad />`;
}
function Try({team, close}) {
  const [state, set] = useState({});
  const make = async () => {
    set({busy: true});
    try { set({message: (await ask('POST', `${pathOf(team)}/test`)).message}); } catch (error) { set({error}); }
  };
  return html`<${Dialog} title=${t('mail.try')} close=${close}><p>${t('mail.try.text')} <strong dir="auto">${team}</strong></p><${Failure} error=${state.error} />
    ${state.message && html`<pre class="mono" dir="ltr" tabIndex="0">${state.message}</pre>`}
    <div class="row">${state.message ? html`<button class="main" onClick=${() => download(`${team}.eml`, 'message/rfc822', state.message)}>${t('mail.save')}</button>`
      : html`<button class="main" disabled=${state.busy} onClick=${make}>${t('mail.try')}</button>`}<button onClick=${close}>${t('close')}</button></div><//>`;
}
const mailColumns = () => [
  {id: 'made', label: t('mail.made'), cell: (row) => html`<${Time} at=${row.made} />`},
  {id: 'state', label: t('node.state'), value: (row) => row.state, cell: (row) => html`<span class="tag ${{accepted: 'good', refused: 'bad'}[row.state] ?? 'wait'}">${t(`mail.state.${row.state}`)}</span>`},
  {id: 'reports', label: t('page.reports'), number: true}, {id: 'bytes', label: t('mail.size'), number: true, cell: (row) => bytes(row.bytes)},
  {id: 'encrypted', label: t('mail.encrypted'), value: (row) => row.encrypted, cell: (row) => t(row.encrypted ? 'yes' : 'no')},
  {id: 'address', label: t('mail.address'), cell: (row) => html`<${Code}>${row.address}<//>`},
  {id: 'accepted', label: t('mail.accepted'), cell: (row) => html`<${Time} at=${row.accepted} />`},
  {id: 'tries', label: t('mail.tries'), number: true}, {id: 'next', label: t('way.again'), value: (row) => (row.state === 'ready' ? row.next : ''), cell: (row) => html`<${Time} at=${row.state === 'ready' && row.next} />`},
  {id: 'said', label: t('mail.said'), value: (row) => [row.code, row.said].filter(Boolean).join(' '), cell: (row) => html`<span lang="en" dir="auto">${row.code} ${row.said}</span>`},
  {id: 'batch', label: t('receipt.batch'), cell: (row) => html`<${Code}>${row.batch}<//>`}, {id: 'message_id', hidden: true}];
function Mails({team}) {
  const got = useData('mail', {team});
  return html`<${Failure} error=${got.error} retry=${got.reload} />${!got.data && html`<${Busy} when=${got.loading} />`}
    ${got.data && html`<${Table} name=${`mails-${team}`} caption=${t('mail.mails', {team})} columns=${mailColumns()} rows=${got.data.items[0]?.mails ?? []} id=${(row) => row.batch} />`}`;
}
const columns = (choose) => [
  {id: 'team', label: t('team'), cell: (row) => html`<${Team} id=${row.team} />`},
  {id: 'address', label: t('mail.address'), cell: (row) => html`<${Code}>${row.address}<//>`},
  {id: 'when', label: t('mail.when'), value: (row) => row.when, cell: (row) => t(`mail.when.${row.when}`)},
  {id: 'fingerprint', label: t('mail.key'), cell: (row) => (row.fingerprint ? html`<${Code}>${row.fingerprint}<//>` : html`<span class="tag wait">${t('mail.nokey')}</span>`)},
  {id: 'stopped', label: t('node.state'), value: (row) => row.stopped ?? row.unsent ?? '', cell: (row) => (row.stopped
    ? html`<span class="tag bad">${t('mail.stopped')}</span> <span lang="en" dir="auto">${row.stopped}</span>` : html`<span class="tag ${row.unsent ? 'wait' : 'good'}">${t(row.unsent ? 'mail.state.ready' : 'node.ok')}</span>`)},
  {id: 'next', label: t('mail.next'), cell: (row) => html`<${Time} at=${row.next} />`},
  {id: 'added', label: t('mail.added'), cell: (row) => html`<${Time} at=${row.added} /> <span class="quiet" dir="auto">${row.added_by}</span>`}, {id: 'added_by', hidden: true},
  {id: 'acts', label: t('mail.acts'), shown: true, cell: (row) => html`<a class="button" href=${`/operations/mail?${new URLSearchParams({team: row.team})}`}>${t('mail.list')}<span class="hidden"> ${row.team}</span></a>${
    [['try', 'mail.try'], ['set', 'mail.change'], ['remove', 'mail.remove']].map(([what, key]) => html` <button class="plain" onClick=${() => choose({what, row})}>${t(key)}<span class="hidden"> ${row.team}</span></button>`)}`}];

export default function Mail() {
  const [query, set] = useQuery();
  const got = useData('mail');
  const [open, choose] = useState();
  const close = () => choose(null);
  const done = () => { close(); got.reload(); };
  const rows = got.data?.items ?? [];
  const removed = () => { set({team: ''}, {replace: true}); done(); };
  return html`<${Page} title=${t('page.mail')} actions=${html`<${OperationsTabs} at="mail" />${may('operate') && html`<button class="main" onClick=${() => choose({what: 'set'})}>${t('mail.add')}</button>`}`}>
    <p class="quiet">${t('mail.text')}</p><${Failure} error=${got.error} retry=${got.reload} />${!got.data && html`<${Busy} when=${got.loading} />`}
    ${got.data && !got.data.on && html`<div class="notice">${t('mail.off')}</div>`}
    ${rows.some((row) => row.stopped) && html`<div class="notice bad">${t('mail.mend', {n: rows.filter((row) => row.stopped).length})}</div>`}
    <${Table} name="mail" caption=${t('page.mail')} hideCaption sorts columns=${columns(choose)} rows=${rows} id=${(row) => row.team} />
    ${query.team && html`<${Mails} key=${query.team} team=${query.team} />`}
    ${open?.what === 'set' && html`<${Change} row=${open.row} close=${close} done=${done} />`}
    ${open?.what === 'remove' && html`<${Remove} team=${open.row.team} close=${close} done=${removed} />`}
    ${open?.what === 'try' && html`<${Try} team=${open.row.team} close=${close} />`}<//>`;
}
