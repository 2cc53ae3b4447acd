// Who are you? And a password that was told once must be changed.
import {html, useState} from './lib/htm.js';
import {t} from './i18n.js';
import {signIn, signOut, changePassword, session, ended} from './api.js';
import {Failure, Page} from './ui.js';
import {Languages} from './shell.js';

export const SHORTEST = 12;

function useForm(act) {
  const [state, set] = useState({});
  const submit = async (event) => {
    event.preventDefault();
    set({busy: true});
    try {
      await act(Object.fromEntries(new FormData(event.target)));
      set({done: true});
    } catch (error) { set({error}); }
  };
  return {...state, submit};
}
export function SignIn() {
  const form = useForm(({name, password}) => signIn(name, password));
  const wrong = form.error?.status === 401;
  return html`<main class="sign panel"><${Page} title=${t('sign.in')} actions=${html`<${Languages} />`}>
    ${ended() && html`<div class="notice" role="status">${t('sign.over')}</div>`}<form class="stack" onSubmit=${form.submit}>
      <label>${t('name')}<input name="name" autocomplete="username" required dir="ltr" /></label>
      <label>${t('password')}<input name="password" type="password" autocomplete="current-password" required dir="ltr" /></label>
      ${wrong ? html`<div class="notice bad" role="alert">${t('sign.wrong')}</div>` : html`<${Failure} error=${form.error} />`}
      <button class="main" disabled=${form.busy}>${t('sign.in')}</button>
      <p class="quiet">${t('sign.first')}</p>
    </form><//></main>`;
}
export function PasswordForm({done}) {
  const form = useForm(async ({current, password, again}) => {
    if (password !== again) throw Object.assign(new Error(t('password.differ')), {status: -1});
    await changePassword(current, password);
    done?.();
  });
  return html`<form class="stack" onSubmit=${form.submit}>
    <input type="hidden" autocomplete="username" value=${session().name} />
    <label>${t('password.current')}<input name="current" type="password" autocomplete="current-password" required dir="ltr" /></label>
    <label>${t('password.new')}<input name="password" type="password" autocomplete="new-password" required minLength=${SHORTEST} dir="ltr" /></label>
    <label>${t('password.again')}<input name="again" type="password" autocomplete="new-password" required dir="ltr" /></label>
    <${Failure} error=${form.error} />
    <button class="main" disabled=${form.busy}>${t('password.change')}</button></form>`;
}
export function FirstPassword() {
  return html`<main class="sign panel"><${Page} title=${t('password.change')} actions=${html`<${Languages} />`}>
    <p>${t('password.first')}</p><${PasswordForm} />
    <p><button class="plain" onClick=${() => signOut()}>${t('sign.out')}</button></p><//></main>`;
}
