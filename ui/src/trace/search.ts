// Search within a trace.
//
// Terms stand apart by spaces and must all match one span ("quotes" hold a phrase together); -term must not match it; key=value
// asks for one attribute. A term is looked for, without regard to case, in the span's name, service, status message and id, and in
// the keys and values of its attributes, its events and its resource.
//
// Each term is tried once on every string of the dictionary; spans are then tested by their codes, so the cost
// hardly depends on how often a string is repeated.
import { KINDS, STATUSES, ValueType, type RawAttributes } from './columns';
import type { Trace } from './model';

interface Term {
  text: string;
  negative: boolean;
  key?: string;
  value?: string;
}

export function parseTerms(query: string): Term[] {
  const terms: Term[] = [];
  for (const [, minus, quoted, bare] of query.matchAll(/(-?)(?:"([^"]*)"?|(\S+))/g)) {
    const text = (quoted ?? bare ?? '').toLowerCase().replace(/"/g, '');
    if (text === '') continue;
    const equals = quoted === undefined ? text.indexOf('=') : -1;
    const term: Term = { text, negative: minus === '-' };
    if (equals > 0) {
      term.key = text.slice(0, equals);
      term.value = text.slice(equals + 1);
    }
    terms.push(term);
  }
  return terms;
}

/** Matching rows, ascending; undefined when there is nothing to look for. */
export function searchTrace(trace: Trace, query: string): Int32Array | undefined {
  const terms = parseTerms(query);
  if (terms.length === 0) return undefined;
  const keep = new Uint8Array(trace.count).fill(1);
  for (const term of terms) {
    const matches = matcher(trace, term);
    for (let row = 0; row < trace.count; row++)
      if (keep[row] && matches(row) === term.negative) keep[row] = 0;
  }
  const out = new Int32Array(trace.count);
  let n = 0;
  for (let row = 0; row < trace.count; row++) if (keep[row]) out[n++] = row;
  return out.subarray(0, n);
}

function matcher(trace: Trace, term: Term): (row: number) => boolean {
  const { spans, dictionary, events } = trace;
  const has = dictionary.map((s) => s.toLowerCase().includes(term.text));
  const inAttributes =
    term.key === undefined
      ? (raw: RawAttributes) => anyAttribute(raw, has, term.text)
      : (raw: RawAttributes) => pairMatches(raw, dictionary, term.key!, term.value!);
  const onResource = trace.resources.map((r) => inAttributes(r.attributes) || (!term.key && has[r.service]!));
  const id = /^[0-9a-f]{4,16}$/.test(term.text) ? term.text : undefined;
  return (row) => {
    if (onResource[spans.resource[row]!]) return true;
    if (inAttributes(spans.attributes[row]!)) return true;
    for (let e = trace.firstEvent[row]!; e < trace.firstEvent[row + 1]!; e++)
      if ((!term.key && has[events.name[e]!]) || inAttributes(events.attributes[e]!)) return true;
    if (term.key !== undefined) return intrinsicMatches(trace, row, term.key, term.value!);
    if (has[spans.name[row]!] || has[spans.statusMessage[row]!]) return true;
    return id !== undefined && spans.id[row]!.startsWith(id);
  };
}

function intrinsicMatches(trace: Trace, row: number, key: string, value: string): boolean {
  if (key === 'status') return STATUSES[trace.spans.status[row]!] === value;
  if (key === 'kind') return KINDS[trace.spans.kind[row]!] === value;
  if (key === 'name') return trace.dictionary[trace.spans.name[row]!]!.toLowerCase().includes(value);
  return false;
}

function anyAttribute(raw: RawAttributes, has: boolean[], text: string): boolean {
  for (let i = 0; i + 2 < raw.length; i += 3)
    if (has[raw[i] as number] || anyValue(raw[i + 1] as number, raw[i + 2], has, text)) return true;
  return false;
}

function anyValue(type: number, value: unknown, has: boolean[], text: string): boolean {
  if (type === ValueType.string) return has[value as number]!;
  if (type === ValueType.kvlist) return anyAttribute(value as unknown[], has, text);
  if (type === ValueType.array) {
    const items = value as unknown[];
    for (let i = 0; i + 1 < items.length; i += 2)
      if (anyValue(items[i] as number, items[i + 1], has, text)) return true;
    return false;
  }
  return value !== null && String(value).toLowerCase().includes(text);
}

function pairMatches(raw: RawAttributes, dictionary: readonly string[], key: string, value: string): boolean {
  for (let i = 0; i + 2 < raw.length; i += 3) {
    if (dictionary[raw[i] as number]!.toLowerCase() !== key) continue;
    const own =
      raw[i + 1] === ValueType.string ? dictionary[raw[i + 2] as number]! : JSON.stringify(raw[i + 2]);
    if (own.toLowerCase().includes(value)) return true;
  }
  return false;
}
