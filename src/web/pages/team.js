// One team: what it answers for, whose word its card is, by which keys it is known, how it is reached, what was agreed with it and sent to it.
import {html} from '../lib/htm.js';
import {t, word, list, number, economy} from '../i18n.js';
import {may} from '../api.js';
import {useData, Failure, Busy, Page, Table, Facts, Code, Economy, Standing, Team as TeamLink, Time, download} from '../ui.js';
import {Places} from '../map.js';
import {Way, queueFacts} from './partners.js';
import {Lately} from './receipts.js';
import {Decisions, Decided} from './cards.js';

// A card's text may name a site; only such a link is made of it.
const Site = ({url}) => (/^https?:\/\//.test(url ?? '') ? html`<a href=${url} rel="noreferrer noopener" target="_blank" dir="ltr">${url}</a>` : url);
const code = (value) => html`<${Code}>${value}<//>`;

function Channels({card}) {
  const columns = [{id: 'type', label: t('channel')}, {id: 'address', label: t('address'), cell: (row) => code(row.address)},
    {id: 'encrypted', label: t('require.encrypted-channel'), value: (row) => row.encrypted ?? /^https:/.test(row.address),
      cell: (row) => t((row.encrypted ?? /^https:/.test(row.address)) ? 'yes' : 'no')},
    {id: 'receipt', label: t('require.receipt'), value: (row) => row.receipt ?? false, cell: (row) => t(row.receipt ? 'yes' : 'no')}, {id: 'note', label: t('note')}];
  return html`<${Table} name="channels" caption=${t('channels')} columns=${columns} rows=${card?.channels ?? []} id=${(row) => row.address} />`;
}
export function Keys({card}) {
  const columns = [{id: 'type', label: t('team.kind')}, {id: 'id', label: 'ID', cell: (row) => code(row.id)},
    {id: 'fingerprint', label: t('fingerprint'), cell: (row) => code(row.fingerprint ?? row.key)}, {id: 'expires', label: t('until')}];
  return html`<${Table} name="keys" caption=${t('keys')} columns=${columns} rows=${card?.keys ?? []} id=${(row) => row.id ?? row.fingerprint} />`;
}
// Of a team: who vouches for the key of the card that was accepted, and whose word counts here.
export function Vouches({team}) {
  const columns = [{id: 'by', label: t('card.sponsor'), value: (row) => row.by, cell: (row) => html`<${TeamLink} id=${row.by} />`},
    {id: 'known', label: t('card.vouch.known'), value: (row) => row.known, cell: (row) => html`<${Known} is=${row.known} />`},
    {id: 'time', label: t('since'), cell: (row) => html`<${Time} at=${row.time} />`}, {id: 'key', label: t('fingerprint'), cell: (row) => code(row.key)}];
  return html`<${Table} name="vouches" caption=${t('card.vouches')} columns=${columns} rows=${team.vouches ?? []} id=${(row) => `${row.by} ${row.key}`} />`;
}
const Known = ({is}) => html`<span class="tag ${is ? 'good' : 'wait'}">${t(is ? 'yes' : 'no')}</span>`;

// By which keys it is known: each with what it is for, and how long it counted.
function KnownKeys({team}) {
  const state = (key) => (key.signs ? 'signs' : key.known ? 'trusted' : 'ended');
  const columns = [{id: 'fingerprint', label: t('fingerprint'), cell: (row) => code(row.fingerprint)},
    {id: 'state', label: t('standing'), value: state, cell: (row) => html`<span class="tag ${row.known ? 'good' : ''}">${t(`card.key.${state(row)}`)}</span>`},
    {id: 'until', label: t('until'), cell: (row) => (row.until ? html`<${Time} at=${row.until} />` : t('open'))}];
  return html`<${Table} name="known-keys" caption=${t('card.keys')} columns=${columns} rows=${team.keys} id=${(row) => row.fingerprint} />`;
}
// Its own word, and where its node is.
function Signed({team, link, own}) {
  const s = team.signed;
  const node = team.card?.node;
  return html`<section class="panel"><h2>${t('card')}</h2><${Facts} of=${[[t('card.whose'), s ? html`${word('card.as', own ? 'own' : s.as)} ${list(s.sponsors)}` : t(team.verified ? 'team.vouched.yes' : 'team.unconfirmed')],
    ...(s ? [[t('card.accepted'), html`<${Time} at=${s.accepted} />`], [t('card.from'), s.from && html`<${TeamLink} id=${s.from} />`], [t('card.version'), code(s.version)],
      [t('fingerprint'), code(s.key)], ['SHA-256', code(s.sha256)]] : []),
    [t('address'), node?.url && code(node.url)], [t('peer.certificate'), node?.certificate && code(`SHA-256 ${node.certificate}`)],
    ...['log', 'witness', 'receipt'].map((one) => [t(`card.node.${one}`), node?.[one] && code(node[one])]),
    [t('page.partners'), link ? html`<a href="/partners/${encodeURIComponent(team.id)}">${link.ways.map((way) => html`<${Way} of=${way} />`)}</a>` : t('card.nolink')]]} /></section>`;
}
function Sent({id}) {
  const found = useData('outbox');
  const item = found.data?.items.find((one) => one.team === id);
  return html`<${Failure} error=${found.error} retry=${found.reload} />${item && html`<section class="panel"><h2>${t('card.sent')}</h2>
    <${Facts} of=${queueFacts(item)} /></section>`}<${Lately} team=${id} />`;
}
function Constituency({card}) {
  const of = card?.constituency ?? {};
  const rows = ['prefixes', 'asns', 'domains'].flatMap((kind) => (of[kind] ?? []).map((value) => ({kind, value: kind === 'asns' ? `AS${value}` : value})));
  const to = {prefixes: 'address', asns: 'asn', domains: 'name'};
  const columns = [{id: 'kind', label: t('team.kind'), value: (row) => row.kind, cell: (row) => t(`constituency.${row.kind}`)}, {id: 'value', label: t('constituency'),
    cell: (row) => html`<a href=${`/reports?${new URLSearchParams({[to[row.kind]]: row.value.replace(/^AS/, '')})}`}>${code(row.value)}</a>`}];
  return html`${of.description && html`<p dir="auto">${of.description}</p>`}
    <${Table} name="constituency" caption=${t('constituency')} columns=${columns} rows=${rows} id=${(row) => row.value} />`;
}
export function Agreed({id}) {
  const found = useData('agreements', {team: id, limit: 1000});
  const columns = [{id: 'title', label: t('title'), cell: (row) => html`<a href="/agreements/${encodeURIComponent(row.id)}" dir="auto">${row.title ?? row.id}</a>`},
    {id: 'kind', label: t('team.kind'), value: (row) => row.kind, cell: (row) => word('agreement.kind', row.kind)},
    {id: 'standing', label: t('standing'), value: (row) => row.standing, cell: (row) => html`<${Standing} of=${row.standing} />`}];
  return html`<${Failure} error=${found.error} /><${Table} name="agreements" caption=${t('page.agreements')} columns=${columns} rows=${found.data?.items ?? []} id=${(row) => row.id} />`;
}
const facts = (team, card) => [['ID', code(team.id)], [t('team.full'), team.full_name && html`<span dir="auto">${team.full_name}</span>`],
  [t('team.kind'), word('team.kind', team.kind)], [t('page.economies'), team.economies.map((one, i) => html`${i > 0 && ', '}<${Economy} code=${one} />`)],
  [t('team.site'), team.site && html`<${Site} url=${team.site} />`], [t('team.hours'), card?.hours && html`<span dir="auto">${card.hours} ${card.timezone}</span>`],
  [t('team.memberships'), card?.memberships && html`<span dir="auto">${list(card.memberships)}</span>`], [t('team.established'), card?.established],
  [t('team.source'), html`<span dir="auto">${team.source} ${card?.source_date}</span>`], [t('note'), card?.note && html`<span dir="auto">${card.note}</span>`],
  [t('constituency'), number(team.constituency.prefixes + team.constituency.asns + team.constituency.domains)]];

// What may be done with its card, and what leads on.
function Actions({id, team, own, done}) {
  const card = team?.signed && {team: id, ...team.signed};
  return html`<a class="button" href=${`/reports?${new URLSearchParams({team: id})}`}>${t('team.reports')}</a>
    <a class="button" href=${`/held?${new URLSearchParams({team: id})}`}>${t('page.held')}</a>
    ${own && may('agree') && html`<a class="button" href="/teams/${encodeURIComponent(id)}/card">${t('card.own')}</a>`}
    ${card && !own && may('agree') && html`<${Decisions} whats=${['vouch', 'forget']} card=${card} done=${done} />`}
    ${team?.card && html`<button onClick=${() => download(`${id}.json`, 'application/json', `${JSON.stringify(team.card, null, 2)}\n`)}>${t('card.keep')}</button>`}`;
}
export default function Team({id}) {
  const got = useData(`teams/${encodeURIComponent(id)}`);
  const status = useData('status');
  const peers = useData('peers');
  const team = got.data;
  const card = team?.card;
  return html`<${Page} title=${team?.name ?? id} actions=${html`<${Actions} id=${id} team=${team} own=${status.data?.team === id} done=${got.reload} />`}>
    <${Failure} error=${got.error} retry=${got.reload} />${!team && html`<${Busy} when=${got.loading} />`}
    ${team && html`${!team.verified && html`<div class="notice">${t('team.unverified')}</div>`}
    ${team.waiting > 0 && html`<div class="notice"><a href="/teams/${encodeURIComponent(id)}/waiting">${t('card.waits', {n: number(team.waiting)})}</a></div>`}
    <div class="grid"><section class="panel"><${Facts} of=${facts(team, card)} /></section>
    <section class="panel"><${Places} codes=${team.economies} label=${t('team.map.label', {list: list(team.economies.map(economy))})} /></section>
    </div><${Signed} team=${team} own=${status.data?.team === id} link=${peers.data?.items.find((one) => one.team === id)} />
    <${Channels} card=${card} /><${KnownKeys} team=${team} /><${Keys} card=${card} /><${Vouches} team=${team} />
    ${team.decided.length > 0 && html`<${Decided} of=${team.decided} />`}<${Constituency} card=${card} /><${Agreed} id=${id} /><${Sent} id=${id} />`}<//>`;
}
