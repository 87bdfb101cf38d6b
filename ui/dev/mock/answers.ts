// What the mock server answers: services, operations, attributes, their values, and search over generated traces.
import { parser } from '@grafana/lezer-traceql';
import { parseDuration } from '../../src/base/time';
import { parseFilter, unquote, type Condition } from '../../src/traceql/filter';
import { forest, resourceOf } from './encode';
import { deepTrace, hugeTrace, oddTrace } from './odd';
import { shopTraces } from './shop';
import type { MockSpan, MockTrace } from './spans';

export const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
export const STATUSES = ['unset', 'ok', 'error'];

export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly body: Record<string, unknown>,
  ) {
    super(String(body.message));
  }
}

export class Store {
  readonly traces: MockTrace[];
  readonly byId: Map<string, MockTrace>;
  constructor(now: bigint) {
    this.traces = [...shopTraces(700, now), oddTrace(now), deepTrace(now), hugeTrace(now)];
    this.byId = new Map(this.traces.map((t) => [t.traceId, t]));
  }

  *spans(start: bigint, end: bigint): Generator<MockSpan> {
    for (const trace of this.traces)
      for (const span of trace.spans) if (span.start >= start && span.start < end) yield span;
  }
}

export function counts<K>(
  spans: Iterable<MockSpan>,
  keyOf: (span: MockSpan) => K,
): Map<K, { spanCount: number; errorCount: number }> {
  const out = new Map<K, { spanCount: number; errorCount: number }>();
  for (const span of spans) {
    const entry = out.get(keyOf(span)) ?? { spanCount: 0, errorCount: 0 };
    entry.spanCount++;
    if (span.status === 2) entry.errorCount++;
    out.set(keyOf(span), entry);
  }
  return out;
}

export function typeOf(value: unknown): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'double';
  if (typeof value === 'boolean') return 'bool';
  if (value instanceof Uint8Array) return 'bytes';
  return Array.isArray(value) ? 'array' : 'kvlist';
}

/** Every value that TraceQL's key means on this span. */
export function valuesOf(span: MockSpan, key: string, trace?: MockTrace): unknown[] {
  const root = trace?.spans.find((s) => s.parentId === '');
  const intrinsics: Record<string, unknown> = {
    name: span.name,
    status: STATUSES[span.status],
    kind: KINDS[span.kind],
    duration: span.duration,
    statusMessage: span.statusMessage,
    rootName: root?.name,
    rootServiceName: root?.service,
    'trace:id': trace?.traceId,
    'span:id': span.spanId,
  };
  if (key in intrinsics) return [intrinsics[key]];
  const [, scope, quoted] = /^(\w*)\.(.*)$/.exec(key) ?? [undefined, '', ''];
  const name = quoted.startsWith('"') ? unquote(quoted) : quoted;
  const found: unknown[] = [];
  if (scope === 'span' || scope === '') found.push(span.attributes[name]);
  if (scope === 'resource' || scope === '') found.push(resourceOf(span.service)[name]);
  if (scope === 'event') found.push(...span.events.map((e) => e.attributes[name]));
  if (scope === 'link') found.push(...span.links.map((l) => l.attributes[name]));
  return found.filter((v) => v !== undefined);
}

function holds(span: MockSpan, { key, op, literal }: Condition, trace: MockTrace): boolean {
  const values = valuesOf(span, key, trace);
  if (literal === 'nil') return (values.length === 0) === (op === '=');
  const right: unknown = literal.startsWith('"')
    ? unquote(literal)
    : (parseDuration(literal) ?? (Number.isNaN(Number(literal)) ? literal : Number(literal)));
  return values.some((left) => {
    const a = typeof left === 'bigint' ? Number(left) : typeof left === 'boolean' ? String(left) : left;
    const b = typeof right === 'bigint' ? Number(right) : right;
    if (typeof a !== typeof b) return false;
    if (op === '=~' || op === '!~') return new RegExp(`^(?:${String(b)})$`).test(String(a)) === (op === '=~');
    if (op === '=' || op === '!=') return (a === b) === (op === '=');
    const [x, y] = [a as number, b as number];
    return op === '>' ? x > y : op === '>=' ? x >= y : op === '<' ? x < y : x <= y;
  });
}

