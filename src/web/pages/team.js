// One team: what it answers for, how it is reached, what was agreed with it.
import {html} from '../lib/htm.js';
import {t, word, list, number, economy} from '../i18n.js';
import {useData, Failure, Busy, Page, Table, Facts, Code, Economy, Tag, Team as TeamLink, Time} from '../ui.js';
import {Places} from '../map.js';

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
export function Vouches({card}) {
  const columns = [{id: 'by', label: t('card.sponsor'), value: (row) => row.by, cell: (row) => html`<${TeamLink} id=${row.by} />`},
    {id: 'time', label: t('since'), cell: (row) => html`<${Time} at=${row.time} />`}];
  return html`<${Table} name="vouches" caption=${t('card.vouches')} columns=${columns} rows=${card?.vouches ?? []} id=${(row) => row.by} />`;
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
    {id: 'standing', label: t('standing'), value: (row) => row.standing, cell: (row) => html`<${Tag} kind="standing" value=${row.standing.replaceAll(' ', '-')} />`}];
  return html`<${Failure} error=${found.error} /><${Table} name="agreements" caption=${t('page.agreements')} columns=${columns} rows=${found.data?.items ?? []} id=${(row) => row.id} />`;
}
export default function Team({id}) {
  const got = useData(`teams/${encodeURIComponent(id)}`);
  const team = got.data;
  const card = team?.card;
  return html`<${Page} title=${team?.name ?? id} actions=${html`<a class="button" href=${`/reports?${new URLSearchParams({team: id})}`}>${t('team.reports')}</a>
    <a class="button" href=${`/held?${new URLSearchParams({team: id})}`}>${t('page.held')}</a>`}>
    <${Failure} error=${got.error} retry=${got.reload} />${!team && html`<${Busy} when=${got.loading} />`}
    ${team && html`${!team.verified && html`<div class="notice">${t('team.unverified')}</div>`}
    <div class="grid"><section class="panel"><${Facts} of=${[['ID', code(team.id)], [t('team.full'), team.full_name && html`<span dir="auto">${team.full_name}</span>`],
      [t('team.kind'), word('team.kind', team.kind)], [t('page.economies'), team.economies.map((one, i) => html`${i > 0 && ', '}<${Economy} code=${one} />`)],
      [t('team.site'), team.site && html`<${Site} url=${team.site} />`], [t('team.hours'), card?.hours && html`${card.hours} ${card.timezone}`],
      [t('team.memberships'), card?.memberships && list(card.memberships)], [t('team.established'), card?.established],
      [t('team.vouched'), t(team.verified ? 'team.vouched.yes' : 'team.unconfirmed')],
      [t('team.source'), html`<span dir="auto">${team.source} ${card?.source_date}</span>`], [t('note'), card?.note && html`<span dir="auto">${card.note}</span>`],
      [t('constituency'), number(team.constituency.prefixes + team.constituency.asns + team.constituency.domains)]]} /></section>
    <section class="panel"><${Places} codes=${team.economies} label=${t('team.map.label', {list: list(team.economies.map(economy))})} /></section></div>
    <${Channels} card=${card} /><${Keys} card=${card} /><${Vouches} card=${card} /><${Constituency} card=${card} /><${Agreed} id=${id} />`}<//>`;
}
