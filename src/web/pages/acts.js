// What may this team do with an agreement: sign, refuse, suspend, resume, end?
import {html, useState} from '../lib/htm.js';
import {t} from '../i18n.js';
import {ask} from '../api.js';
import {Form, Reason, Code, note} from '../ui.js';

const over = ['ended', 'refused', 'expired', 'broken'];

// What makes sense as A stands; the node judges, also who may.
function possible(a, own) {
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
  const act = async (form) => {
    const at = form.get('at');
    const body = what === 'sign' ? {sha256: a.sha256} : {reason: form.get('reason'), ...(at ? {at: new Date(at).toISOString()} : {})};
    await ask('POST', `agreements/${encodeURIComponent(a.id)}/${what}`, {body});
    note(t('act.done'));
    done();
  };
  return html`<${Form} title=${t(`act.${what}`)} text=${t(`act.${what}.text`)} act=${act} close=${close} bad=${what !== 'sign' && what !== 'resume'}><p><strong dir="auto">${a.title}</strong></p>
    ${what === 'sign' ? html`<p>SHA-256: <${Code}>${a.sha256}<//></p>`
      : html`<${Reason} />${what !== 'refuse' && html`<label>${t('act.at')}<input type="datetime-local" name="at" /></label>`}`}<//>`;
}
export function Acts({a, own, done}) {
  const [what, choose] = useState();
  const finished = () => { choose(null); done(); };
  return html`${possible(a, own).map((one) => html`<button key=${one} class=${one === 'sign' ? 'main' : ''} onClick=${() => choose(one)}>${t(`act.${one}`)}</button>`)}
    ${what && html`<${Act} a=${a} what=${what} close=${() => choose(null)} done=${finished} />`}`;
}
