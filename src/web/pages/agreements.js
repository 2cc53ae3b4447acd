// What has been agreed, and does it hold?
import {html} from '../lib/htm.js';
import {t, word, list} from '../i18n.js';
import {all, may} from '../api.js';
import {useQuery} from '../router.js';
import {useSorted, Failure, Busy, Page, Table, More, Time, Standing, Filter, Link} from '../ui.js';

const columns = () => [
  {id: 'title', label: t('title'), cell: (row) => html`<${Link} to=${`/agreements/${encodeURIComponent(row.id)}`}>${row.title ?? row.id}<//>`},
  {id: 'kind', label: t('team.kind'), value: (row) => row.kind, cell: (row) => word('agreement.kind', row.kind)},
  {id: 'parties', label: t('parties'), value: (row) => row.parties, cell: (row) => html`<span dir="auto">${list(row.parties) || t('party.all')}</span>`},
  {id: 'standing', label: t('standing'), value: (row) => row.standing, cell: (row) => html`<${Standing} of=${row.standing} />
    ${row.why && html`<div class="quiet" dir="auto">${row.why}</div>`}`},
  {id: 'signed_by_all', label: t('signed'), value: (row) => row.signed_by_all, cell: (row) => t(row.signed_by_all ? 'yes' : 'no')},
  {id: 'valid_from', label: t('from'), cell: (row) => html`<${Time} at=${row.valid_from} />`},
  {id: 'valid_until', label: t('until'), cell: (row) => html`<${Time} at=${row.valid_until} />`},
  {id: 'clauses', label: t('clauses'), number: true}];

export default function Agreements() {
  const [query] = useQuery();
  const found = useSorted('agreements', {team: query.team});
  return html`<${Page} title=${t('page.agreements')} actions=${may('agree') && html`<a class="button" href="/agreements/new">${t('draft')}</a>`}>
    <${Filter} name="team" label=${t('agreement.party')} />
    <${Failure} error=${found.error} retry=${found.reload} /><${Busy} when=${found.busy} />
    <${Table} name="agreements" caption=${t('page.agreements')} hideCaption sorts more=${found.next} columns=${columns()} rows=${found.items} id=${(row) => row.id}
      fetchAll=${(tell) => all('agreements', {team: query.team}, 50000, tell)}><${More} list=${found} /><//><//>`;
}
