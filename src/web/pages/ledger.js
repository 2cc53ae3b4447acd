// What has the ledger recorded? Read from its tiles, as anybody can.
import {html, useState, useEffect, useRef} from '../lib/htm.js';
import {t, word, number} from '../i18n.js';
import {useQuery} from '../router.js';
import {useData, Failure, Busy, Page, Facts, Table, Time, Team, Choice, Filter, Code} from '../ui.js';
import {Log, fetchCheckpoint, fetchCosigned, readCheckpoint, readEntry, base64, hex, cosignedAt} from '../tlog.js';

const bundle = 256;
const kinds = ['delivery', 'decision', 'agreement'];
const enough = 100; // entries, before it is asked for more
const most = 50000; // entries of one export

const told = (index, bytes) => {
  try {
    const {entry} = readEntry(bytes);
    return {index, ...entry, with: entry.to ?? entry.by};
  } catch { return {index, kind: ''}; }
};
export const what = (row) => (row.event ? word('event', row.event) : row.decision ? word('decision', row.decision) : word('ledger.kind', row.kind));

// Of bundle N, the newest first.
const rowsOf = async (log, n) => (await log.bundle(n)).map((bytes, i) => told(n * bundle + i, bytes)).reverse();
const lastBundle = (from) => Math.floor((from - 1) / bundle);

async function read(log, from, tell = () => {}) {
  const rows = [];
  for (let n = lastBundle(from); n >= 0 && rows.length < most; n--) {
    rows.push(...await rowsOf(log, n));
    tell(rows.length);
  }
  return rows;
}
// The newest that FIT so far, bundle by bundle until there are enough more; there may be more while `from` is above 0.
function useEntries(fits, asked) {
  const [state, set] = useState({rows: [], busy: true});
  const turn = useRef(0);
  const step = async (old) => {
    const mine = ++turn.current;
    const tell = (now) => mine === turn.current && set(now);
    tell({...old, busy: true, error: null});
    try {
      const checkpoint = old.checkpoint ?? readCheckpoint(await fetchCheckpoint());
      const log = old.log ?? new Log(checkpoint.size);
      let from = old.from ?? checkpoint.size;
      let rows = old.rows;
      while (from > 0 && rows.length < old.rows.length + enough && mine === turn.current) {
        const n = lastBundle(from);
        rows = [...rows, ...(await rowsOf(log, n)).filter(fits)];
        from = n * bundle;
        tell({checkpoint, log, from, rows, busy: true});
      }
      tell({checkpoint, log, from, rows, busy: false});
    } catch (error) { tell({...old, busy: false, error: error.status === 404 ? null : error, none: error.status === 404}); }
  };
  const begin = () => { step({rows: []}); };
  useEffect(begin, [asked]);
  useEffect(() => () => { turn.current = -1; }, []);
  return {...state, more: () => step(state), reload: begin};
}
const columns = () => [
  {id: 'index', label: t('ledger.entry'), cell: (row) => html`<a href="/ledger/${row.index}">${number(row.index)}</a>`},
  {id: 'time', label: t('since'), cell: (row) => html`<${Time} at=${row.time} />`},
  {id: 'kind', label: t('team.kind'), value: (row) => row.kind, cell: (row) => what(row)},
  {id: 'from', label: t('from.team'), cell: (row) => row.from && html`<${Team} id=${row.from} />`},
  {id: 'with', label: t('ledger.with'), cell: (row) => row.with && html`<${Team} id=${row.with} />`},
  {id: 'items', label: t('page.reports'), number: true},
  {id: 'agreement', label: t('agreement'), value: (row) => row.agreement ?? row.clauses?.map((one) => `${one.agreement}#${one.clause}`),
    cell: (row) => (row.agreement ? [{agreement: row.agreement}] : row.clauses ?? []).map((one) => html`<div><a href="/agreements/${encodeURIComponent(one.agreement)}" dir="auto">${
      one.clause ? `${t('clause')} ${one.clause}` : one.agreement}</a></div>`)},
  {id: 'id', label: t('receipt.batch'), cell: (row) => row.id && html`<${Code}>${row.id}<//>`}];

