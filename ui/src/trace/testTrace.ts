// Builds small traces for tests, in the words of the reference: "id: start + duration < parent".
import type { TraceColumns } from './columns';
import { buildTrace, type Trace } from './model';

export interface TestSpan {
  id: string;
  start: bigint | number;
  duration: bigint | number;
  parent?: string;
  kind?: number;
  status?: number;
  name?: string;
  /** spans of one service share one resource; without it every span has its own */
  service?: string;
  attributes?: Record<string, string | number | boolean>;
  event?: string;
}

export function makeColumns(spans: TestSpan[]): TraceColumns {
  const dictionary: string[] = [];
  const code = (text: string) => {
    const at = dictionary.indexOf(text);
    return at >= 0 ? at : dictionary.push(text) - 1;
  };
  const list = (attributes: TestSpan['attributes'] = {}) =>
    Object.entries(attributes).flatMap(([key, value]) => [
      code(key),
      typeof value === 'string' ? 1 : typeof value === 'number' ? 2 : 4,
      typeof value === 'string' ? code(value) : value,
    ]);
  const ordered: TestSpan[] = [];
  const sizes: number[] = [];
  const place = (span: TestSpan) => {
    const row = ordered.push(span) - 1;
    const children = spans
      .filter((s) => s.parent === span.id)
      .sort((a, b) => Number(BigInt(a.start) - BigInt(b.start)));
    children.forEach(place);
    sizes[row] = ordered.length - row - 1;
  };
  spans.filter((s) => s.parent === undefined).forEach(place);
  const services = [...new Set(ordered.map((s) => s.service ?? `svc-${s.id}`))];
  const starts = ordered.map((s) => BigInt(s.start));
  const ends = ordered.map((s, i) => starts[i]! + BigInt(s.duration));
  const none = code('');
  const withEvent = ordered.flatMap((s, row) => (s.event === undefined ? [] : [{ row, name: s.event }]));
  return {
    traceId: '0'.repeat(31) + '1',
    startNs: 0n,
    endNs: ends.reduce((a, b) => (a > b ? a : b), 0n),
    flags: [],
    resources: services.map((service) => ({
      service: code(service),
      attributes: list({ 'service.name': service }),
    })),
    scopes: [{ name: none, version: none, attributes: [] }],
    spans: {
      id: ordered.map((s) => s.id),
      parentId: ordered.map((s) => s.parent ?? ''),
      parent: Int32Array.from(ordered, (s) => ordered.findIndex((o) => o.id === s.parent)),
      subtreeSize: Int32Array.from(sizes),
      start: BigInt64Array.from(starts),
      duration: BigInt64Array.from(ordered, (s) => BigInt(s.duration)),
      name: Int32Array.from(ordered, (s) => code(s.name ?? s.id)),
      kind: Uint8Array.from(ordered, (s) => s.kind ?? 1),
      status: Uint8Array.from(ordered, (s) => s.status ?? 0),
      statusMessage: Int32Array.from(ordered, () => none),
      resource: Int32Array.from(ordered, (s) => services.indexOf(s.service ?? `svc-${s.id}`)),
      scope: new Int32Array(ordered.length),
      flags: new Float64Array(ordered.length),
      traceState: Int32Array.from(ordered, () => none),
      marks: new Uint8Array(ordered.length),
      attributes: ordered.map((s) => list(s.attributes)),
    },
    events: {
      span: Int32Array.from(withEvent, (e) => e.row),
      time: BigInt64Array.from(withEvent, (e) => starts[e.row]!),
      name: Int32Array.from(withEvent, (e) => code(e.name)),
      attributes: withEvent.map(() => []),
    },
    links: { span: new Int32Array(), traceId: [], spanId: [], traceState: new Int32Array(), attributes: [] },
    dictionary,
  };
}

export function makeTrace(spans: TestSpan[]): Trace {
  return buildTrace(makeColumns(spans));
}

/** "D: 20+20 < C", with an optional service after "@" and "producer" or "consumer" after that. */
export function parseSpans(text: string): TestSpan[] {
  return text
    .split(';')
    .map((part) =>
      /^\s*(\w+):\s*(\d+)\+(\d+)(?:\s*<\s*(\w+))?(?:\s*@(\w+))?(?:\s+(server|client|producer|consumer))?\s*$/.exec(
        part,
      ),
    )
    .map((m) => {
      if (!m) throw new Error(`not a span list: ${text}`);
      const [, id, start, duration, parent, service, kind] = m;
      return {
        id: id!,
        start: BigInt(start!),
        duration: BigInt(duration!),
        parent,
        service,
        kind: kind === undefined ? 1 : ['server', 'client', 'producer', 'consumer'].indexOf(kind) + 2,
      };
    });
}
