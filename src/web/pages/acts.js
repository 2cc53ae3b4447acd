// What may this team do with an agreement: sign, refuse, suspend, resume, end?
import {html, useState} from '../lib/htm.js';
import {t} from '../i18n.js';
import {ask} from '../api.js';
import {Failure, Dialog, Code, note} from '../ui.js';

const over = ['ended', 'refused', 'expired', 'broken'];

// What makes sense as A stands; the node judges, also who may.
export function possible(a, own) {
  const party = own && a.parties.includes(own);
  if (!a.sha256 || over.includes(a.standing) || !a.events?.length) return [];
  if (a.standing === 'proposed') {
    const signed = a.signatures?.some((one) => one.party === own && one.is === 'good');
    if (!party) return [];
    return signed ? ['end'] : ['sign', 'refuse'];
  }
  // Each lifts its own suspension only.
  const last = a.events.filter((one) => one.team === own && ['suspended', 'resumed'].includes(one.event)).at(-1);
  return party ? [last?.event === 'suspended' ? 'resume' : 'suspend', 'end'] : [];
}
function Act({a, what, close, done}) {
  const [state, set] = useState({});
  const submit = async (event) => {
    event.preventDefault();
    const form = Object.fromEntries(new FormData(event.target));
    const body = what === 'sign' ? {sha256: a.sha256} : {reason: form.reason, ...(form.at ? {at: new Date(form.at).toISOString()} : {})};
    set({busy: true});
    try {
      await ask('POST', `agreements/${encodeURIComponent(a.id)}/${what}`, {body});
      note(t('act.done'));
      done();
    } catch (error) { set({error}); }
  };
  return html`<${Dialog} title=${t(`act.${what}`)} close=${close}><p>${t(`act.${what}.text`)}</p><p><strong dir="auto">${a.title}</strong></p>
    <form class="stack" onSubmit=${submit}>${what === 'sign' ? html`<p>SHA-256: <${Code}>${a.sha256}<//></p>`
      : html`<label>${t('reason')}<textarea name="reason" required maxLength="1000" rows="3" dir="auto"></textarea></label>
        ${what !== 'refuse' && html`<label>${t('act.at')}<input type="datetime-local" name="at" /></label>`}`}
    <${Failure} error=${state.error} /><div class="row"><button class=${what === 'sign' || what === 'resume' ? 'main' : 'bad'} disabled=${state.busy}>${t(`act.${what}`)}</button>
      <button type="button" onClick=${close}>${t('cancel')}</button></div></form><//>`;
}
export function Acts({a, own, done}) {
  const [what, choose] = useState();
  const finished = () => { choose(null); done(); };
  return html`${possible(a, own).map((one) => html`<button key=${one} class=${one === 'sign' ? 'main' : ''} onClick=${() => choose(one)}>${t(`act.${one}`)}</button>`)}
    ${what && html`<${Act} a=${a} what=${what} close=${() => choose(null)} done=${finished} />`}`;
}
