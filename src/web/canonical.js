// Which bytes stand for this JSON (RFC 8785), whoever wrote it down? fmt/jcs.h says the same in C.
export const utf8 = new TextEncoder();
// Bytes as they are: a mark of byte order is a character like any other.
export const text = (bytes) => new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes);

const deepest = 64; // fmt/json.h
const words = /"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s"[\]{}:,]+/g;

// Beyond what a double holds, two texts that differ would get the same bytes.
function holds(word) {
  const n = BigInt(word);
  return n >= -(2n ** 63n) && n < 2n ** 64n && BigInt(Number(word)) === n;
}
// JSON that is read in one way only: no key twice in an object, no number that changes, not too deep.
function oneWay(json) {
  const open = [];
  let last;
  for (const [word] of json.matchAll(words)) {
    if (word === '{' || word === '[') open.push(new Set());
    else if (word === '}' || word === ']') open.pop();
    else if (word === ':') {
      const key = JSON.parse(last);
      if (open.at(-1).has(key)) return false;
      open.at(-1).add(key);
    } else if (/^-?\d+$/.test(word) && !holds(word)) return false;
    if (open.length > deepest) return false;
    last = word;
  }
  return true;
}
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
// {value, bytes} of JSON in BYTES; null: it is none, or has no such form.
export function canonicalJson(bytes) {
  try {
    const json = text(bytes);
    const value = JSON.parse(json);
    const spelled = oneWay(json) ? spell(value) : undefined;
    return spelled === undefined ? null : {value, bytes: utf8.encode(spelled)};
  } catch { return null; }
}
// An item's canonical bytes: its canonical JSON, or as it is, less one newline.
export const canonical = (bytes) => canonicalJson(bytes)?.bytes ?? (bytes.at(-1) === 10 ? bytes.slice(0, -1) : bytes);
