// A report that was wrong is taken back or corrected; who gave it is told what became of it.
import {html, useState} from '../lib/htm.js';
import {t, word, list, number} from '../i18n.js';
import {ask, may} from '../api.js';
import {Table, Time, Team, Form, Reason, Code, Choice, note} from '../ui.js';

const opinions = ['strongly-agree', 'agree', 'neutral', 'disagree', 'strongly-disagree'];
const pathOf = (id, what) => `reports/${encodeURIComponent(id)}/${what}`;

function Recall({id, close, done}) {
  const act = async (form) => {
    const told = await ask('POST', pathOf(id, 'recall'), {body: {reason: form.get('reason')}});
    note(told.told.length ? t('recall.told', {list: list(told.told)}) : t('recall.nobody'));
    done();
  };
  return html`<${Form} title=${t('recall')} text=${t('recall.text')} act=${act} close=${close} bad><${Reason} /><//>`;
}
function Correct({id, close, done}) {
  const act = async (form) => {
    await ask('POST', pathOf(id, 'correction'), {query: {reason: form.get('reason'), name: form.get('file').name}, file: form.get('file')});
    note(t('correct.done'));
    done();
  };
  return html`<${Form} title=${t('correct')} text=${t('correct.text')} act=${act} close=${close} bad><label>${t('correct.file')}<input type="file" name="file" required /></label><${Reason} /><//>`;
}
function Say({id, close, done}) {
  const [what, choose] = useState('agree');
  const act = async (form) => {
    const said = what === 'seen' ? {sightings: Number(form.get('sightings'))} : {opinion: what};
    const {to} = await ask('POST', pathOf(id, 'feedback'), {body: {...said, ...(form.get('note') ? {note: form.get('note')} : {})}});
    note(t('feedback.told', {team: to}));
    done();
  };
  return html`<${Form} title=${t('feedback.say')} text=${t('feedback.text')} act=${act} close=${close}>
    <${Choice} label=${t('opinion')} value=${what} onInput=${choose} options=${[...opinions.map((one) => [one, t(`opinion.${one}`)]), ['seen', t('feedback.seen')]]} />
    ${what === 'seen' && html`<label>${t('feedback.sightings')}<input type="number" name="sightings" min="1" max="999999999" value="1" required /></label>`}
    <label>${t('note')}<textarea name="note" maxLength="1000" rows="3" dir="auto"></textarea></label><//>`;
}
export function ReportActs({r, done}) {
  const [what, choose] = useState();
  const finished = () => { choose(null); done(); };
  const Open = {recall: Recall, correct: Correct, say: Say}[what];
  if (!may('release')) return null;
  return html`${!r.recalled && html`<button class="bad" onClick=${() => choose('recall')}>${t('recall')}</button>${may('report') && html`<button onClick=${() => choose('correct')}>${t('correct')}</button>`}`}
    ${r.path.length > 0 && html`<button onClick=${() => choose('say')}>${t('feedback.say')}</button>`}
    ${Open && html`<${Open} id=${r.id} close=${() => choose(null)} done=${finished} />`}`;
}
const ReportLink = ({id}) => html`<a href="/reports/${id}"><${Code}>${id}<//></a>`;
export function Recalled({r}) {
  const of = r.recalled;
  return html`${of && html`<div class="notice bad"><strong>${t('recalled')}</strong> <${Team} id=${of.team} /> <span dir="auto">${of.by}</span> <${Time} at=${of.at} />${of.why && html`: <q dir="auto">${of.why}</q>`}
    ${of.corrected_by && html` ${t('recalled.by')} <${ReportLink} id=${of.corrected_by} />`}</div>`}
    ${r.corrects && html`<div class="notice">${t('corrects')} <${ReportLink} id=${r.corrects} /></div>`}`;
}
export function Feedback({of}) {
  const columns = [{id: 'at', label: t('since'), cell: (row) => html`<${Time} at=${row.at} />`}, {id: 'team', label: t('team'), cell: (row) => html`<${Team} id=${row.team} />`},
    {id: 'by', label: t('by')}, {id: 'opinion', label: t('opinion'), value: (row) => row.opinion ?? row.sightings,
      cell: (row) => (row.opinion ? word('opinion', row.opinion) : `${t('feedback.seen')}: ${number(row.sightings)}`)}, {id: 'note', label: t('note')}];
  return of.length > 0 && html`<${Table} name="feedback" caption=${t('feedback')} columns=${columns} rows=${of} id=${(row) => `${row.at} ${row.team} ${row.opinion}`} />`;
}
