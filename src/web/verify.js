// An entry or a proof is verified here: by which keys, step by step, with what comes of it.
import {html, useState} from './lib/htm.js';
import {t, number} from './i18n.js';
import {ask} from './api.js';
import {useData, Failure, Busy, Facts, Time, Code, Field} from './ui.js';
import {readCheckpoint, Unreadable} from './tlog.js';
import {judge, step, isWrong, isWhole} from './judge.js';

const words = {true: ['good', 'verify.right'], false: ['bad', 'verify.wrong'], null: ['wait', 'verify.untried']};
export function Steps({steps}) {
  const wrong = isWrong(steps);
  return html`<div role="status" class="notice ${wrong ? 'bad' : isWhole(steps) ? 'good' : ''}" data-verdict=${wrong ? 'wrong' : 'right'}><strong>${t(wrong ? 'verify.failed' : 'verify.holds')}</strong>
    <ol class="steps">${steps.map((one) => html`<li data-step=${one.name} data-ok=${String(one.ok)}><span class="tag ${words[one.ok][0]}">${t(words[one.ok][1])}</span> ${t(`verify.step.${one.name}`)}
      ${one.more && html`<div class="quiet"><${Code}>${one.more}<//></div>`}</li>`)}</ol><p>${t('verify.means')}</p></div>`;
}
// What has not the form that is written down proves nothing at all.
export const unreadable = (error) => ({steps: [step('read', false, error.message)]});

const cardOf = (team) => ask('GET', `teams/${encodeURIComponent(team)}`).then((one) => one.card?.node ?? {});
// Of partners only: anybody can cosign in the name of a team that nobody knows. What could not be read is told.
async function witnessesOf(note) {
  const told = {witnesses: [], absent: [], unread: []};
  const names = new Set(note.signatures.map((one) => one.name));
  try {
    for (const {team, ways} of (await ask('GET', 'peers')).items) {
      const name = `${team}/witness`;
      if (names.has(name)) await cardOf(team).then(({witness}) => witness && told.witnesses.push(witness), (error) => told.unread.push(`${name}: ${error.message || error.status}`));
      else if (ways.some((way) => way.way === 'witness' && way.on)) told.absent.push(name);
    }
  } catch (error) { told.unread.push(error.message || String(error.status)); }
  return told;
}
const lines = (text) => text.split('\n').map((line) => line.trim()).filter(Boolean);

// The keys that the node tells, of the log ORIGIN and of the recipient TEAM; the reader may put others in their place.
function useKeys(origin, team) {
  const status = useData('status');
  const own = !origin || status.data?.log_key?.startsWith(`${origin}+`);
  const signer = useData(!own && status.data && origin.endsWith('/log') ? `teams/${encodeURIComponent(origin.slice(0, -4))}` : null);
  const recipient = useData(team && `teams/${encodeURIComponent(team)}`);
  return {log: own ? status.data?.log_key : signer.data?.card?.node?.log, receipt: recipient.data?.card?.node?.receipt};
}
const About = ({at, entry}) => html`<${Facts} of=${[[t('ledger.name'), html`<${Code}>${at.origin}<//>`], [t('ledger.size'), number(at.size)],
  [t('recipient'), entry.to && html`<${Code}>${entry.to}<//>`], [t('page.reports'), entry.items && number(entry.items)], [t('since'), entry.time && html`<${Time} at=${entry.time} />`]]} />`;

// GATHER gets {proof, released}; ORIGIN, TEAM: whose log and which recipient it is said to be about.
export function Verify({origin, team, gather}) {
  const known = useKeys(origin, team);
  const [given, give] = useState({});
  const [state, set] = useState({});
  const keys = {log: given.log ?? known.log ?? '', receipt: given.receipt ?? known.receipt ?? ''};
  const run = async () => {
    set({busy: true});
    try {
      const {proof, released} = await gather();
      readCheckpoint(proof.note);
      const witnesses = lines(given.witnesses ?? '');
      set(await judge(proof, released, {...keys, ...(witnesses.length ? {witnesses} : await witnessesOf(proof.note))}));
    } catch (error) { set(error instanceof Unreadable ? unreadable(error) : {error}); }
  };
  const field = (name, label) => html`<${Field} label=${label} value=${keys[name]} onInput=${(value) => give({...given, [name]: value.trim()})} dir="ltr" spellcheck=${false} class="mono" />`;
  return html`<section class="panel stack verify"><h2>${t('verify')}</h2><p>${t('verify.text')}</p>
    ${field('log', t('verify.key'))}${field('receipt', t('verify.receipt.key'))}
    <label>${t('verify.witness.keys')}<textarea class="mono" rows="2" spellcheck=${false} dir="ltr" value=${given.witnesses ?? ''} onInput=${(e) => give({...given, witnesses: e.target.value})}></textarea></label>
    <p><button class="main" onClick=${run} disabled=${state.busy || !keys.log}>${t('verify.run')}</button>${!keys.log && html` <span class="quiet">${t('verify.nolog')}</span>`}</p>
    <${Busy} when=${state.busy} /><${Failure} error=${state.error} />
    ${state.steps && html`<${Steps} steps=${state.steps} />${state.checkpoint && html`<${About} at=${state.checkpoint} entry=${state.entry} />`}`}</section>`;
}
