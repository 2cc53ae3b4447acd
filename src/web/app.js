// What is shown: the sign-in, or the page that the path names.
import {html, render, useState, useEffect} from './lib/htm.js';
import {speak, wanted, t} from './i18n.js';
import {resume, session, watchSession} from './api.js';
import {useLocation} from './router.js';
import {Failure, Busy, Page} from './ui.js';
import {Shell, dress} from './shell.js';
import {SignIn, FirstPassword} from './sign_in.js';

// The paths stand in edge/console.c too.
const routes = [
  [/^\/$/, () => import('./pages/today.js')],
  [/^\/reports$/, () => import('./pages/reports.js')],
  [/^\/reports\/([^/]+)$/, () => import('./pages/report.js')],
  [/^\/held$/, () => import('./pages/held.js')],
  [/^\/teams$/, () => import('./pages/teams.js')],
  [/^\/teams\/([^/]+)$/, () => import('./pages/team.js')],
  [/^\/teams\/([^/]+)\/waiting$/, () => import('./pages/waiting.js')],
  [/^\/teams\/([^/]+)\/card$/, () => import('./pages/card.js')],
  [/^\/agreements$/, () => import('./pages/agreements.js')],
  [/^\/agreements\/new$/, () => import('./pages/draft.js')],
  [/^\/agreements\/([^/]+)$/, () => import('./pages/agreement.js')],
  [/^\/partners$/, () => import('./pages/partners.js')],
  [/^\/partners\/([^/]+)$/, () => import('./pages/partner.js')],
  [/^\/receipts$/, () => import('./pages/receipts.js')],
  [/^\/ledger$/, () => import('./pages/ledger.js')],
  [/^\/ledger\/proof$/, () => import('./pages/proof.js')],
  [/^\/ledger\/(\d+)$/, () => import('./pages/entry.js')],
  [/^\/economies$/, () => import('./pages/economies.js')],
  [/^\/economies\/([^/]+)$/, () => import('./pages/economy.js')],
  [/^\/operations$/, () => import('./pages/operations.js')],
  [/^\/operations\/log$/, () => import('./pages/log.js')],
  [/^\/operations\/mail$/, () => import('./pages/mail.js')],
  [/^\/operations\/figures$/, () => import('./pages/figures.js')],
  [/^\/account$/, () => import('./pages/account.js')],
];
const load = async (path) => {
  for (const [pattern, get] of routes) {
    const found = path.match(pattern);
    if (found) return {path, View: (await get()).default, id: found[1] && decodeURIComponent(found[1])};
  }
  return {path, View: () => html`<${Page} title=${t('error.missing')}><p><a href="/">${t('page.today')}</a></p><//>`};
};
// A part that is not there any more belongs to a program that was replaced: take the new one, once.
function renew(error) {
  if (sessionStorage.getItem('renewed')) return error;
  sessionStorage.setItem('renewed', '1');
  location.reload();
  return undefined;
}
function View() {
  const {path} = useLocation();
  const [shown, show] = useState();
  useEffect(() => {
    let wanted_ = true;
    load(path).then((next) => wanted_ && show(next), (error) => wanted_ && renew(error) && show({path, error}));
    return () => { wanted_ = false; };
  }, [path]);
  if (shown?.error) return html`<${Failure} error=${shown.error} retry=${() => location.reload()} />`;
  return shown?.path === path ? html`<${shown.View} key=${path} id=${shown.id} />` : html`<${Busy} when=${true} />`;
}
function App() {
  const [, turn] = useState(0);
  useEffect(() => {
    const again = () => turn((n) => n + 1);
    addEventListener('spoken', again);
    const stop = watchSession(again);
    return () => { removeEventListener('spoken', again); stop(); };
  }, []);
  if (!session()) return html`<${SignIn} />`;
  if (session().must_change) return html`<${FirstPassword} />`;
  return html`<${Shell} key=${document.documentElement.lang}><${View} /><//>`;
}

const root = document.getElementById('app');
dress();
try {
  await Promise.all([speak(wanted()), resume()]);
  render(html`<${App} />`, root);
} catch (error) {
  render(html`<main class="sign panel"><${Failure} error=${error} retry=${() => location.reload()} /></main>`, root);
}
