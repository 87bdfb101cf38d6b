// TraceColumns from JSON: one pass over each column, with typed arrays at the end of it. Every index is checked against what it
// points into, so that the code behind may trust all of them.
import {
  TRACE_FLAGS,
  ValueType,
  type RawAttributes,
  type TraceColumns,
  type TraceFlag,
} from '../trace/columns';
import { array, DecodeError, int64, record, string } from './decode';

export function decodeTrace(json: unknown): TraceColumns {
  const root = record(json, 'trace');
  const dictionary = array(string)(root.dictionary, 'dictionary');
  const words = dictionary.length;
  const spans = record(root.spans, 'spans');
  const id = array(string)(spans.id, 'spans.id');
  const rows = id.length;
  const resources = list(root.resources, 'resources').map((r, i) =>
    owner(r, `resources[${i}]`, words, 'service'),
  );
  const scopes = list(root.scopes, 'scopes').map((s, i) =>
    owner(s, `scopes[${i}]`, words, 'name', 'version'),
  );
  const column = (name: string, max: number, min = 0) => ints(spans[name], `spans.${name}`, rows, min, max);
  const big = Number.MAX_SAFE_INTEGER;
  const decoded: TraceColumns['spans'] = {
    id,
    parentId: sized(array(string)(spans.parentId, 'spans.parentId'), 'spans.parentId', rows),
    parent: Int32Array.from(column('parent', rows - 1, -1)),
    subtreeSize: Int32Array.from(column('subtreeSize', rows)),
    start: times(spans.start, 'spans.start', rows),
    duration: times(spans.duration, 'spans.duration', rows),
    name: Int32Array.from(column('name', words - 1)),
    kind: Uint8Array.from(column('kind', 5)),
    status: Uint8Array.from(column('status', 2)),
    statusMessage: Int32Array.from(column('statusMessage', words - 1)),
    resource: Int32Array.from(column('resource', resources.length - 1)),
    scope: Int32Array.from(column('scope', scopes.length - 1)),
    flags: Float64Array.from(column('flags', big)),
    traceState: Int32Array.from(column('traceState', words - 1)),
    droppedAttributes: dropped(spans.droppedAttributes, 'spans.droppedAttributes', rows),
    droppedEvents: dropped(spans.droppedEvents, 'spans.droppedEvents', rows),
    droppedLinks: dropped(spans.droppedLinks, 'spans.droppedLinks', rows),
    marks: Uint8Array.from(column('marks', 255)),
    attributes: attributeColumn(spans.attributes, 'spans.attributes', rows, words),
  };
  checkPreorder(decoded.parent, decoded.subtreeSize);
  return {
    traceId: string(root.traceId, 'traceId'),
    startNs: int64(root.startNs, 'startNs'),
    endNs: int64(root.endNs, 'endNs'),
    flags: array(string)(root.flags, 'flags').filter((f): f is TraceFlag =>
      TRACE_FLAGS.includes(f as TraceFlag),
    ),
    dictionary,
    resources: resources as unknown as TraceColumns['resources'],
    scopes: scopes as unknown as TraceColumns['scopes'],
    spans: decoded,
    events: decodeEvents(record(root.events, 'events'), rows, words),
    links: decodeLinks(record(root.links, 'links'), rows, words),
  };
}

function decodeEvents(events: Record<string, unknown>, rows: number, words: number): TraceColumns['events'] {
  const span = ascending(list(events.span, 'events.span'), 'events.span', rows);
  const n = span.length;
  return {
    span,
    time: times(events.time, 'events.time', n),
    name: Int32Array.from(ints(events.name, 'events.name', n, 0, words - 1)),
    droppedAttributes: dropped(events.droppedAttributes, 'events.droppedAttributes', n),
    attributes: attributeColumn(events.attributes, 'events.attributes', n, words),
  };
}

function decodeLinks(links: Record<string, unknown>, rows: number, words: number): TraceColumns['links'] {
  const span = ascending(list(links.span, 'links.span'), 'links.span', rows);
  const n = span.length;
  return {
    span,
    traceId: sized(array(string)(links.traceId, 'links.traceId'), 'links.traceId', n),
    spanId: sized(array(string)(links.spanId, 'links.spanId'), 'links.spanId', n),
    traceState: Int32Array.from(ints(links.traceState, 'links.traceState', n, 0, words - 1)),
    flags:
      links.flags === undefined
        ? undefined
        : Float64Array.from(ints(links.flags, 'links.flags', n, 0, 2 ** 32)),
    droppedAttributes: dropped(links.droppedAttributes, 'links.droppedAttributes', n),
    attributes: attributeColumn(links.attributes, 'links.attributes', n, words),
  };
}