// Nobody is asked for cosignatures that no partner says it gave.
function Witnesses() {
  const peers = useData('peers');
  const [note, know] = useState();
  const given = (peers.data?.items ?? []).some((one) => one.witnessed?.seen_of_ours > 0);
  useEffect(() => { if (given) fetchCosigned().then(know, () => {}); }, [given]);
  const rows = (note?.signatures.slice(1) ?? []).map((one) => ({name: one.name, id: hex(one.id), time: cosignedAt(one.bytes)}));
  const seen = (peers.data?.items ?? []).filter((one) => one.witnessed);
  return html`<${Table} name="cosignatures" caption=${note ? `${t('ledger.cosigned')}: ${t('ledger.at', {n: readCheckpoint(note).size})}` : t('ledger.cosigned')} columns=${[{id: 'name', label: t('witness'), cell: (row) => html`<${Code}>${row.name}<//>`},
      {id: 'id', label: t('keys'), cell: (row) => html`<${Code}>${row.id}<//>`}, {id: 'time', label: t('since'), cell: (row) => html`<${Time} at=${row.time} />`}]} rows=${rows} id=${(row) => row.name} />
    ${seen.length > 0 && html`<${Table} name="witnessed" caption=${t('ledger.witnessed')} columns=${[{id: 'team', label: t('team'), cell: (row) => html`<a href="/partners/${encodeURIComponent(row.team)}">${row.team}</a>`},
      {id: 'size', label: t('witness.size'), number: true, value: (row) => row.witnessed.size}, {id: 'ours', label: t('witness.ours'), number: true, value: (row) => row.witnessed.seen_of_ours},
      {id: 'state', label: t('node.state'), value: (row) => row.witnessed.two_histories, cell: (row) => row.witnessed.two_histories
        ? html`<span class="tag bad">${t('witness.two')}</span>` : row.witnessed.doubted && html`<span class="tag bad">${t('witness.doubted')}</span>`}]} rows=${seen} id=${(row) => row.team} />`}`;
}
export default function Ledger() {
  const [query, set] = useQuery();
  const fits = (row) => (!query.kind || row.kind === query.kind) && (!query.team || row.from === query.team || row.with === query.team);
  const list = useEntries(fits, JSON.stringify([query.kind, query.team]));
  const fetchAll = async (tell) => (await read(list.log, list.checkpoint.size, tell)).filter(fits);
  const c = list.checkpoint;
  return html`<${Page} title=${t('page.ledger')} actions=${html`<a class="button" href="/ledger/proof">${t('verify.proof')}</a>`}>
    ${c && html`<section class="panel"><${Facts} of=${[[t('ledger.name'), html`<${Code}>${c.origin}<//>`], [t('ledger.size'), number(c.size)], [t('ledger.root'), html`<${Code}>${base64(c.root)}<//>`]]} /></section>`}
    <${Filter} name="team" label=${t('filter.team')}
      before=${html`<${Choice} label=${t('team.kind')} any=${t('any')} value=${query.kind} onInput=${(kind) => set({kind})} options=${kinds.map((one) => [one, t(`ledger.kind.${one}`)])} />`} />
    <${Failure} error=${list.error} retry=${list.reload} /><${Busy} when=${list.busy} />
    ${list.none && html`<p class="notice">${t('ledger.none')}</p>`}
    <${Table} name="ledger" caption=${t('page.ledger')} hideCaption columns=${columns()} rows=${list.rows} id=${(row) => row.index} fetchAll=${list.log && fetchAll}>
      <span class="row">${list.from > 0 && html`<button disabled=${list.busy} onClick=${list.more}>${t('more')}</button>`} <span class="quiet">${t('shown', {n: list.rows.length})}</span></span><//>
    ${c && html`<${Witnesses} />`}<//>`;
}
