// What do a ledger's own bytes prove? Checked here with WebCrypto alone: C2SP signed notes, tiles and proofs over RFC 6962,
// as doc/ledger-format.md has them: there is one spelling for everything. Nothing here believes what the node says of itself.
import {utf8, text, canonical, canonicalJson} from './canonical.js';

const noteMost = 1000000; // bytes
const [signaturesMost, nameMost, signatureMost] = [100, 255, 8192];
const [proofMost, extraMost, receiptMost, pathMost] = [2 * noteMost, 512 << 10, 16384, 64];

// What was given is not in the form that is written down.
export class Unreadable extends Error {}
const refuse = (what) => { throw new Unreadable(what); };

export const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
function bytesOf(encoded) {
  let bytes;
  try { bytes = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0)); } catch { refuse('base64'); }
  return base64(bytes) === encoded ? bytes : refuse('base64');
}
function hashOf(encoded) {
  const bytes = bytesOf(encoded ?? '');
  return bytes.length === 32 ? bytes : refuse('32 bytes');
}
function join(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}
export const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest('SHA-256', join(...parts)));
export const leafHash = (bytes) => sha256([0], bytes);
const nodeHash = (left, right) => sha256([1], left, right);
const half = (n) => Math.floor(n / 2); // beyond 32 bits, where >> would not do
const isNumber = (word) => /^(0|[1-9]\d{0,15})$/.test(word ?? '') && Number(word) <= Number.MAX_SAFE_INTEGER;
// A place may be said to lie beyond that: no log that is read here reaches it.
const isPlace = (word) => /^(0|[1-9]\d{0,18})$/.test(word ?? '') && BigInt(word) < 2n ** 63n;
// "WORD REST" at the front of LINES: REST, and the line is taken.
const take = (lines, word) => (lines[0]?.startsWith(`${word} `) ? lines.shift().slice(word.length + 1) : undefined);

