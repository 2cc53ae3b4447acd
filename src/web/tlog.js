// What do a ledger's own bytes prove? Checked here with WebCrypto alone: C2SP signed notes, tiles and proofs over RFC 6962,
// as doc/ledger-format.md has them. Nothing here believes what the node says of itself.
const utf8 = new TextEncoder();
const text = (bytes) => new TextDecoder('utf-8', {fatal: true}).decode(bytes);

export const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
export function bytesOf(encoded) {
  const bytes = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
  if (base64(bytes) !== encoded) throw new Error('base64');
  return bytes;
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

// ---- RFC 8785 ----
// As canonical JSON; undefined where a value has no such form.
function spell(value) {
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : undefined;
  if (typeof value === 'string') return value.isWellFormed() ? JSON.stringify(value) : undefined;
  if (value === null || typeof value === 'boolean') return String(value);
  const parts = Array.isArray(value) ? value.map(spell) : Object.keys(value).sort().map((key) => {
    const [name, of] = [spell(key), spell(value[key])];
    return name === undefined || of === undefined ? undefined : `${name}:${of}`;
  });
  if (parts.includes(undefined)) return undefined;
  return Array.isArray(value) ? `[${parts.join(',')}]` : `{${parts.join(',')}}`;
}
// An item's canonical bytes: its canonical JSON, or as it is, less one newline.
export function canonical(item) {
  try {
    const spelled = spell(JSON.parse(item));
    if (spelled !== undefined) return utf8.encode(spelled);
  } catch { /* no JSON: as it is */ }
  return utf8.encode(item.replace(/\n$/, ''));
}

// ---- signed notes ----
export function readNote(note) {
  const at = note.lastIndexOf('\n\n');
  if (at < 0 || !note.endsWith('\n')) throw new Error('no signed note');
  const signatures = note.slice(at + 2, -1).split('\n').map((line) => {
    const [, name, encoded] = line.match(/^— ([^\s+]+) (\S+)$/) ?? [];
    const bytes = encoded ? bytesOf(encoded) : [];
    if (bytes.length < 5) throw new Error('no signed note');
    return {name, id: bytes.slice(0, 4), bytes: bytes.slice(4)};
  });
  return {text: note.slice(0, at + 1), signatures};
}
// A verifier key, NAME+ID+BASE64: its id must follow from it.
export async function readKey(key) {
  const [, name, id, encoded] = key.trim().match(/^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/) ?? [];
  const bytes = encoded ? bytesOf(encoded) : [];
  if (bytes.length !== 33 || ![1, 4].includes(bytes[0])) throw new Error('no Ed25519 verifier key');
  const hash = (await sha256(utf8.encode(`${name}\n`), bytes)).slice(0, 4);
  if ([...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('') !== id) throw new Error('the key’s id is not that of the key');
  return {name, id: hash, type: bytes[0], key: await crypto.subtle.importKey('raw', bytes.slice(1), {name: 'Ed25519'}, false, ['verify'])};
}
// Did KEY sign NOTE? {found: 'good'|'wrong'|'none', time}; type 4 is a witness' cosignature, with its time.
export async function signedBy(note, key) {
  const by = note.signatures.filter((one) => one.name === key.name && same(one.id, key.id));
  if (!by.length) return {found: 'none'};
  for (const {bytes} of by) {
    let [signature, message, time] = [bytes, note.text];
    if (key.type === 4 && bytes.length === 72) {
      const seconds = bytes.slice(0, 8).reduce((sum, byte) => sum * 256 + byte, 0);
      [signature, message, time] = [bytes.slice(8), `cosignature/v1\ntime ${seconds}\n${note.text}`, new Date(seconds * 1000).toISOString()];
    }
    if (signature.length === 64 && await crypto.subtle.verify({name: 'Ed25519'}, key.key, signature, utf8.encode(message))) return {found: 'good', time};
  }
  return {found: 'wrong'};
}
export function readCheckpoint(note) {
  const [origin, size, root] = note.text.split('\n');
  if (!origin || !isNumber(size) || bytesOf(root).length !== 32) throw new Error('no checkpoint');
  return {origin, size: Number(size), root: bytesOf(root)};
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
async function fetched(path, signal) {
  const answer = await fetch(`/log/${path}`, {signal});
  if (!answer.ok) throw Object.assign(new Error(`/log/${path}`), {status: answer.status});
  return answer;
}
export const fetchCheckpoint = async (signal) => (await fetched('checkpoint', signal)).text();
// The newest one that witnesses cosigned; undefined: none yet.
export async function fetchCosigned() {
  try { return readNote(await (await fetched('cosigned')).text()); } catch (error) { if (error.status === 404) return undefined; throw error; }
}

// A log of SIZE entries, as its tiles have it.
export class Log {
  constructor(size, signal) { Object.assign(this, {size, signal, kept: new Map()}); }
  get(level, n) {
    const there = Math.floor(this.size / 256 ** (Number(level) || 0)) - n * 256;
    const path = `tile/${level}/${spelled(n)}${there < 256 ? `.p/${there}` : ''}`;
    if (!this.kept.has(path)) this.kept.set(path, fetched(path, this.signal).then(async (answer) => new Uint8Array(await answer.arrayBuffer())));
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
  if (lines.shift() !== 'c2sp.org/tlog-proof@v1' || at < 0) throw new Error('no tlog-proof');
  const extra = lines[0]?.startsWith('extra ') ? text(bytesOf(lines.shift().slice(6))) : '';
  const [, index] = lines.shift()?.match(/^index (\d+)$/) ?? [];
  if (!isNumber(index)) throw new Error('no tlog-proof');
  return {index: Number(index), path: lines.map(bytesOf), note: readNote(proof.slice(at + 2)), ...readExtra(extra)};
}
function readExtra(extra) {
  const lines = extra.replace(/\n$/, '').split('\n');
  const take = (word) => (lines[0]?.startsWith(`${word} `) ? lines.shift().slice(word.length + 1) : undefined);
  if (lines.shift() !== 'comity-item-proof-v1') throw new Error('no proof of a Comity ledger');
  const [entry, receipt, number] = [take('entry'), take('receipt'), take('item')];
  const salt = take('salt');
  const item = isNumber(number) && salt ? {index: Number(number), salt: bytesOf(salt), path: lines.map(bytesOf)} : undefined;
  if (!entry) throw new Error('no entry');
  return {entry: utf8.encode(entry), receipt: receipt && text(bytesOf(receipt)), item};
}
// Is what was released, ITEM's text, the item that the entry commits to?
export async function holds(item, released, entry) {
  const commitment = await sha256(item.salt, canonical(released));
  const root = await rootBy(await leafHash(commitment), item.index, entry.items, item.path);
  return root !== null && base64(root) === entry.items_root;
}
export function readEntry(bytes) {
  const entry = JSON.parse(text(bytes));
  return {entry, exact: same(canonical(text(bytes)), bytes)};
}
export function readReceipt(note) {
  const said = Object.fromEntries(note.text.split('\n').slice(1, -1).map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]));
  if (!note.text.startsWith('comity-receipt-v1\n')) throw new Error('no receipt');
  return said;
}
