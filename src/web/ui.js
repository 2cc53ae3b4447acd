// What do all pages build from?
import {html, useState, useEffect, useRef} from './lib/htm.js';
import {t, word, number, time, utc, compare, economy} from './i18n.js';
import {ask, may, working} from './api.js';
import {useQuery, useDraft, useLocation} from './router.js';

// The data of GET PATH; what was there stays while other data is on its way.
export function useData(path, query) {
  const [state, set] = useState({loading: true});
  const [turn, again] = useState(0);
  const asked = JSON.stringify([path, query]);
  useEffect(() => {
    if (!path) return undefined;
    const stop = new AbortController();
    set((old) => ({...old, loading: true, error: null}));
    ask('GET', path, {query, signal: stop.signal}).then(
      (data) => !stop.signal.aborted && set({data, asked}), // what was asked before may have come a moment ago
      (error) => error.name !== 'AbortError' && set((old) => ({data: old.asked === asked ? old.data : undefined, error})));
    return () => stop.abort();
  }, [asked, turn]);
  return {...state, reload: () => again((n) => n + 1)};
}

// A list that goes on by `next`: all that was shown so far.
export function useList(path, query) {
  const first = useData(path, query);
  const begun = {of: first.data, items: [], next: first.data?.next};
  const [state, set] = useState(begun);
  const more = state.of === first.data ? state : begun; // what went on from another answer is over
  const load = async () => {
    set({...more, loading: true, error: null});
    const came = (what) => set((old) => (old.of === more.of ? {...old, loading: false, ...what(old)} : old));
    try {
      const page = await ask('GET', path, {query: {...query, next: more.next}});
      came((old) => ({items: [...old.items, ...page.items], next: page.next}));
    } catch (error) { came(() => ({error})); }
  };
  const items = [...(first.data?.items ?? []), ...more.items];
  return {...first, items, error: first.error ?? more.error, next: more.next, more: load, busy: first.loading || more.loading};
}

// A list for a table that sorts: what is sorted is the whole, so the rest is asked for, unless it is more than anybody reads.
const sortedMost = 5000;
export function useSorted(path, query) {
  const [{sort}] = useQuery();
  const list = useList(path, {...query, limit: sort ? 1000 : 100});
  const wants = sort && list.next && list.items.length < sortedMost && !list.busy && !list.error;
  useEffect(() => { if (wants) list.more(); }, [wants]);
  return list;
}

// Asks for LISTS again when EVENT is told, at most every MS, and never while an answer is on its way: where answers take longer than that, none would come.
export function useTold(event, ms, lists, on = true) {
  const latest = useRef();
  latest.current = lists;
  useEffect(() => {
    if (!on) return undefined;
    let timer;
    const soon = () => { timer ??= setTimeout(due, ms); };
    const due = () => {
      timer = undefined;
      if (latest.current.some((one) => one.loading)) soon();
      else latest.current.forEach((one) => one.reload());
    };
    addEventListener(event, soon);
    return () => { clearTimeout(timer); removeEventListener(event, soon); };
  }, [on]);
}

// Of JSON that is written by hand: line breaks stand only between its words, so they go as spaces.
export const oneLine = (text) => text.replace(/[\t\r\n]/g, ' ');
const pause = 400; // ms without another letter
// What POST PATH says of BODY (undefined: nothing is asked), as one types: SAID of OF, the body that was asked about; FRESH: that is what is written now.
export function useSaid(path, body) {
  const [state, set] = useState({});
  const asked = JSON.stringify(body);
  useEffect(() => {
    if (!asked) return undefined;
    const stop = new AbortController();
    const look = () => ask('POST', path, {body, signal: stop.signal}).then((said) => set({said, of: body, asked}),
      (error) => error.name !== 'AbortError' && set((old) => ({...old, error, asked})));
    const timer = setTimeout(look, state.said ? pause : 0);
    return () => { clearTimeout(timer); stop.abort(); };
  }, [asked]);
  return {...state, fresh: state.asked === asked};
}

// What to do about it, by status; what exactly was wrong the node says.
const known = {0: 'error.network', 400: 'error.wrong', 403: 'error.rights', 404: 'error.missing', 409: 'error.conflict', 413: 'error.large', 429: 'error.often',
  500: 'error.fault', 503: 'error.busy', 507: 'error.room'};