// ---- signed notes ----
const isName = (name) => /^[^\0- \x7f+\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/.test(name) && utf8.encode(name).length <= nameMost;
function readSignature(line) {
  const [, name, encoded] = line.match(/^— ([^ ]+) (.+)$/) ?? [];
  const bytes = encoded && isName(name) ? bytesOf(encoded) : [];
  return bytes.length > 4 && bytes.length <= signatureMost ? {name, id: bytes.slice(0, 4), bytes: bytes.slice(4)} : refuse('no signed note');
}
export function readNote(note) {
  const at = note.lastIndexOf('\n\n');
  if (at < 0 || !note.endsWith('\n') || /[\0-\x09\x0b-\x1f]/.test(note) || utf8.encode(note).length > noteMost) refuse('no signed note');
  const signatures = note.slice(at + 2, -1).split('\n').map(readSignature);
  return signatures.length <= signaturesMost ? {text: note.slice(0, at + 1), signatures} : refuse('no signed note');
}
// A verifier key, NAME+ID+BASE64: its id must follow from it.
export async function readKey(key) {
  const [, name, id, encoded] = key.trim().match(/^([^+]+)\+([0-9a-f]{8})\+(\S+)$/) ?? [];
  const bytes = encoded && isName(name) ? bytesOf(encoded) : [];
  if (bytes.length !== 33 || ![1, 4].includes(bytes[0])) refuse('no Ed25519 verifier key');
  const hash = (await sha256(utf8.encode(`${name}\n`), bytes)).slice(0, 4);
  if (hex(hash) !== id) refuse('the key’s id is not that of the key');
  return {name, id: hash, type: bytes[0], key: await crypto.subtle.importKey('raw', bytes.slice(1), {name: 'Ed25519'}, false, ['verify'])};
}
export const isBy = (signature, key) => signature.name === key.name && same(signature.id, key.id);

const lastSecond = 4102444800n; // later ones are shown as this
const cosignatureBytes = 72;
const secondsOf = (cosignature) => cosignature.slice(0, 8).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
const shownTime = (seconds) => new Date(Number(seconds < lastSecond ? seconds : lastSecond) * 1000).toISOString();
// The time that a signature of BYTES tells, if it is a cosignature by its size.
export const cosignedAt = (bytes) => (bytes.length === cosignatureBytes ? shownTime(secondsOf(bytes)) : undefined);
// When it was signed, '' where no time is told; null: it is not KEY's word on TEXT.
async function signedAt(signed, bytes, key) {
  const cosignature = key.type === 4;
  if (bytes.length !== (cosignature ? cosignatureBytes : 64)) return null;
  const seconds = cosignature ? secondsOf(bytes) : 0n;
  const message = cosignature ? `cosignature/v1\ntime ${seconds}\n${signed}` : signed;
  if (seconds >= 2n ** 63n || !await crypto.subtle.verify({name: 'Ed25519'}, key.key, bytes.slice(-64), utf8.encode(message))) return null;
  return cosignature ? shownTime(seconds) : '';
}
// Did KEY sign NOTE? {found: 'good'|'wrong'|'none', time}; one wrong signature in its name is enough for wrong.
export async function signedBy(note, key) {
  let told = {found: 'none'};
  for (const {bytes} of note.signatures.filter((one) => isBy(one, key))) {
    const time = await signedAt(note.text, bytes, key);
    if (time === null) return {found: 'wrong'};
    told = {found: 'good', time};
  }
  return told;
}
export function readCheckpoint(note) {
  const [origin, size, root, ...extensions] = note.text.slice(0, -1).split('\n');
  if (!origin || !isNumber(size) || extensions.includes('')) refuse('no checkpoint');
  return {origin, size: Number(size), root: hashOf(root)};
}

// ---- trees ----
// The root that follows from LEAF at INDEX of SIZE by PATH (RFC 9162, 2.1.3.2); null: the path is none of that place.
export async function rootBy(leaf, index, size, path) {
  let [at, last, hash] = [index, size - 1, leaf];
  if (index >= size) return null;
  for (const beside of path) {
    if (last === 0) return null;
    if (at % 2 === 1 || at === last) {
      hash = await nodeHash(beside, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else hash = await nodeHash(hash, beside);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 ? hash : null;
}
const spelled = (n) => {
  const parts = [String(n % 1000).padStart(3, '0')];
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) parts.unshift(`x${String(rest % 1000).padStart(3, '0')}`);
  return parts.join('/');
};
async function fetched(path) {
  const answer = await fetch(`/log/${path}`);
  if (!answer.ok) throw Object.assign(new Error(`/log/${path}`), {status: answer.status});
  return answer;
}
export const fetchCheckpoint = async () => readNote(await (await fetched('checkpoint')).text());
// The newest one that witnesses cosigned; undefined: none yet.
export async function fetchCosigned() {
  try { return readNote(await (await fetched('cosigned')).text()); } catch (error) { if (error.status === 404) return undefined; throw error; }
}

// A log of SIZE entries, as its tiles have it.
export class Log {
  constructor(size) { Object.assign(this, {size, kept: new Map()}); }
  get(level, n) {
    const there = Math.floor(this.size / 256 ** (Number(level) || 0)) - n * 256;
    const path = `tile/${level}/${spelled(n)}${there < 256 ? `.p/${there}` : ''}`;
    if (!this.kept.has(path)) this.kept.set(path, fetched(path).then(async (answer) => new Uint8Array(await answer.arrayBuffer())));
    return this.kept.get(path);
  }
  // The entries of bundle N, as bytes.
  async bundle(n) {
    const bytes = await this.get('entries', n);
    const entries = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + 2 + bytes[at] * 256 + bytes[at + 1];
      if (end > bytes.length) throw new Error('a bundle that ends within an entry');
      entries.push(bytes.slice(at + 2, end));
      at = end;
    }
    return entries;
  }
  async entry(index) {
    if (index >= this.size) throw new Error('no such entry');
    const found = (await this.bundle(Math.floor(index / 256)))[index % 256];
    if (!found) throw new Error('no such entry');
    return found;
  }
  // Of 2**HIGH entries, whole.
  async whole(high, n) {
    const level = Math.floor(high / 8);
    const [many, first] = [2 ** (high % 8), n * 2 ** (high % 8)];
    const tile = await this.get(level, Math.floor(first / 256));
    let hashes = Array.from({length: many}, (_, i) => tile.slice(((first % 256) + i) * 32, ((first % 256) + i + 1) * 32));
    while (hashes.length > 1) hashes = await Promise.all(Array.from({length: hashes.length / 2}, (_, i) => nodeHash(hashes[2 * i], hashes[2 * i + 1])));
    return hashes[0];
  }
  // The hash over the entries from FROM to before END.
  async range(from, end) {
    const high = Math.floor(Math.log2(end - from));
    const many = 2 ** high;
    if (many === end - from) return this.whole(high, from / many);
    return nodeHash(await this.range(from, from + many), await this.range(from + many, end));
  }
  async path(index, from = 0, end = this.size) {
    if (end - from === 1) return [];
    const many = 2 ** Math.ceil(Math.log2(end - from) - 1);
    const middle = from + many;
    return index < middle ? [...await this.path(index, from, middle), await this.range(middle, end)]
      : [...await this.path(index, middle, end), await this.range(from, middle)];
  }
}

// ---- proofs ----
// A C2SP tlog-proof with what Comity puts beside it.
export function readProof(proof) {
  const at = proof.indexOf('\n\n');
  const lines = proof.slice(0, at).split('\n');
  if (at < 0 || lines.shift() !== 'c2sp.org/tlog-proof@v1' || utf8.encode(proof).length > proofMost) refuse('no tlog-proof');
  const extra = bytesOf(take(lines, 'extra') ?? '');
  const index = take(lines, 'index');
  if (!isPlace(index) || lines.length > pathMost || extra.length > extraMost) refuse('no tlog-proof');
  return {index: Number(index), path: lines.map(hashOf), note: readNote(proof.slice(at + 2)), ...readExtra(readText(extra))};
}
export function readText(bytes) {
  try { return text(bytes); } catch { return refuse('no UTF-8'); }
}
function readExtra(extra) {
  const lines = extra.split('\n');
  if (lines.pop() !== '' || lines.shift() !== 'comity-item-proof-v1') refuse('no proof of a Comity ledger');
  const [entry, receipt] = [take(lines, 'entry'), take(lines, 'receipt')];
  if (!entry || receipt === '') refuse('no proof of a Comity ledger');
  return {entry: utf8.encode(entry), receipt, item: lines.length ? readItem(lines) : undefined};
}
function readItem(lines) {
  const [index, salt] = [take(lines, 'item'), take(lines, 'salt')];
  return isPlace(index) && lines.length <= pathMost ? {index: Number(index), salt: hashOf(salt), path: lines.map(hashOf)} : refuse('no item');
}
// Is what was released, RELEASED's bytes, the item that the entry commits to?
export async function isItem(item, released, entry) {
  const commitment = await sha256(item.salt, canonical(released));
  const root = await rootBy(await leafHash(commitment), item.index, entry.items, item.path);
  return root !== null && base64(root) === entry.items_root;
}

// ---- entries ----
const isText = (value) => typeof value === 'string' && value !== '' && utf8.encode(value).length <= 255;
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const isTime = (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.(?!0{6})\d{6})?Z$/.test(value)
  && !Number.isNaN(Date.parse(value)) && new Date(value).toISOString().slice(0, 19) === value.slice(0, 19);
const isHash = (value) => { try { return hashOf(value).length === 32; } catch { return false; } };
const oneOf = (...these) => (value) => these.includes(value);
const isShape = (shape) => (value) => value !== null && typeof value === 'object' && Object.keys(value).length === Object.keys(shape).length
  && Object.entries(shape).every(([key, is]) => is(value[key]));
const isClause = isShape({agreement: isText, clause: isText, effects: isShape({release: isCount, hold: isCount, withhold: isCount}),
  treatments: isShape({keep: isCount, pseudonymise: isCount, generalise: isCount, remove: isCount})});
const isClauses = (value) => Array.isArray(value) && value.length <= 128 && value.every(isClause);
const every = {v: oneOf(1), time: isTime};
const batch = {...every, id: isText, from: isText, to: isText, items: isCount, items_root: isHash, clauses: isClauses};
const shapes = {
  delivery: isShape({...batch, kind: oneOf('delivery')}),
  decision: isShape({...batch, kind: oneOf('decision'), decision: oneOf('released', 'refused', 'recalled')}),
  agreement: isShape({...every, kind: oneOf('agreement'), agreement: isText, by: isText, since: isTime,
    event: oneOf('proposed', 'signed', 'suspended', 'resumed', 'ended', 'refused'), document: (value) => /^[0-9a-f]{64}$/.test(value)}),
};
// {entry, exact}: is it in the one form that an entry has? null: that of a later version, of which nothing is known.
export function readEntry(bytes) {
  const read = canonicalJson(bytes);
  if (!read || bytes.length > 65535 || typeof read.value !== 'object' || read.value === null) refuse('no entry');
  const entry = read.value;
  if (Number.isSafeInteger(entry.v) && entry.v > 1) return {entry: {v: entry.v, items: 0}, exact: null};
  return {entry, exact: same(read.bytes, bytes) && Object.hasOwn(shapes, entry.kind) && shapes[entry.kind](entry)};
}
// ---- receipts ----
// ENCODED: the note of a receipt, as a proof has it.
export function decodeReceipt(encoded) {
  const bytes = bytesOf(encoded);
  return bytes.length <= receiptMost ? readText(bytes) : refuse('no receipt');
}
export function readReceipt(note) {
  const [first, ...lines] = note.text.slice(0, -1).split('\n');
  const said = Object.fromEntries(['batch', 'root', 'count', 'time'].map((word) => [word, take(lines, word)]));
  const {batch: id, root, count, time} = said;
  if (first !== 'comity-receipt-v1' || lines.length || !isText(id) || /[\0- ]/.test(id) || !isHash(root) || !isNumber(count) || !isTime(time)) refuse('no receipt');
  return said;
}
