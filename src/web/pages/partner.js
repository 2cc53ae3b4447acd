// One partner's node: how each way goes, what was sent and confirmed lately, its card, what was agreed with it.
import {html, useState} from '../lib/htm.js';
import {t, number} from '../i18n.js';
import {ask, may} from '../api.js';
import {go} from '../router.js';
import {useData, Failure, Busy, Page, Facts, Table, Time, Team, Form, Code, note, download} from '../ui.js';
import {wayColumns, queueFacts} from './partners.js';
import {Lately} from './receipts.js';
import {Keys, Vouches, Agreed} from './team.js';

function Remove({team, close}) {
  const remove = async () => {
    await ask('DELETE', `peers/${encodeURIComponent(team)}`);
    note(t('peer.removed', {team}));
    go('/partners');
  };
  return html`<${Form} title=${t('peer.remove')} text=${html`${t('peer.remove.text')} <strong dir="auto">${team}</strong>`} act=${remove} close=${close} bad />`;
}
// For whoever shall see it: `comity verify` checks it.
function Evidence({team}) {
  const [error, fail] = useState();
  const keep = async () => {
    try {
      download(`${team}.two-histories`, 'text/plain', (await ask('GET', `peers/${encodeURIComponent(team)}/evidence`)).evidence);
      fail();
    } catch (problem) { fail(problem); }
  };
  return html`<div class="notice bad">${t('witness.two')} <button onClick=${keep}>${t('witness.evidence')}</button></div><${Failure} error=${error} />`;
}
function Witnessed({of, team}) {
  if (!of) return null;
  return html`<section class="panel"><h2>${t('witness')}</h2>
    ${of.two_histories && html`<${Evidence} team=${team} />`}${of.doubted && html`<div class="notice bad">${t('witness.doubted')}</div>`}
    <${Facts} of=${[[t('witness.log'), of.log ? html`<${Code}>${of.log}<//>` : '–'], [t('witness.size'), number(of.size)], [t('witness.ours'), number(of.seen_of_ours)]]} /></section>`;
}
export default function Partner({id}) {
  const got = useData(`peers/${encodeURIComponent(id)}`);
  const card = useData(`teams/${encodeURIComponent(id)}`);
  const [removing, remove] = useState(false);
  const p = got.data;
  return html`<${Page} title=${p?.name ?? id} actions=${html`<a class="button" href="/teams/${encodeURIComponent(id)}">${t('team')}</a>
      ${p && may('operate') && html`<button class="bad" onClick=${() => remove(true)}>${t('peer.remove')}</button>`}`}>
    <${Failure} error=${got.error} retry=${got.reload} />${!p && html`<${Busy} when=${got.loading} />`}
    ${p && html`${p.lost && html`<div class="notice bad">${t('peer.lost', {n: number(1)})}</div>`}
    ${p.account_disabled && html`<div class="notice">${t('peer.disabled')}</div>`}
    <div class="grid"><section class="panel"><${Facts} of=${[[t('team'), html`<${Team} id=${p.team} />`], [t('address'), html`<${Code}>${p.url}<//>`],
      [t('peer.certificate'), p.pin ? html`<${Code}>SHA-256 ${p.pin}<//>` : t('peer.unpinned')], [t('peer.contact'), html`<${Time} at=${p.contact} />`],
      [t('peer.account'), p.account && html`<${Code}>${p.account}<//>`], [t('peer.since'), html`<${Time} at=${p.added} /> <span dir="auto">${p.by}</span>`],
      ...['released', 'directory'].map((one) => [t(`polled.${one}`), html`<${Time} at=${p.polled[one]} />`])]} /></section>
    <section class="panel"><h2>${t('node.queues')}</h2><${Facts} of=${queueFacts(p)} /></section><${Witnessed} of=${p.witnessed} team=${p.team} /></div>
    <${Table} name="ways" caption=${t('ways')} columns=${wayColumns().toSpliced(-1, 0, {id: 'status', label: 'HTTP'})} rows=${p.ways} id=${(row) => row.way} />
    <${Lately} team=${id} /><${Failure} error=${card.error} />
    ${card.data && html`<${Keys} card=${card.data.card} /><${Vouches} team=${card.data} />`}<${Agreed} id=${id} />`}
    ${removing && html`<${Remove} team=${id} close=${() => remove(false)} />`}<//>`;
}