const logOf = (request) => `/operations/log?${new URLSearchParams({text: request})}`;
export function Failure({error, retry}) {
  if (!error) return null;
  return html`<div class="notice bad" role="alert">
    <strong>${t(known[error.status] ?? 'error.other')}</strong> ${error.message && html`<span dir="auto">${error.message}</span>`}
    ${error.request && html` <span class="quiet">(${t('error.request')} ${may('operate')
      ? html`<a href=${logOf(error.request)}><code>${error.request}</code></a>` : html`<code>${error.request}</code>`})</span>`}
    ${retry && html` <button class="plain" onClick=${retry}>${t('again')}</button>`}
  </div>`;
}
export function Busy({when}) {
  return html`<div role="status" class="quiet">${when ? html`${t('loading')} <progress aria-label=${t('loading')} />` : ''}</div>`;
}
// In the reader's zone; UTC under the pointer, and with the keyboard's focus: on the row or the link that it stands in, else on itself.
export function Time({at}) {
  const here = useRef();
  useEffect(() => {
    if (here.current && !here.current.closest('a, button') && !here.current.closest('tr')?.querySelector('a, button, input')) here.current.tabIndex = 0;
  }, [at]);
  return at ? html`<time ref=${here} dateTime=${at} title=${utc(at)}>${time(at)}</time>` : '–';
}
// A value of JSON, as one reads it.
export const asText = (value) => (value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value));
// What has no place to break for long may break everywhere, so that in a table it leaves room to others.
const long = (text, most = 20) => ([text].flat().join('').split(/[\s-]/).some((part) => part.length >= most) ? 'long' : undefined);
export const Text = ({children}) => html`<span dir="auto" class=${long(children)}>${children}</span>`;
export const Code = ({children}) => html`<code dir="ltr" class=${long(children)}>${children}</code>`;
export const Link = ({to, children}) => html`<a href=${to} dir="auto" class=${long(children)}>${children}</a>`;

const tones = {release: 'good', hold: 'wait', withhold: 'bad', waiting: 'wait', released: 'good', refused: 'bad',
  kept: 'good', changed: 'wait', removed: 'bad', 'in-force': 'good', broken: 'bad',
  error: 'bad', warning: 'wait', right: 'good', differs: 'bad'};
