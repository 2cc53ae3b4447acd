// What do the node's processes say? The newest lines, and those that come.
import {html} from '../lib/htm.js';
import {t} from '../i18n.js';
import {all} from '../api.js';
import {useQuery} from '../router.js';
import {useData, useList, useTold, Failure, Busy, Page, Table, More, Time, Tag, Filter, Choice, Code} from '../ui.js';
import {OperationsTabs} from './operations.js';

const levels = ['debug', 'info', 'warning', 'error'];
const names = ['level', 'role', 'text'];
const often = 1000; // ms: new lines are asked for no more often

const columns = () => [
  {id: 'time', label: t('log.time'), cell: (row) => html`<${Time} at=${row.time} />`},
  {id: 'level', label: t('draft.level'), value: (row) => row.level, cell: (row) => html`<${Tag} kind="level" value=${row.level} />`},
  {id: 'role', label: t('node.role'), cell: (row) => html`<${Code}>${row.role}<//>`},
  {id: 'event', label: t('log.event'), cell: (row) => html`<span lang="en" dir="ltr">${row.event}</span>`},
  {id: 'text', label: t('log.pairs'), cell: (row) => html`<bdi class="value mono" dir="ltr">${row.text}</bdi>`},
  {id: 'number', hidden: true}];

export default function Log() {
  const [query, set] = useQuery();
  const status = useData('status');
  const asked = Object.fromEntries(names.filter((name) => query[name]).map((name) => [name, query[name]]));
  const list = useList('log', {...asked, limit: 100});
  const older = list.items.length > (list.data?.items.length ?? 0);
  useTold('log', often, [list], query.live !== 'off' && !older); // who has asked for older lines reads: they stay where they are
  const roles = ['parent', ...(status.data?.roles ?? []).map((one) => one.role)];
  return html`<${Page} title=${t('page.log')} actions=${html`<${OperationsTabs} at="log" />`}>
    <${Filter} name="text" label=${t('log.text')} maxLength="100" title=${t('filter')} before=${html`
      <${Choice} label=${t('log.level')} any=${t('any')} value=${query.level} onInput=${(level) => set({level})} options=${levels.map((one) => [one, t(`level.${one}`)])} />
      <${Choice} label=${t('node.role')} any=${t('any')} value=${query.role} onInput=${(role) => set({role})} options=${roles.map((one) => [one, one])} />`}>
      <label class="check"><input type="checkbox" checked=${query.live !== 'off'} onChange=${(e) => set({live: e.target.checked ? '' : 'off'}, {replace: true})} />${t('log.live')}</label><//>
    <p class="quiet">${t('log.kept')}</p>
    <${Failure} error=${list.error ?? status.error} retry=${list.reload} />${!list.data && html`<${Busy} when=${list.busy} />`}
    <${Table} name="log" caption=${t('page.log')} hideCaption columns=${columns()} rows=${list.items} id=${(row) => row.number}
      fetchAll=${(tell) => all('log', asked, 50000, tell)}><${More} list=${list} /><//><//>`;
}
