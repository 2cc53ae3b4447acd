// What do pages share that show signed cards: what differs, and the dialog in which a person decides?
import {html, useState} from '../lib/htm.js';
import {t, word} from '../i18n.js';
import {ask} from '../api.js';
import {Table, Time, Team, Form, Reason, Code, asText, note} from '../ui.js';

const most = 500; // rows of differences that are shown

// What each node says for itself, and what follows from the rest.
const apart = ['verified', 'accepted', 'signature', 'vouches'];
const isList = (value) => Array.isArray(value) && value.every((one) => typeof one !== 'object');
const members = (card) => Object.entries(card ?? {}).filter(([key]) => !apart.includes(key)).flatMap(([key, value]) =>
  (value && typeof value === 'object' && !Array.isArray(value) ? Object.entries(value).map(([name, one]) => [`${key}.${name}`, one]) : [[key, value]]));

// Member by member; of lists of words, what is new and what is gone.
function differences(before, after) {
  const [was, is] = [new Map(members(before)), new Map(members(after))];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((key) => {
    const [a, b] = [was.get(key), is.get(key)];
    if (asText(a) === asText(b)) return [];
    if (!isList(a ?? []) || !isList(b ?? [])) return [{key, before: asText(a), after: asText(b)}];
    const [old, now] = [new Set(a ?? []), new Set(b ?? [])];
    return [...[...old].filter((one) => !now.has(one)).map((one) => ({key, before: asText(one), after: ''})),
      ...[...now].filter((one) => !old.has(one)).map((one) => ({key, before: '', after: asText(one)}))];
  }).slice(0, most);
}
export function Differences({before, after, caption}) {
  const columns = [{id: 'key', label: t('field'), cell: (row) => html`<${Code}>${row.key}<//>`},
    before && {id: 'before', label: t('before'), cell: (row) => row.before && html`<del class="value" dir="auto">${row.before}</del>`},
    {id: 'after', label: t('after'), cell: (row) => row.after && html`<ins class="value" dir="auto">${row.after}</ins>`}].filter(Boolean);
  return html`<${Table} name="differences" caption=${caption} columns=${columns} rows=${differences(before, after)} id=${(row) => `${row.key} ${row.before} ${row.after}`} />`;
}

// What becomes of a card: CARD has team, key, version and sha256, so that nobody decides about another than was shown.
function Decide({what, card, close, done}) {
  const act = async (form) => {
    await ask('POST', `cards/${encodeURIComponent(card.team)}/${what === 'forget' ? 'refuse' : what}`, {body: {sha256: card.sha256, reason: form.get('reason')}});
    note(t(`card.act.${what}.done`, {team: card.team}));
    done();
  };
  const takes = what === 'accept' || what === 'vouch';
  return html`<${Form} title=${t(`card.act.${what}`)} text=${t(`card.act.${what}.text`)} act=${act} close=${close} bad=${!takes}>
    <p><strong dir="auto">${card.team}</strong> <${Code}>${card.version}<//><br />${t('fingerprint')}: <${Code}>${card.key}<//></p>
    ${takes && html`<label class="check"><input type="checkbox" required />${t('card.compared')}</label>`}<${Reason} /><//>`;
}
// One button for each of WHATS; what they do is asked about first.
export function Decisions({whats, card, done}) {
  const [what, choose] = useState();
  const finished = () => { choose(null); done(what); };
  return html`${whats.map((one) => html`<button key=${one} class=${one === 'accept' ? 'main' : one === 'vouch' ? '' : 'bad'} onClick=${() => choose(one)}>
      ${t(`card.act.${one}`)}</button>`)}
    ${what && html`<${Decide} what=${what} card=${card} close=${() => choose(null)} done=${finished} />`}`;
}

export const waitingColumns = () => [
  {id: 'team', label: t('team'), cell: (row) => html`<a href="/teams/${encodeURIComponent(row.team)}/waiting" dir="auto">${row.team}</a>`},
  {id: 'name', label: t('name')},
  {id: 'why', label: t('card.why'), cell: (row) => html`<span lang="en" dir="auto">${row.why}</span>`},
  {id: 'claims', label: t('card.claims'), value: (row) => row.claims, cell: (row) => html`<span class="value" dir="auto">${row.claims.slice(0, 5).join(', ')}
    ${row.claims.length + row.claims_more > 5 && ' …'}</span>`},
  {id: 'sponsors', label: t('card.sponsors'), value: (row) => row.sponsors, cell: (row) => row.sponsors.map((one, i) => html`${i > 0 && ', '}<${Team} id=${one} />`)},
  {id: 'since', label: t('since'), cell: (row) => html`<${Time} at=${row.since} />`},
  {id: 'from', label: t('card.from'), value: (row) => row.from ?? row.team, cell: (row) => html`<${Team} id=${row.from ?? row.team} />`},
  {id: 'key', label: t('fingerprint'), cell: (row) => html`<${Code}>${row.key}<//>`}];

// What people here decided of a team’s cards.
export function Decided({of}) {
  const columns = [{id: 'at', label: t('since'), cell: (row) => html`<${Time} at=${row.at} />`}, {id: 'what', label: t('decided'), value: (row) => row.what, cell: (row) => word('card.decided', row.what)},
    {id: 'account', label: t('by')}, {id: 'why', label: t('reason')}, {id: 'version', label: t('card.version'), cell: (row) => html`<${Code}>${row.version}<//>`},
    {id: 'key', label: t('fingerprint'), cell: (row) => html`<${Code}>${row.key}<//>`}];
  return html`<${Table} name="decided" caption=${t('card.history')} columns=${columns} rows=${of} id=${(row) => row.at} />`;
}