function conditionsOf(q: string): Condition[] {
  const filter = parseFilter(q);
  if (!filter) throw syntaxError(q);
  const out = [...filter.conditions];
  const add = (key: string, op: Condition['op'], literal: string) => out.push({ key, op, literal });
  if (filter.service) add('resource.service.name', '=', JSON.stringify(filter.service));
  if (filter.operation) add('name', '=', JSON.stringify(filter.operation));
  if (filter.status) add('status', '=', JSON.stringify(filter.status));
  if (filter.minDuration !== undefined) add('duration', '>=', `${filter.minDuration}ns`);
  if (filter.maxDuration !== undefined) add('duration', '<=', `${filter.maxDuration}ns`);
  return out.map((c) =>
    ['status', 'kind'].includes(c.key) && !c.literal.startsWith('"')
      ? { ...c, literal: JSON.stringify(c.literal) }
      : c,
  );
}

function syntaxError(q: string): Refusal {
  let at: number | undefined;
  parser
    .parse(q)
    .iterate({ enter: (node) => void (node.type.isError && at === undefined && (at = node.from)) });
  const offset = at ?? 0;
  const before = q.slice(0, offset);
  const line = before.split('\n').length;
  const column = offset - before.lastIndexOf('\n');
  return new Refusal(400, {
    code: at === undefined ? 'unsupported' : 'bad_request',
    message:
      at === undefined
        ? 'not supported yet by the mock: more than conditions joined by &&'
        : `unexpected ${JSON.stringify(q.slice(offset, offset + 1)) || 'end of query'}`,
    line,
    column,
    offset,
    length: 1,
  });
}

export function search(store: Store, params: URLSearchParams, start: bigint, end: bigint): unknown {
  const began = performance.now();
  const conditions = conditionsOf(params.get('q') ?? '{}');
  const limit = Number(params.get('limit') ?? 20);
  const offset = Number(params.get('cursor') ?? 0);
  const hits = [];
  for (const trace of store.traces) {
    const matched = trace.spans.filter(
      (s) => s.start >= start && s.start < end && conditions.every((c) => holds(s, c, trace)),
    );
    if (matched.length > 0) hits.push(summary(trace, matched, Number(params.get('spansPerTrace') ?? 3)));
  }
  hits.sort((a, b) => (a.start > b.start ? -1 : 1));
  const page = hits.slice(offset, offset + limit).map((hit) => ({ ...hit, start: undefined }));
  return {
    traces: page,
    ...(offset + limit < hits.length ? { nextCursor: String(offset + limit) } : {}),
    complete: true,
    stats: { rows: 120_000, bytes: 1_200_000, elapsedUs: Math.round((performance.now() - began) * 1000) },
  };
}

function summary(trace: MockTrace, matched: MockSpan[], spansPerTrace: number) {
  const root =
    trace.spans.length > 1000
      ? trace.spans[0]
      : forest(trace).find((n) => (n.marks & 1) === 0 && n.span.parentId === '')?.span;
  const start = trace.spans.reduce((a, s) => (s.start < a ? s.start : a), trace.spans[0]!.start);
  const end = trace.spans.reduce((a, s) => (s.start + s.duration > a ? s.start + s.duration : a), start);
  return {
    start,
    traceId: trace.traceId,
    startNs: start.toString(),
    durationNs: (end - start).toString(),
    rootService: root?.service ?? '',
    rootName: root?.name ?? '',
    spanCount: trace.spans.length,
    errorCount: trace.spans.filter((s) => s.status === 2).length,
    services: [...counts(trace.spans, (s) => s.service)].map(([name, c]) => ({ name, ...c })),
    matched: matched.length,
    spans: matched.slice(0, spansPerTrace).map((s) => ({
      spanId: s.spanId,
      name: s.name,
      service: s.service,
      kind: KINDS[s.kind],
      status: STATUSES[s.status],
      startNs: s.start.toString(),
      durationNs: s.duration.toString(),
    })),
  };
}
