// A draft of an agreement: written, checked as one types, read in words; signed by the officer's own key elsewhere.
import {html, useState} from '../lib/htm.js';
import {t, word, number} from '../i18n.js';
import {ask, may, session} from '../api.js';
import {useQuery, go} from '../router.js';
import {useData, useSaid, oneLine, Failure, Busy, Page, Table, Tag, Team, Code, Form, download, note} from '../ui.js';
import {Clause} from '../clauses.js';

const empty = () => ({id: `urn:uuid:${crypto.randomUUID()}`, title: '', kind: 'bilateral', parties: [], valid_from: new Date().toISOString().slice(0, 10),
  valid_until: null, clauses: [{id: '1', from: 'party', to: 'party', classification: ['*'], tlp_max: 'green', effect: 'hold', treatment: {}, onward: 'none'}]});

// The language's own order, as people read it; what it does not know stays at the end.
const order = ['id', 'title', 'kind', 'economy', 'parties', 'from', 'to', 'classification', 'tlp_max', 'providers', 'effect', 'treatment',
  'require', 'retention_days', 'onward', 'note', 'valid_from', 'valid_until', 'suspended', 'text_url', 'text_sha256', 'clauses'];
const place = (key) => (order.indexOf(key) + order.length + 1) % (order.length + 1);
const ordered = (of) => Object.fromEntries(Object.entries(of).sort(([a], [b]) => place(a) - place(b)));
const readable = (doc) => ordered({...doc, clauses: doc.clauses.map(ordered), signatures: []});

function read(text) {
  try { return {draft: JSON.parse(text)}; } catch (error) { return {wrong: error.message}; }
}
const most = 1000000; // reports of a simulation

const columns = () => [{id: 'level', label: t('draft.level'), cell: (row) => html`<${Tag} kind="level" value=${row.level} />`},
  {id: 'clause', label: t('clause')}, {id: 'key', label: t('field'), cell: (row) => html`<${Code}>${row.key}<//>`},
  {id: 'message', label: t('draft.message'), cell: (row) => html`<span lang="en" dir="auto">${row.message}</span>`}];

const outcome = (of) => ['release', 'hold', 'withhold'].filter((effect) => of[effect]).map((effect) => `${t(`effect.${effect}`)}: ${number(of[effect])}`);
const simulated = () => [{id: 'team', label: t('recipient'), cell: (row) => html`<${Team} id=${row.team} /> <span class="quiet" dir="auto">${row.name}</span>`},
  {id: 'decisions', label: t('stat.outcomes'), number: true},
  {id: 'before', label: t('simulate.before'), value: (row) => outcome(row.before), cell: (row) => outcome(row.before).map((one) => html`<div>${one}</div>`)},
  {id: 'after', label: t('simulate.after'), value: (row) => outcome(row.after), cell: (row) => outcome(row.after).map((one) => html`<div>${one}</div>`)},
  ...['more', 'less', 'different'].map((id) => ({id, label: t(`simulate.${id}`), number: true}))];

