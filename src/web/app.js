// What is shown: the sign-in, or the page that the path names.
import {html, render, useState, useEffect, useErrorBoundary} from './lib/htm.js';
import {speak, wanted, t} from './i18n.js';
import {resume, session, watchSession, reachable, Problem} from './api.js';
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
function decoded(text) {
  try { return decodeURIComponent(text); } catch { return undefined; } // a link that was cut off within a letter
}
const load = async (path) => {
  for (const [pattern, get] of routes) {
    const found = path.replace(/(.)\/$/, '$1').match(pattern);
    const id = found?.[1] && decoded(found[1]);
    if (found && (id || !found[1])) return {path, View: (await get()).default, id};
  }
  return {path, View: (await import('./pages/lost.js')).default};
};
// A part that is not there any more belongs to a program that was replaced: take the new one, once. Where no node answers
// there is none to take, and the browser would show its own page of errors instead.
async function renew(error) {
  if (!await reachable()) return new Problem(0);
  if (sessionStorage.getItem('renewed')) return error;
  sessionStorage.setItem('renewed', '1');
  location.reload();
  return undefined;
}
const Broken = ({error, retry}) => html`<${Page} title=${t('error.other')}><${Failure} error=${error} retry=${retry} /><//>`;
function View() {
  const {path, query} = useLocation();
  const [shown, show] = useState();
  const [turn, again] = useState(0);
  const [fault, mend] = useErrorBoundary((error) => console.error(error));
  const state = JSON.stringify([path, query]);
  useEffect(() => { if (fault) mend(); }, [state]);
  useEffect(() => {
    let wanted_ = true;
    load(path).then((next) => {
      sessionStorage.removeItem('renewed');
      if (wanted_) show(next);
    }, async (error) => {
      const left = await renew(error);
      if (wanted_ && left) show({path, error: left});
    });
    return () => { wanted_ = false; };
  }, [path, turn]);
  if (fault) return html`<${Broken} error=${fault} retry=${mend} />`;
  if (shown?.error && shown.path === path) return html`<${Broken} error=${shown.error} retry=${() => again((n) => n + 1)} />`;
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
