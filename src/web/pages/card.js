// This team's own card: what it says until now, what it would say, signed with the team's key and shown to partners.
import {html, useState} from '../lib/htm.js';
import {t} from '../i18n.js';
import {ask, may} from '../api.js';
import {go} from '../router.js';
import {useData, useSaid, oneLine, Failure, Busy, Page, Facts, Form, Field, Code, note} from '../ui.js';
import {Differences} from './cards.js';

const made = ['version', 'node', 'signature', 'vouches', 'verified', 'accepted'];

// What the team itself says: the rest is put in when it is signed. Keys that ended, and those of other types, stay.
function own(card) {
  const said = Object.fromEntries(Object.entries(card).filter(([key]) => !made.includes(key)));
  const keys = (said.keys ?? []).filter((key) => key.type !== 'ed25519' || key.expires);
  delete said.keys;
  return {...said, verified: true, ...(keys.length ? {keys} : {})};
}
const empty = (id) => ({id, name: id, kind: 'national', economies: [], constituency: {prefixes: [], asns: [], domains: []}, channels: [], source: id, verified: true});

function Sign({next, body, close}) {
  const sign = async () => {
    await ask('POST', 'card', {body: {...body, sha256: next.sha256}});
    note(t('card.publish.done'));
    go(`/teams/${encodeURIComponent(next.team)}`);
  };
  return html`<${Form} title=${t('card.publish')} text=${t('card.publish.text')} act=${sign} close=${close}>
    <p>${next.key ? html`${t('fingerprint')}: <${Code}>${next.key}<//>` : t('card.newkey')}</p><p>SHA-256: <${Code}>${next.sha256}<//></p><//>`;
}
function Desk({team}) {
  const [url, say] = useState('');
  const [text, write] = useState('');
  const [signing, sign] = useState(false);
  const {said: next, of: body, error, fresh} = useSaid('card/check', {...(url ? {url} : {}), ...(text ? {card: oneLine(text)} : {})});
  const known = next?.card ?? next?.before;
  const ready = fresh && next?.card && !next.same && !error;
  return html`<${Failure} error=${error} />${!next && !error && html`<${Busy} when=${true} />`}${next && html`<section class="panel"><${Facts} of=${[
      [t('card.version'), next.version ? html`<${Code}>${next.version}<//>` : t('card.never')], [t('fingerprint'), next.key ? html`<${Code}>${next.key}<//>` : t('card.newkey')],
      [t('address'), known?.node?.url && html`<${Code}>${known.node.url}<//>`], [t('peer.certificate'), known?.node?.certificate && html`<${Code}>SHA-256 ${known.node.certificate}<//>`]]} /></section>
    <div class="grid"><div class="stack"><${Field} label=${t('card.url')} type="url" value=${url} onInput=${(value) => say(value.trim())} placeholder=${known?.node?.url ?? 'https://node.example.org:8444'} dir="ltr" />
      ${text ? html`<label>${t('card.text')}<textarea class="mono" rows="24" spellcheck=${false} dir="ltr" value=${text} onInput=${(e) => write(e.target.value)}></textarea></label>`
        : html`<button onClick=${() => write(JSON.stringify(known ? own(known) : empty(team), null, 2))} disabled=${!known && next.field !== 'card'}>${t('card.edit')}</button>`}</div>
    <div><div role="status">${next.why && html`<div class="notice bad">${next.field === 'url' && !url ? html`${t('card.url.missing')} <${Code}>https://HOST:PORT<//>`
        : html`${t('card.cannot')} <span lang="en" dir="auto">${next.field && html`<${Code}>${next.field}<//>: `}${next.why}</span>`}</div>`}
      ${next.same && html`<div class="notice good">${t('card.same')}</div>`}</div>
      ${next.card && !next.same && html`<${Differences} before=${next.before} after=${next.card} caption=${t(next.before ? 'card.changes' : 'card.says')} />`}
      <button class="main" disabled=${!ready} onClick=${() => sign(true)}>${t('card.publish')}</button>
      <p class="quiet">${t('card.rekey')} <${Code}>comity team rekey<//></p></div></div>`}
    ${signing && html`<${Sign} next=${next} body=${body} close=${() => sign(false)} />`}`;
}
export default function Card({id}) {
  const status = useData('status');
  const mine = status.data?.team === id;
  return html`<${Page} title=${t('card.own')} actions=${html`<a class="button" href="/teams/${encodeURIComponent(id)}">${t('team')}</a>`}>
    <${Failure} error=${status.error} retry=${status.reload} />${!status.data && html`<${Busy} when=${status.loading} />`}
    ${status.data && (!may('agree') || !mine) && html`<p class="notice">${t(mine ? 'card.rights' : 'card.notown')}</p>`}
    ${mine && may('agree') && html`<${Desk} team=${id} />`}<//>`;
}