// The changed recipients first: what nobody would notice comes last.
const changed = (row) => row.more + row.less + row.different;
function Simulation({text, wrong}) {
  const [state, set] = useState({});
  const run = async () => {
    set({busy: true});
    try {
      set({told: await ask('POST', 'agreements/simulate', {query: {limit: most}, body: {document: oneLine(text)}}), of: text});
    } catch (error) { set({error}); }
  };
  const told = state.told;
  return html`<section class="panel"><h2>${t('simulate')}</h2><p>${t('simulate.text')}</p>
    <button onClick=${run} disabled=${Boolean(wrong) || state.busy}>${t('simulate.run')}</button><${Busy} when=${state.busy} /><${Failure} error=${state.error} />
    ${told && html`<p role="status">${t('simulate.told', {n: number(told.reports)})} ${!told.complete && t('simulate.part')}
      ${told.skipped > 0 && t('simulate.skipped', {n: number(told.skipped)})} ${state.of !== text && html`<strong>${t('simulate.old')}</strong>`}</p>
    <${Table} name="simulation" caption=${t('simulate')} columns=${simulated()} rows=${[...told.items].sort((a, b) => changed(b) - changed(a))} id=${(row) => row.team} />`}</section>`;
}
function Words({draft}) {
  const clauses = Array.isArray(draft?.clauses) ? draft.clauses.filter((c) => c && typeof c === 'object' && Array.isArray(c.classification)
    && ['from', 'to', 'tlp_max', 'effect'].every((key) => typeof c[key] === 'string')) : [];
  return html`<section class="panel"><h2 dir="auto">${draft?.title || t('clauses')}</h2><p>${word('agreement.kind', draft?.kind)}</p>
    <ol class="clauses">${clauses.map((clause) => html`<${Clause} clause=${clause} law=${draft.kind === 'law'} />`)}</ol></section>`;
}
// It is taken as it was checked: what was written since is another text.
function Propose({text, title, close, drop}) {
  const act = async () => {
    const made = await ask('POST', 'agreements', {body: {document: oneLine(text)}});
    drop();
    note(t('propose.done'));
    go(`/agreements/${encodeURIComponent(made.id)}`);
  };
  return html`<${Form} title=${t('propose')} text=${t('propose.text')} act=${act} close=${close}><p><strong dir="auto">${title}</strong></p><//>`;
}
// What was written stays in this tab, so that neither another page nor a session that ends takes it away.
function useKept(of, first) {
  const place = `draft ${session().name} ${of}`;
  const [text, set] = useState(() => sessionStorage.getItem(place) ?? first);
  const write = (next) => {
    set(next);
    try { sessionStorage.setItem(place, next); } catch { /* larger than the browser keeps */ }
  };
  const drop = () => {
    sessionStorage.removeItem(place);
    set(first);
  };
  return {text, write, drop, changed: text !== first};
}
function Desk({of, first}) {
  const [proposing, propose] = useState(false);
  const {text, write, drop, changed: written} = useKept(of, JSON.stringify(first, null, 2));
  const {draft, wrong} = read(text);
  const {said: found, error} = useSaid('agreements/check', wrong || !may('agree') ? undefined : {document: oneLine(text)});
  const well = found && !wrong && !error;
  return html`<div class="grid"><div><label>${t('draft.text')}<textarea class="mono" rows="28" spellcheck=${false} dir="ltr" value=${text}
      onInput=${(e) => write(e.target.value)}></textarea></label>
    <div class="under">${may('agree') && html`<button class="main" disabled=${!well || found.errors > 0} onClick=${() => propose(true)}>${t('propose')}</button>`}
      <button disabled=${Boolean(wrong)} onClick=${() => download('agreement.json', 'application/json', `${text}\n`)}>${t('draft.keep')}</button>
      ${written && html`<button onClick=${drop}>${t('draft.anew')}</button>`}
      <span class="quiet">${t('draft.sign')} <${Code}>comity agreement propose<//></span></div></div>
    <div><div role="status">${wrong && html`<div class="notice bad">${t('draft.syntax')} <span lang="en" dir="ltr">${wrong}</span></div>`}
      ${well && !found.items.length && html`<div class="notice good">${t('draft.well')}</div>`}</div><${Failure} error=${error} />
      ${well && found.items.length > 0 && html`<${Table} name="findings" caption=${t('draft.findings')} columns=${columns()} rows=${found.items} />`}
      <${Words} draft=${draft} /></div></div>${may('agree') && html`<${Simulation} text=${text} wrong=${wrong} />`}
    ${proposing && html`<${Propose} text=${text} title=${draft?.title} close=${() => propose(false)} drop=${drop} />`}`;
}
export default function Draft() {
  const [query] = useQuery();
  const from = useData(query.from && `agreements/${encodeURIComponent(query.from)}`);
  const [fresh] = useState(empty);
  const first = query.from ? from.data?.document : fresh;
  return html`<${Page} title=${t('draft')}>${!may('agree') && html`<p class="notice">${t('draft.rights')}</p>`}
    <${Failure} error=${from.error} retry=${from.reload} />${first && html`<${Desk} key=${query.from} of=${query.from ?? ''} first=${query.from ? readable(first) : first} />`}<//>`;
}
