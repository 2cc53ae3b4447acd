// Your own account: password, tokens, how the console looks and listens.
import {html, useState} from '../lib/htm.js';
import {t, kept, keep} from '../i18n.js';
import {ask, session} from '../api.js';
import {useData, Failure, Page, Facts, Table, Time, Dialog, Code, note} from '../ui.js';
import {Languages, Theme} from '../shell.js';
import {PasswordForm} from '../sign_in.js';

function Tokens() {
  const got = useData('tokens');
  const [state, set] = useState({});
  const add = async (event) => {
    event.preventDefault();
    const form = event.target;
    try {
      set({token: (await ask('POST', 'tokens', {body: {label: new FormData(form).get('label')}})).token});
      form.reset();
      got.reload();
    } catch (error) { set({error}); }
  };
  const remove = async () => {
    try {
      await ask('DELETE', `tokens/${state.removing.number}`);
      set({});
      got.reload();
    } catch (error) { set({error}); }
  };
  const columns = [{id: 'label', label: t('token.label')}, {id: 'created', label: t('token.created'), cell: (row) => html`<${Time} at=${row.created} />`},
    {id: 'expires', label: t('until'), cell: (row) => html`<${Time} at=${row.expires} />`},
    {id: 'number', label: t('number'), cell: (row) => html`${row.number} <button class="plain" onClick=${() => set({removing: row})}>${t('token.remove')}
      <span class="hidden">${row.label}</span></button>`}];
  return html`<${Failure} error=${got.error ?? state.error} />
    <${Table} name="tokens" caption=${t('tokens')} columns=${columns} rows=${got.data?.items ?? []} id=${(row) => row.number} />
    <form class="row" onSubmit=${add}><label>${t('token.label')}<input name="label" required maxLength="200" dir="auto" /></label><button>${t('token.new')}</button></form>
    ${state.token && html`<${Dialog} title=${t('token.new')} close=${() => set({})}><p>${t('account.once')}</p><p><${Code}>${state.token}<//></p>
      <button class="main" onClick=${() => set({})}>${t('close')}</button><//>`}
    ${state.removing && html`<${Dialog} title=${t('token.remove')} close=${() => set({})}><p>${t('token.sure')} <strong dir="auto">${state.removing.label}</strong></p>
      <div class="row"><button class="bad" onClick=${remove}>${t('token.remove')}</button><button onClick=${() => set({})}>${t('cancel')}</button></div><//>`}`;
}
export default function Account() {
  const [keys, set] = useState(kept('keys', 'on') !== 'off');
  const flip = (event) => {
    keep('keys', event.target.checked ? 'on' : 'off');
    set(event.target.checked);
  };
  const me = session();
  return html`<${Page} title=${t('page.account')}><div class="grid"><section class="panel"><h2 dir="auto">${me.name}</h2>
    <${Facts} of=${[[t('team.kind'), t(`kind.${me.kind}`)], [t('team'), me.team], [t('language'), html`<${Languages} />`], [t('theme'), html`<${Theme} />`]]} />
    <p><label class="check"><input type="checkbox" checked=${keys} onChange=${flip} />${t('key.use')}</label></p></section>
    <section class="panel"><h2>${t('password.change')}</h2><${PasswordForm} done=${() => note(t('password.changed'))} /></section></div><${Tokens} /><//>`;
}
