// What does a clause say in words?
import {html} from './lib/htm.js';
import {t, word, list, economy} from './i18n.js';
import {Tag, Code} from './ui.js';

export function party(text) {
  if (text === '*') return t('party.all');
  if (text === 'party') return t('party.party');
  if (text.startsWith('economy:')) return t('party.economy', {economy: economy(text.slice(8))});
  return text;
}
const kinds = (patterns) => (patterns.includes('*') ? t('clause.any') : list(patterns));
const tlp = (text) => `TLP:${text.replace(/^tlp:/i, '').replace(/^white$/i, 'clear').toUpperCase()}`;

// The sentences of CLAUSE, in order; each is whole in every language.
export function sentences(clause, law) {
  const values = {from: party(clause.from), to: party(clause.to), kinds: kinds(clause.classification), tlp: tlp(clause.tlp_max)};
  const said = [t(`clause.${clause.effect}`, values)];
  if (clause.providers) said.push(t('clause.providers', {list: list(clause.providers)}));
  for (const [of, how] of Object.entries(clause.treatment ?? {}))
    said.push(t('clause.treatment', {class: word('class', of), treatment: word('treatment', how)}));
  if (clause.require?.length) said.push(t('clause.require', {list: list(clause.require.map((one) => t(`require.${one}`)))}));
  if (clause.retention_days) said.push(t('clause.retention', {n: clause.retention_days}));
  said.push(`${t('onward')}: ${word('onward', clause.onward ?? (law ? 'tlp' : 'none'))}.`);
  return said;
}
export function Clause({clause, law}) {
  return html`<li id=${`clause-${clause.id}`}><h3><span dir="auto">${t('clause')} ${clause.id}</span> <${Tag} kind="effect" value=${clause.effect} /></h3>
    <ul>${sentences(clause, law).map((one) => html`<li dir="auto">${one}</li>`)}</ul>
    ${clause.note && html`<p class="quiet" dir="auto">${clause.note}</p>`}
    <p class="quiet">${t('clause.patterns')}: ${clause.classification.map((one) => html`<${Code}>${one}<//> `)}</p></li>`;
}