export const Tag = ({kind, value}) => value && html`<span class="tag ${tones[value] ?? ''}">${word(kind, value)}</span>`;
// Of an agreement, as the node says it.
export const Standing = ({of}) => html`<${Tag} kind="standing" value=${of.replaceAll(' ', '-')} />`;
// The community is a recipient, and no team of the directory.
export function Team({id}) {
  if (!id) return html`<span class="quiet">${t('nobody')}</span>`;
  return id === 'community' ? t('community') : html`<${Link} to=${`/teams/${encodeURIComponent(id)}`}>${id}<//>`;
}
export const Economy = ({code}) => code && html`<a href="/economies/${code}" class=${long(economy(code), 15)}>${economy(code)}</a>`;
export function Side({of}) {
  if (!of) return '–';
  return html`<div class="side-of">${of.address && html`<${Code}>${of.address}<//>`}${of.name && html`<${Code}>${of.name}<//>`}
    <span>${of.asn && html`<span class="quiet">AS${of.asn} </span>`}${of.economy && html`<${Economy} code=${of.economy} />`}</span></div>`;
}
export const Facts = ({of}) => html`<dl class="facts">${of.filter(([, value]) => value !== undefined && value !== null && value !== false && value !== '')
  .map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>`;

// The page's heading takes the focus when one comes here, so that readers of screens hear where they are.
export function Page({title, children, actions}) {
  const heading = useRef();
  useEffect(() => {
    document.title = `${title} – Comity`;
  }, [title]);
  useEffect(() => heading.current?.focus({preventScroll: true}), []);
  useLocation(); // on paper the address tells filters and sorting, which change without another page
  return html`<p class="printed"><span dir="ltr">${location.href}</span><br /><span>${t('printed')}: ${time(Date.now())} (${utc(Date.now())})</span></p>
    <div class="head"><h1 ref=${heading} tabIndex="-1" dir="auto">${title}</h1><div class="row">${actions}</div></div>${children}`;
}

// Pages beside each other, each [name, where, in words]; AT: the name of the one that is shown.
export const Tabs = ({label, of, at}) => html`<nav class="tabs" aria-label=${label}>${of.map(([name, to, text]) =>
  html`<a href=${to} aria-current=${name === at ? 'true' : undefined}>${text}</a>`)}</nav>`;

// DB-IP's licence asks for the link wherever its data is shown.
export const Sources = () => html`<p class="quiet">${t('measure.sources')} <a href="https://db-ip.com" rel="noreferrer noopener" target="_blank">IP Geolocation by DB-IP</a></p>`;

// ---- out of the page ----
export function download(name, type, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], {type}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
// What a spreadsheet would take for a formula gets an apostrophe: reports hold what attackers wrote.
function cell(value) {
  const text = value == null ? '' : Array.isArray(value) ? value.join(' ') : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value !== 'number' ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
export const csv = (columns, rows) => `${[columns.map((c) => cell(c.id)), ...rows.map((row) =>
  columns.map((c) => cell(valueOf(c, row))))].map((line) => line.join(',')).join('\r\n')}\r\n`;
const valueOf = (column, row) => (column.value ? column.value(row) : row[column.id]);

function Export({name, columns, rows, fetchAll}) {
  const [told, tell] = useState('');
  const [error, fail] = useState();
  const give = async (kind) => {
    try {
      fail(null);
      const items = fetchAll ? await fetchAll((n) => tell(t('export.progress', {n: number(n)}))) : rows;
      if (kind === 'csv') download(`${name}.csv`, 'text/csv', csv(columns, items));
      else download(`${name}.json`, 'application/json', `${JSON.stringify(items, null, 1)}\n`);
      tell('');
    } catch (problem) { fail(problem); tell(''); }
  };
  return html`<span class="row"><button onClick=${() => give('csv')}>CSV<span class="hidden"> ${name}</span></button>
    <button onClick=${() => give('json')}>JSON<span class="hidden"> ${name}</span></button>
    <span role="status">${told}</span><${Failure} error=${error} /></span>`;
}

function sorted(rows, columns, by) {
  const column = by && columns.find((c) => c.id === by.replace(/^-/, ''));
  if (!column) return rows;
  const way = by.startsWith('-') ? -1 : 1;
  const order = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : compare(String(a ?? ''), String(b ?? '')));
  return [...rows].sort((a, b) => way * order(valueOf(column, a), valueOf(column, b)));
}

// MORE: there are rows that are not among ROWS. COLUMNS: id, label, cell(row) as shown, value(row) as exported and sorted by, number, hidden: only exported, shown: never exported.
export function Table({name, caption, columns: all, rows, id, sorts, fetchAll, selected, select, children, hideCaption, more}) {
  const [query, set] = useQuery();
  const by = sorts ? query.sort : undefined;
  const columns = all.filter((c) => !c.hidden);
  const shown = sorted(rows, all, by);
  const head = (c) => (sorts && !c.shown
    ? html`<button onClick=${() => set({sort: by === c.id ? `-${c.id}` : c.id}, {replace: true})}>${c.label}
        ${by === c.id ? ' ▲' : by === `-${c.id}` ? ' ▼' : ''}</button>` : c.label);
  const order = (c) => (by === c.id ? 'ascending' : by === `-${c.id}` ? 'descending' : undefined);
  return html`<div class="table">${by && more && html`<div class="notice" role="status">${t('sorted.some', {n: number(rows.length)})}</div>`}<div class="wrap" role="region" aria-label=${caption} tabIndex="0"><table>
    <caption class=${hideCaption ? 'hidden' : ''}>${caption}</caption>
    <thead><tr>${select && html`<th scope="col"><input type="checkbox" aria-label=${t('select.all')}
        checked=${rows.length > 0 && rows.every((row) => selected.has(id(row)))}
        onChange=${(event) => select(event.target.checked ? new Set(rows.map(id)) : new Set())} /></th>`}
      ${columns.map((c) => html`<th scope="col" class=${c.number ? 'number' : ''} aria-sort=${order(c)}>${head(c)}</th>`)}</tr></thead>
    <tbody>${shown.map((row) => html`<${Row} key=${id?.(row)} ...${{row, columns, id, selected, select}} />`)}
      ${!rows.length && html`<tr><td colSpan=${columns.length + (select ? 1 : 0)} class="quiet">${t('empty')}</td></tr>`}</tbody>
  </table></div>
  <div class="under">${rows.length > 0 && html`<${Export} ...${{name, columns: all.filter((c) => !c.shown), rows: shown, fetchAll}} />`}${children}</div></div>`;
}
function Row({row, columns, id, selected, select}) {
  const on = select && selected.has(id(row));
  const flip = () => {
    const next = new Set(selected);
    if (!next.delete(id(row))) next.add(id(row));
    select(next);
  };
  return html`<tr aria-selected=${select ? String(on) : undefined}>
    ${select && html`<td><input type="checkbox" checked=${on} onChange=${flip} aria-label=${t('select.one', {id: id(row)})} /></td>`}
    ${columns.map((c) => html`<td class=${c.number ? 'number' : ''}>${c.cell ? c.cell(row)
      : c.number ? number(valueOf(c, row)) : html`<${Text}>${valueOf(c, row)}<//>`}</td>`)}</tr>`;
}
export const More = ({list}) => html`<span class="row">${list.next && html`<button disabled=${list.busy} onClick=${list.more}>
  ${t('more')}</button>`} <span class="quiet">${t('shown', {n: list.items.length})}</span></span>`;

// ---- dialogs and notes ----
function useWorking() {
  const [is, set] = useState(false);
  useEffect(() => {
    const turn = () => set(working());
    addEventListener('working', turn);
    return () => removeEventListener('working', turn);
  }, []);
  return is;
}
export function Dialog({title, close, children}) {
  const dialog = useRef();
  const busy = useWorking();
  // Who closes it goes on where it was opened, or, if that is gone, at the page's heading.
  useEffect(() => {
    const before = document.activeElement;
    dialog.current.showModal();
    // Only once the dialog is gone: until then all else is inert.
    return () => queueMicrotask(() => (before?.isConnected && !before.disabled && before !== document.body ? before : document.querySelector('h1'))?.focus());
  }, []);
  return html`<dialog ref=${dialog} onClose=${close} aria-labelledby="dialog-title"><h2 id="dialog-title">${title}</h2>${children}
    <div class="working" role="status">${busy && html`${t('working')} <progress aria-label=${t('working')} />`}</div></dialog>`;
}
// A dialog that asks before it does ACT(what was filled in), and stays if that fails. BAD: what cannot be undone; READY: all is there.
export function Form({title, text, act, close, bad, ready = true, children}) {
  const [state, set] = useState({});
  const submit = async (event) => {
    event.preventDefault();
    set({busy: true});
    try { await act(new FormData(event.target)); } catch (error) { set({error}); }
  };
  return html`<${Dialog} title=${title} close=${close}><p>${text}</p><form class="stack" onSubmit=${submit}>${children}<${Failure} error=${state.error} />
    <div class="row"><button class=${bad ? 'bad' : 'main'} disabled=${!ready || state.busy}>${title}</button><button type="button" onClick=${close}>${t('cancel')}</button></div></form><//>`;
}
export const Reason = () => html`<label>${t('reason')}<textarea name="reason" required maxLength="1000" rows="3" dir="auto"></textarea></label>`;
const toasts = new Set();
let number_ = 0;
// UNDO: takes back what was done; it is offered as long as the note stands.
export function note(text, undo) {
  const toast = {text, undo, id: number_++};
  const end = () => toasts.forEach((show) => show((all) => all.filter((one) => one !== toast)));
  toast.end = end;
  toasts.forEach((show) => show((all) => [...all, toast]));
  setTimeout(end, undo ? 20000 : 8000);
}
export function Notes() {
  const [all, set] = useState([]);
  useEffect(() => {
    toasts.add(set);
    return () => toasts.delete(set);
  }, []);
  return html`<div class="toasts" role="status">${all.map((one) => html`<div key=${one.id}>${one.text}
    ${one.undo && html` <button class="plain" onClick=${() => { one.end(); one.undo(); }}>${t('undo')}</button>`}</div>`)}</div>`;
}
export function Field({label, value, onInput, type = 'text', ...rest}) {
  return html`<label>${label}<input type=${type} value=${value ?? ''} onInput=${(e) => onInput(e.target.value)} ...${rest} /></label>`;
}
export function Choice({label, value, onInput, options, any}) {
  return html`<label>${label}<select value=${value ?? ''} onChange=${(e) => onInput(e.target.value)}>
    ${any !== undefined && html`<option value="">${any}</option>`}
    ${options.map(([key, text]) => html`<option value=${key} selected=${key === value}>${text}</option>`)}</select></label>`;
}
// What narrows a list by the text that lies in the URL as NAME; BEFORE the field and after it stand others. TITLE: of the form.
export function Filter({name, label, before, title, children, ...rest}) {
  const [query, set] = useQuery();
  const [text, write] = useDraft(query[name]);
  return html`<form class="row no-print" aria-label=${title} onSubmit=${(e) => { e.preventDefault(); set({[name]: text.trim()}); }}>${before}
    <${Field} label=${label} value=${text} onInput=${write} dir="auto" ...${rest} /><button>${t('find')}</button>${children}</form>`;
}
// A file that is chosen or dropped here; NAME: of the one that was taken.
export function FileDrop({label, name, accept, take}) {
  const [over, set] = useState(false);
  const open = (file) => file && take(file);
  const drop = (event) => {
    event.preventDefault();
    set(false);
    open(event.dataTransfer.files[0]);
  };
  return html`<label class="drop ${over ? 'over' : ''}" onDragOver=${(e) => { e.preventDefault(); set(true); }} onDragLeave=${() => set(false)} onDrop=${drop}>
    ${label}<input type="file" accept=${accept} onChange=${(event) => open(event.target.files[0])} />${name && html`<${Code}>${name}<//>`}</label>`;
}
