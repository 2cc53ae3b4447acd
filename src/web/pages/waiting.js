// The cards of one team that wait: why, what they claim anew, what differs; accept, refuse, vouch.
import {html} from '../lib/htm.js';
import {t, list, number} from '../i18n.js';
import {may} from '../api.js';
import {go} from '../router.js';
import {useData, Failure, Busy, Page, Facts, Time, Team, Code, download} from '../ui.js';
import {Differences, Decisions, Decided} from './cards.js';

const facts = (c) => [[t('card.why'), html`<span lang="en" dir="auto">${c.why}</span>`], [t('fingerprint'), html`<${Code}>${c.key}<//>`],
  [t('card.version'), html`<${Code}>${c.version}<//>`], [t('since'), html`<${Time} at=${c.since} />`], [t('card.from'), html`<${Team} id=${c.from ?? c.team} />`],
  [t('address'), c.url && html`<${Code}>${c.url}<//>`], [t('peer.certificate'), c.certificate && html`<${Code}>SHA-256 ${c.certificate}<//>`],
  [t('card.sponsors'), c.sponsors.length ? list(c.sponsors) : t('card.nosponsor')], ['SHA-256', html`<${Code}>${c.sha256}<//>`]];

function Claims({of}) {
  if (!of.claims.length) return null;
  return html`<div class="notice"><strong>${t('card.claims')}</strong> ${t('card.claims.text')}
    <ul>${of.claims.map((one) => html`<li><span lang="en" dir="auto">${one}</span></li>`)}${of.claims_more > 0 && html`<li>${t('card.claims.more', {n: number(of.claims_more)})}</li>`}</ul></div>`;
}
function Waits({card, done}) {
  return html`<section class="panel"><h2 dir="auto">${card.name ?? card.team}</h2><${Facts} of=${facts(card)} /><${Claims} of=${card} />
    <${Differences} before=${card.before} after=${card.card} caption=${t(card.before ? 'card.differs' : 'card.says')} />
    <div class="row">${may('agree') && html`<${Decisions} whats=${['accept', 'vouch', 'refuse']} card=${card} done=${done} />`}
      <button onClick=${() => download(`${card.team}.json`, 'application/json', `${JSON.stringify(card.card, null, 2)}\n`)}>${t('card.keep')}</button></div></section>`;
}
export default function Waiting({id}) {
  const got = useData(`cards/${encodeURIComponent(id)}`);
  const done = (what) => (what === 'refuse' ? got.reload() : go(`/teams/${encodeURIComponent(id)}`));
  const items = got.data?.items;
  return html`<${Page} title=${t('card.of', {team: id})} actions=${items?.[0]?.before && html`<a class="button" href="/teams/${encodeURIComponent(id)}">${t('team')}</a>`}>
    <${Failure} error=${got.error} retry=${got.reload} />${!items && html`<${Busy} when=${got.loading} />`}
    ${items && !may('agree') && html`<p class="notice">${t('card.rights')}</p>`}
    ${got.data?.damaged > 0 && html`<div class="notice bad">${t('card.damaged', {n: number(got.data.damaged)})}</div>`}
    ${items && !items.length && html`<p>${t('card.none')} <a href="/teams">${t('page.teams')}</a></p>`}
    ${items?.map((one) => html`<${Waits} key=${one.sha256} card=${one} done=${done} />`)}
    ${got.data?.decided.length > 0 && html`<${Decided} of=${got.data.decided} />`}<//>`;
}
