// What stands around every page: where one can go, search, who is signed in.
import {html, useState, useEffect} from './lib/htm.js';
import {t, languages, language, speak, keep, kept, number} from './i18n.js';
import {session, signOut, ask, resume} from './api.js';
import {useLocation, go} from './router.js';
import {listen} from './keys.js';
import {Dialog, Notes, Time} from './ui.js';

const retryMs = 5000;
const patienceMs = 4000;
const entries = [['/', 'today', 't'], ['/reports', 'reports', 'r'], ['/held', 'held', 'h'], ['/teams', 'teams', 'm'],
  ['/agreements', 'agreements', 'a'], ['/partners', 'partners', 'p'], ['/ledger', 'ledger', 'l'], ['/economies', 'economies', 'e'], ['/operations', 'operations', 'o']];

export function dress(theme = kept('theme', 'system')) {
  const dark = theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => dress());

// One box for all: what does the text look like?
export function searchFor(text) {
  const said = text.trim();
  const find = (path, name, value) => `${path}?${new URLSearchParams({[name]: value})}`;
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(said)) return `/reports/${said.toLowerCase()}`;
  if (/^AS\d+$/i.test(said)) return find('/reports', 'asn', said.slice(2));
  if (/^[\d.]+(\/\d+)?$/.test(said) || (said.includes(':') && /^[0-9a-f:./]+$/i.test(said))) return find('/reports', 'address', said);
  if (/^[^\s/]+\.[^\s/.]{2,}$/.test(said)) return find('/reports', 'name', said);
  return find('/teams', 'text', said);
}
export function Search({id}) {
  const submit = (event) => {
    event.preventDefault();
    const text = new FormData(event.target).get('text');
    if (text.trim()) go(searchFor(text));
  };
  return html`<form role="search" onSubmit=${submit}><input id=${id} name="text" type="search" autocomplete="off" aria-keyshortcuts=${id && '/'}
    aria-label=${t('search')} placeholder=${id ? `${t('search')} ( / )` : t('search')} dir="auto" /></form>`;
}
export function Languages() {
  const change = async (event) => {
    keep('language', event.target.value);
    await speak(event.target.value);
    dispatchEvent(new Event('spoken'));
  };
  return html`<label><span class="hidden">${t('language')}</span><select onChange=${change} value=${language()}>
    ${Object.entries(languages).map(([tag, name]) => html`<option value=${tag} lang=${tag} selected=${tag === language()}>${name}</option>`)}
  </select></label>`;
}
export function Theme() {
  const [theme, set] = useState(kept('theme', 'system'));
  const change = (event) => {
    keep('theme', event.target.value);
    set(event.target.value);
    dress(event.target.value);
  };
  return html`<label><span class="hidden">${t('theme')}</span><select onChange=${change} value=${theme}>
    ${['system', 'light', 'dark'].map((one) => html`<option value=${one} selected=${one === theme}>${t(`theme.${one}`)}</option>`)}</select></label>`;
}
function Help({close}) {
  const keys = [['/', t('search')], ['?', t('help')], ['j k', t('key.rows')], ['x', t('key.select')], ['Enter', t('key.open')],
    ...entries.map(([, name, key]) => [`g ${key}`, t(`page.${name}`)])];
  return html`<${Dialog} title=${t('help')} close=${close}><dl class="facts">${keys.map(([key, text]) =>
    html`<dt>${key.split(' ').map((one) => html`<kbd>${one}</kbd> `)}</dt><dd>${text}</dd>`)}</dl>
    <p class="quiet">${t('key.off')}</p><form method="dialog"><button class="main">${t('close')}</button></form><//>`;
}
// How many wait, told as it happens.
function useWaiting() {
  const [waiting, set] = useState({});
  useEffect(() => {
    ask('GET', 'status').then((status) => set({held: status.held, teams: status.cards_waiting}), () => {});
    const counted = ({detail}) => set({held: detail.held, teams: detail.cards});
    addEventListener('counts', counted);
    return () => removeEventListener('counts', counted);
  }, []);
  return waiting;
}
// Tells since when nothing is heard of the node. A browser tries again by itself unless the node refused: then because the session is
// over, which is asked, or for a while.
function useEvents() {
  const [since, set] = useState();
  useEffect(() => {
    let source;
    let later;
    let lostAt;
    const lost = () => {
      lostAt ??= Date.now();
      set(lostAt);
      if (source.readyState !== EventSource.CLOSED) return;
      resume().catch(() => {});
      later = setTimeout(listenTo, retryMs);
    };
    const found = () => {
      if (!lostAt) return;
      lostAt = undefined;
      set(undefined);
      dispatchEvent(new CustomEvent('dropped', {detail: {}}));
    };
    const listenTo = () => {
      source = new EventSource('/api/v1/events');
      source.addEventListener('open', found);
      source.addEventListener('error', lost);
      for (const name of ['counts', 'flows', 'log', 'dropped']) source.addEventListener(name, (event) => dispatchEvent(new CustomEvent(name, {detail: JSON.parse(event.data)})));
    };
    listenTo();
    return () => { clearTimeout(later); source.close(); };
  }, []);
  return since;
}
// Shown once a short interruption would be over.
function Silent({since}) {
  const [late, set] = useState(false);
  useEffect(() => {
    if (!since) return set(false);
    const timer = setTimeout(() => set(true), patienceMs);
    return () => clearTimeout(timer);
  }, [since]);
  return html`<div role="status">${since && late && html`<div class="notice bad no-print silent">${t('node.silent')} <${Time} at=${new Date(since).toISOString()} /></div>`}</div>`;
}
function Side() {
  const {path} = useLocation();
  const waiting = useWaiting();
  const is = (to) => (to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`));
  return html`<nav class="side" aria-label=${t('pages')}><a class="brand" href="/"><img src=${new URL('icon.svg', import.meta.url).href} alt="" width="26" height="26" />Comity</a>
    <ul>${entries.map(([to, name]) => html`<li><a href=${to} aria-current=${is(to) ? 'page' : undefined}>${t(`page.${name}`)}
      ${waiting[name] > 0 && html`<span class="count">${number(waiting[name])}</span>`}</a></li>`)}</ul></nav>`;
}
export function Shell({children}) {
  const [help, showHelp] = useState(false);
  useEffect(() => listen({help: () => showHelp(true), pages: Object.fromEntries(entries.map(([to, , key]) => [key, to]))}), []);
  const silent = useEvents();
  const me = session();
  return html`<a class="skip" href="#main">${t('skip')}</a><div class="frame"><${Side} /><div>
    <header class="top"><${Search} id="search" /><div class="who"><${Languages} /><${Theme} />
      <button onClick=${() => showHelp(true)} aria-label=${t('help')}>?</button>
      <a class="button" href="/account"><span dir="auto">${me.name}</span><span class="quiet">(${t(`kind.${me.kind}`)})</span></a>
      <button onClick=${() => signOut()}>${t('sign.out')}</button></div></header>
    <${Silent} since=${silent} /><main id="main" tabIndex="-1">${children}</main></div></div>
    ${help && html`<${Help} close=${() => showHelp(false)} />`}<${Notes} />`;
}
