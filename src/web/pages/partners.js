// With whose nodes does this one exchange, and how does it go?
import {html, useState} from '../lib/htm.js';
import {t, word, number, list} from '../i18n.js';
import {ask, may} from '../api.js';
import {useQuery, go} from '../router.js';
import {useData, Failure, Busy, Page, Tabs, Facts, Table, Time, Form, Field, Code, Text, Link, FileDrop, note} from '../ui.js';

const most = 100000; // bytes of a card that the API takes
const ways = ['push', 'poll', 'witness'];

function how(way) {
  if (!way.on) return 'off';
  if (way.lost) return 'lost';
  if (way.failures > 0) return 'failing';
  return way.worked ? 'works' : 'new';
}
const tones = {works: 'good', failing: 'wait', lost: 'bad'};
export const Way = ({of}) => html`<span class="tag way ${tones[how(of)] ?? ''}" title=${of.why}>${word('way', of.way)}: ${t(`way.${how(of)}`)}</span> `;
export const wayColumns = () => [
  {id: 'way', label: t('ways'), value: (row) => `${row.way}:${how(row)}`, cell: (row) => html`<${Way} of=${row} />`},
  {id: 'worked', label: t('way.worked'), cell: (row) => html`<${Time} at=${row.worked} />`},
  {id: 'failing', label: t('way.since'), cell: (row) => html`<${Time} at=${row.failing} />`},
  {id: 'failures', label: t('way.failures'), number: true},
  {id: 'again', label: t('way.again'), cell: (row) => html`<${Time} at=${row.again} />`},
  {id: 'why', label: t('reason'), cell: (row) => html`<span lang="en" dir="auto">${row.why}</span>`}];
// What is on its way to a team: in a table of teams, and of one.
const queue = ['due', 'waiting', 'delivered', 'failed'];
export const queueColumns = () => [...queue.map((id) => ({id, label: t(`queue.${id}`), number: true})),
  {id: 'oldest', label: t('queue.oldest'), cell: (row) => html`<${Time} at=${row.oldest} />`}];
export const queueFacts = (of) => [...queue.map((id) => [t(`queue.${id}`), number(of[id])]), [t('queue.oldest'), of.oldest && html`<${Time} at=${of.oldest} />`]];
export const PartnersTabs = ({at}) => html`<${Tabs} label=${t('page.partners')} at=${at} of=${['partners', 'receipts'].map((one) => [one, `/${one}`, t(`page.${one}`)])} />`;

const columns = () => [
  {id: 'team', label: t('team'), cell: (row) => html`<${Link} to=${`/partners/${encodeURIComponent(row.team)}`}>${row.team}<//>`},
  {id: 'name', label: t('name'), cell: (row) => html`<${Text}>${row.name}<//> <div class="quiet"><${Code}>${row.url}<//></div>`},
  {id: 'ways', label: t('ways'), value: (row) => row.ways.map((way) => `${way.way}:${how(way)}`), cell: (row) => row.ways.map((way) => html`<${Way} of=${way} />`)},
  {id: 'contact', label: t('peer.contact'), cell: (row) => html`<${Time} at=${row.contact} />`},
  ...queueColumns(),
  {id: 'url', hidden: true}];

// Only its form is looked at here: whether card and signature are right, the node judges.
function read(text) {
  let card;
  try { card = JSON.parse(text); } catch (error) { return {wrong: error.message}; }
  const one = Array.isArray(card) && card.length === 1 ? card[0] : card;
  return typeof one?.id === 'string' ? {card: one} : {wrong: t('peer.nocard')};
}
const Shown = ({card}) => html`<${Facts} of=${[['ID', html`<${Code}>${card.id}<//>`], [t('name'), html`<span dir="auto">${String(card.name ?? '')}</span>`],
  [t('team.kind'), word('team.kind', String(card.kind ?? ''))], [t('page.economies'), list((card.economies ?? []).map(String))],
  [t('address'), card.node?.url && html`<${Code}>${String(card.node.url)}<//>`], [t('peer.certificate'), card.node?.certificate && html`<${Code}>${String(card.node.certificate)}<//>`],
  [t('ledger.key'), card.node?.log && html`<${Code}>${String(card.node.log)}<//>`],
  [t('keys'), (card.keys ?? []).map((key) => html`<div><${Code}>${String(key.fingerprint ?? key.key ?? key.id ?? '')}<//></div>`)],
  [t('card.signature'), t(card.signature ? 'card.signed' : 'card.unsigned')], [t('card.version'), card.version && html`<${Code}>${String(card.version)}<//>`]]} />`;

function Add({close, done}) {
  const [state, set] = useState({on: Object.fromEntries(ways.map((way) => [way, true]))});
  const {card, wrong} = state.text === undefined ? {} : read(state.text);
  const act = async () => {
    done(await ask('POST', 'peers', {body: {card: JSON.stringify(card), ...state.on, ...(state.url ? {url: state.url} : {}), ...(state.pin ? {pin: state.pin} : {})}}));
  };
  const take = async (file) => {
    const text = file.size > most ? '' : await file.text();
    set((old) => ({...old, text, name: file.name}));
  };
  const flip = (way) => (event) => set({...state, on: {...state.on, [way]: event.target.checked}});
  return html`<${Form} title=${t('peer.add')} text=${t('peer.add.text')} act=${act} close=${close} ready=${Boolean(card)}>
    <${FileDrop} label=${t('peer.card')} accept=".json,application/json" name=${state.name} take=${take} />
    ${wrong && html`<div class="notice bad" role="alert">${t('draft.syntax')} <span dir="auto">${wrong}</span></div>`}
    ${card && html`<${Shown} card=${card} />
      <${Field} label=${t('peer.url')} type="url" value=${state.url ?? ''} onInput=${(url) => set({...state, url})} placeholder=${String(card.node?.url ?? '')} dir="ltr" />
      <${Field} label=${t('peer.pin')} value=${state.pin ?? ''} onInput=${(pin) => set({...state, pin: pin.trim()})} pattern="[0-9a-f]{64}" dir="ltr" />
      <div class="row">${ways.map((way) => html`<label class="check"><input type="checkbox" checked=${state.on[way]} onChange=${flip(way)} />${word('way', way)}</label>`)}</div>`}<//>`;
}
export default function Partners() {
  const [query, set] = useQuery();
  const got = useData('peers');
  const made = (peer) => {
    note(t('peer.added', {team: peer.team}));
    go(`/partners/${encodeURIComponent(peer.team)}`);
  };
  const rows = got.data?.items ?? [];
  const lost = rows.filter((row) => row.lost).length;
  return html`<${Page} title=${t('page.partners')} actions=${html`<${PartnersTabs} at="partners" />
      ${may('operate') && html`<button class="main" onClick=${() => set({add: '1'})}>${t('peer.add')}</button>`}`}>
    <${Failure} error=${got.error} retry=${got.reload} />${!got.data && html`<${Busy} when=${got.loading} />`}
    ${lost > 0 && html`<div class="notice bad">${t('peer.lost', {n: number(lost)})}</div>`}
    <${Table} name="partners" caption=${t('page.partners')} hideCaption sorts columns=${columns()} rows=${rows} id=${(row) => row.team} />
    ${query.add && may('operate') && html`<${Add} close=${() => set({add: ''}, {replace: true})} done=${made} />`}<//>`;
}
