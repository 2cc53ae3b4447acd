// What was delivered, and who has signed that it came?
import {html, useEffect} from '../lib/htm.js';
import {t, number} from '../i18n.js';
import {all, pathOf} from '../api.js';
import {useQuery} from '../router.js';
import {useData, useList, Failure, Busy, Page, Tabs, Table, More, Time, Tag, Team, Filter, Code, download} from '../ui.js';
import {PartnersTabs} from './partners.js';

const shows = ['all', 'open', 'late', 'differs'];
const lateMs = 86400000;
const late = (row) => row.state !== 'right' && Date.now() - Date.parse(row.written_out) > lateMs;

const columns = () => [
  {id: 'written_out', label: t('receipt.out'), cell: (row) => html`<${Time} at=${row.written_out} />
    <div class="quiet">${t(`reach.${row.delivered}`)}</div>`},
  {id: 'team', label: t('recipient'), cell: (row) => html`<${Team} id=${row.team} />`},
  {id: 'items', label: t('page.reports'), number: true, cell: (row) => html`<a href=${`/reports?${new URLSearchParams({delivery: row.batch})}`}>${number(row.items)}</a>`},
  {id: 'entry', label: t('ledger.entry'), number: true, cell: (row) => html`<a href="/ledger/${row.entry}">${number(row.entry)}</a>`},
  {id: 'delivered', hidden: true},
  {id: 'state', label: t('receipt'), cell: (row) => html`<${Tag} kind="receipt.state" value=${row.state} />
    ${row.came && html`<div><span class="quiet">${t('receipt.came')}:</span> <${Time} at=${row.came} /></div>`}
    ${row.signed_by && html`<div><span class="quiet">${t('receipt.key')}:</span> <${Code}>${row.signed_by}<//></div>`}`},
  {id: 'came', hidden: true},
  ...['stored', 'duplicate', 'rejected'].map((id) => ({id, label: t(`stat.${id}`), number: true})),
  {id: 'signed_by', hidden: true},
  {id: 'batch', label: t('receipt.batch'), cell: (row) => html`<${Code}>${row.batch}<//>${row.note && html` <button class="plain"
    onClick=${() => download(`receipt-${row.entry}.txt`, 'text/plain', row.note)}>${t('receipt.keep')}<span class="hidden"> ${number(row.entry)}</span></button>`}`}];

// The newest of one team.
export function Lately({team}) {
  const found = useData('receipts', {team, limit: 10});
  return html`<${Failure} error=${found.error} retry=${found.reload} />
    <${Table} name="receipts" caption=${t('peer.lately')} columns=${columns()} rows=${found.data?.items ?? []} id=${(row) => row.batch}>
      <a href=${`/receipts?${new URLSearchParams({team})}`}>${t('all')}</a><//>`;
}

// The node tells what is open; late and different are among that.
function useShown(show, team) {
  const narrow = show === 'late' || show === 'differs';
  const list = useList('receipts', {team, open: show === 'all' ? undefined : 'true', limit: narrow ? 1000 : 100});
  useEffect(() => { if (narrow && list.next && !list.busy && !list.error) list.more(); }, [narrow, list.next, list.busy]);
  const picked = {late, differs: (row) => row.state === 'differs'}[show];
  return {...list, items: picked ? list.items.filter(picked) : list.items, next: narrow ? undefined : list.next, picked};
}
export default function Receipts() {
  const [query] = useQuery();
  const show = shows.includes(query.show) ? query.show : 'all';
  const list = useShown(show, query.team);
  const tabs = html`<${Tabs} label=${t('filter')} at=${show}
    of=${shows.map((one) => [one, pathOf('/receipts', {show: one === 'all' ? '' : one, team: query.team}), t(`receipts.${one}`)])} />`;
  const fetchAll = async (tell) => {
    const rows = await all('receipts', {team: query.team, open: show === 'all' ? undefined : 'true'}, 50000, tell);
    return list.picked ? rows.filter(list.picked) : rows;
  };
  return html`<${Page} title=${t('page.receipts')} actions=${html`<${PartnersTabs} at="receipts" />`}>
    <${Filter} name="team" label=${t('filter.team')}>${tabs}<//>
    <p class="quiet">${t('receipts.text')} ${list.data?.open > 0 && html`<strong>${t('receipts.count', {n: number(list.data.open)})}</strong>`}
      ${list.data?.oldest_open && html` ${t('queue.oldest')}: <${Time} at=${list.data.oldest_open} />`}</p>
    <${Failure} error=${list.error} retry=${list.reload} /><${Busy} when=${list.busy} />
    <${Table} name="receipts" caption=${t('page.receipts')} hideCaption columns=${columns()} rows=${list.items} id=${(row) => row.batch} fetchAll=${fetchAll}>
      <${More} list=${list} /><//><//>`;
}