function list(value: unknown, path: string): unknown[] {
  if (!Array.isArray(value)) throw new DecodeError(path, 'an array', value);
  return value;
}

function sized<T extends ArrayLike<unknown>>(value: T, path: string, length: number): T {
  if (value.length !== length) throw new DecodeError(`${path}.length`, String(length), value.length);
  return value;
}

function ints(value: unknown, path: string, length: number, min: number, max: number): number[] {
  const items = sized(list(value, path), path, length);
  for (let i = 0; i < length; i++) {
    const item = items[i];
    if (typeof item !== 'number' || !Number.isInteger(item) || item < min || item > max)
      throw new DecodeError(`${path}[${i}]`, `a whole number from ${min} to ${max}`, item);
  }
  return items as number[];
}

function times(value: unknown, path: string, length: number): BigInt64Array {
  const items = sized(list(value, path), path, length);
  const out = new BigInt64Array(length);
  for (let i = 0; i < length; i++) out[i] = int64(items[i], `${path}[${i}]`);
  return out;
}

const dropped = (value: unknown, path: string, length: number) =>
  value === undefined ? undefined : Int32Array.from(ints(value, path, length, 0, 2 ** 31 - 1));

function ascending(value: unknown[], path: string, rows: number): Int32Array {
  const out = Int32Array.from(ints(value, path, value.length, 0, rows - 1));
  for (let i = 1; i < out.length; i++)
    if (out[i]! < out[i - 1]!)
      throw new DecodeError(`${path}[${i}]`, `at least ${out[i - 1]}, for rows ascend`, out[i]);
  return out;
}

function owner(value: unknown, path: string, words: number, ...codes: string[]): Record<string, unknown> {
  const fields = record(value, path);
  for (const code of codes) ints([fields[code]], `${path}.${code}`, 1, 0, words - 1);
  checkAttributes(fields.attributes, `${path}.attributes`, words);
  return fields;
}

function attributeColumn(value: unknown, path: string, length: number, words: number): RawAttributes[] {
  const items = sized(list(value, path), path, length);
  for (let i = 0; i < length; i++) checkAttributes(items[i], `${path}[${i}]`, words);
  return items as RawAttributes[];
}

function checkAttributes(value: unknown, path: string, words: number): void {
  const items = list(value, path);
  if (items.length % 3 !== 0) throw new DecodeError(`${path}.length`, 'a multiple of 3', items.length);
  for (let i = 0; i < items.length; i += 3) {
    if (!isCode(items[i], words))
      throw new DecodeError(`${path}[${i}]`, 'an index of the dictionary', items[i]);
    checkValue(items[i + 1], items[i + 2], words, path, i + 2);
  }
}

const isCode = (value: unknown, words: number) =>
  typeof value === 'number' && value >= 0 && value < words && Number.isInteger(value);

function checkValue(type: unknown, value: unknown, words: number, path: string, at: number): void {
  if (type === ValueType.string) {
    if (!isCode(value, words)) throw new DecodeError(`${path}[${at}]`, 'an index of the dictionary', value);
  } else if (type === ValueType.array) {
    const items = list(value, `${path}[${at}]`);
    for (let i = 0; i + 1 < items.length; i += 2)
      checkValue(items[i], items[i + 1], words, `${path}[${at}]`, i + 1);
  } else if (type === ValueType.kvlist) {
    checkAttributes(value, `${path}[${at}]`, words);
  } else if (type === ValueType.int) {
    int64(value, `${path}[${at}]`);
  } else if (typeof type !== 'number' || type < 0 || type > 7) {
    throw new DecodeError(`${path}[${at - 1}]`, 'a value type from 0 to 7', type);
  }
}

/** Parents before children, and every subtree whole: what all of trace/ relies on. */
function checkPreorder(parent: Int32Array, subtreeSize: Int32Array): void {
  const ends: number[] = [];
  const open: number[] = [];
  for (let row = 0; row < parent.length; row++) {
    while (open.length > 0 && ends[ends.length - 1]! < row) {
      open.pop();
      ends.pop();
    }
    const expected = open.length > 0 ? open[open.length - 1]! : -1;
    if (parent[row] !== expected)
      throw new DecodeError(`spans.parent[${row}]`, `${expected}, by the subtree sizes`, parent[row]);
    const end = row + subtreeSize[row]!;
    const limit = ends.length > 0 ? ends[ends.length - 1]! : parent.length - 1;
    if (end > limit)
      throw new DecodeError(`spans.subtreeSize[${row}]`, `at most ${limit - row}`, subtreeSize[row]);
    open.push(row);
    ends.push(end);
  }
}
