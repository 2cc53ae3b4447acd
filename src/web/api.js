// How is the node asked, and who is signed in?
import {kept, keep} from './i18n.js';

let me = null;

// What the node refused (RFC 9457), or that it could not be reached: `status` 0.
export class Problem extends Error {
  constructor(status, said = {}) {
    super(said.detail ?? said.title ?? '');
    Object.assign(this, {status, code: said.code, field: said.field, request: said.request});
  }
}
export const session = () => me;
export const may = (right) => me?.rights?.includes(right) ?? false;

export function pathOf(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}
// Changes that are on their way: told by the event "working", so that who waits sees it.
let changing = 0;
export const working = () => changing > 0;
function count(by) {
  changing += by;
  dispatchEvent(new Event('working'));
}
export async function ask(method, path, options = {}) {
  if (method === 'GET') return send(method, path, options);
  count(1);
  try { return await send(method, path, options); } finally { count(-1); }
}
async function send(method, path, {query, body, file, signal}) {
  const headers = {Accept: 'application/json'};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (file) headers['Content-Type'] = 'application/octet-stream';
  if (me?.csrf) headers['X-CSRF-Token'] = me.csrf;
  let answer;
  let said;
  try {
    answer = await fetch(`/api/v1/${pathOf(path, query)}`, {method, headers, signal, body: file ?? (body && JSON.stringify(body))});
    if (answer.status === 204) return null;
    said = await answer.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    if (!answer || answer.ok) throw new Problem(0); // what breaks off is no answer
  }
  if (answer.ok) return said;
  if (answer.status === 401 && me) forget(true);
  throw new Problem(answer.status, said);
}

const watchers = new Set();
export function watchSession(call) {
  watchers.add(call);
  return () => watchers.delete(call);
}
// Whether the node ended the session, and not the one who is reading.
let over = false;
export const ended = () => over;
function set(who, lost = false) {
  me = who;
  over = lost;
  keep('signed', who ? '1' : '');
  watchers.forEach((call) => call(who));
}
function forget(lost = false) { set(null, lost); }

// Whether anything answers there.
export const reachable = () => fetch('/', {method: 'HEAD', cache: 'no-store'}).then(() => true, () => false);
// Asked only where a sign-in is remembered: a stranger's first view needs no answer "401".
export async function resume() {
  if (!kept('signed')) return;
  try { set(await ask('GET', 'session')); } catch (problem) { if (problem.status === 401) forget(true); else throw problem; }
}
export async function signIn(name, password) { set(await ask('POST', 'session', {body: {name, password}})); }
export async function signOut() {
  try { await ask('DELETE', 'session'); } finally {
    sessionStorage.clear(); // drafts
    forget();
  }
}
export async function changePassword(current, password) {
  await ask('PUT', `principals/${encodeURIComponent(me.name)}/password`, {body: {current, password}});
  await signIn(me.name, password);
}

// All of a list, page by page, at most MOST; TELL hears how many are there.
export async function all(path, query, most = 50000, tell = () => {}, limit = 1000) {
  const items = [];
  let next;
  do {
    const page = await ask('GET', path, {query: {...query, limit, next}});
    items.push(...page.items);
    next = page.next;
    tell(items.length);
  } while (next && items.length < most);
  return items;
}
