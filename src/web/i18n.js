// In which language and form does the reader see words, numbers, times and names of economies?
export const languages = {en: 'English', zh: '中文', fr: 'Français', es: 'Español', ru: 'Русский', ar: 'العربية'};
const base = new URL('.', import.meta.url);
let messages = {};
let names = {};
let spoken = 'en';
let formats;

export function kept(key, otherwise) {
  try { return localStorage.getItem(key) ?? otherwise; } catch { return otherwise; }
}
export function keep(key, value) {
  try { localStorage.setItem(key, value); } catch { /* private windows may forbid it: not kept, then */ }
}
const get = async (path) => (await fetch(new URL(path, base))).json();

export function wanted() {
  const chosen = kept('language');
  const offered = [chosen, ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return offered.find((tag) => tag in languages) ?? 'en';
}
export async function speak(language) {
  [messages, names] = await Promise.all([get(`messages/${language}.json`), get(`names/${language}.json`)]);
  spoken = language;
  document.documentElement.lang = language;
  document.documentElement.dir = language === 'ar' ? 'rtl' : 'ltr';
  formats = {
    number: new Intl.NumberFormat(language),
    plural: new Intl.PluralRules(language),
    time: new Intl.DateTimeFormat(language, {dateStyle: 'medium', timeStyle: 'medium'}),
    day: new Intl.DateTimeFormat(language, {dateStyle: 'medium', timeZone: 'UTC'}),
    list: new Intl.ListFormat(language, {type: 'conjunction'}),
    region: new Intl.DisplayNames(language, {type: 'region'}),
    order: new Intl.Collator(language, {numeric: true}),
  };
}
export const language = () => spoken;

// The message KEY with {name} filled in, numbers as readers write them. One that differs by number has a form for each of the language's
// plural categories (CLDR), of which {n} chooses.
export function t(key, values) {
  const message = messages[key] ?? key;
  const form = typeof message === 'object' ? message[formats.plural.select(values?.n)] ?? message.other : message;
  const filled = (value) => (typeof value === 'number' ? number(value) : value);
  return values ? form.replace(/\{(\w+)\}/g, (all, name) => filled(values[name]) ?? all) : form;
}
export const word = (kind, value) => messages[`${kind}.${value}`] ?? value ?? '';
// Teams may be of a region ("EU") that is no economy of the data.
export const economy = (code) => (code ? names[code] ?? (/^[A-Z]{2}$/.test(code) ? formats.region.of(code) : code) : '');
export const economies = () => Object.entries(names).sort((a, b) => formats.order.compare(a[1], b[1]));
export const number = (value) => (value == null ? '' : formats.number.format(value));
export function bytes(value) {
  const step = value < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(value) / 10));
  return `${new Intl.NumberFormat(spoken, {maximumFractionDigits: 1}).format(value / 1024 ** step)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][step]}`;
}
export const time = (at) => formats.time.format(new Date(at));
export const day = (at) => formats.day.format(new Date(at));
export const list = (items) => formats.list.format(items);
export const compare = (a, b) => formats.order.compare(a, b);
export const utc = (at) => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
// From one to the other, the way one reads.
export const arrow = () => (document.documentElement.dir === 'rtl' ? ' ← ' : ' → ');
export const asset = get;
