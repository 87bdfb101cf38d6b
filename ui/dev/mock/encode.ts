// From mock spans to the contract's TraceColumns, as JSON-able values: preorder, marks, dictionary.
import type { Attrs, MockSpan, MockTrace } from './spans';

interface Node {
  span: MockSpan;
  children: Node[];
  marks: number;
}

/** Trees in preorder; a parent that is missing or that closes a cycle makes a root with a mark. */
export function forest({ spans }: MockTrace): Node[] {
  const nodes = spans.map((span): Node => ({ span, children: [], marks: 0 }));
  const byId = new Map<string, Node>();
  for (const node of nodes) {
    const first = byId.get(node.span.spanId);
    if (first) {
      first.marks |= 2;
      node.marks |= 2;
    } else byId.set(node.span.spanId, node);
  }
  const roots: Node[] = [];
  const isBelow = (node: Node, above: Node): boolean => {
    let hops = 0;
    for (let up: Node | undefined = node; up && hops < 1000; up = byId.get(up.span.parentId), hops++)
      if (up === above) return true;
    return false;
  };
  for (const node of nodes) {
    const { parentId } = node.span;
    const parent = parentId === '' ? undefined : byId.get(parentId);
    if (parent && spans.length < 1000 && isBelow(parent, node)) {
      if (roots.some((r) => r.marks & 4)) parent.children.push(node);
      else {
        node.marks |= 4;
        roots.push(node);
      }
    } else if (parent) parent.children.push(node);
    else {
      if (parentId !== '') node.marks |= 1;
      roots.push(node);
    }
    if (parent && node.span.start < parent.span.start) node.marks |= 8;
    if (parent && node.span.start + node.span.duration > parent.span.start + parent.span.duration)
      node.marks |= 16;
  }
  const byStart = (a: Node, b: Node) =>
    a.span.start < b.span.start ? -1 : a.span.start > b.span.start ? 1 : 0;
  for (const node of nodes) node.children.sort(byStart);
  return roots.sort(byStart);
}

export function encode(trace: MockTrace): unknown {
  const codes = new Map<string, number>();
  const code = (text: string) => {
    let at = codes.get(text);
    if (at === undefined) codes.set(text, (at = codes.size));
    return at;
  };
  code('');
  const value = (v: unknown): [number, unknown] => {
    if (v === null || v === undefined) return [0, null];
    if (typeof v === 'string') return [1, code(v)];
    if (typeof v === 'bigint') return [2, v.toString()];
    if (typeof v === 'number') return Number.isInteger(v) ? [2, v] : [3, Number.isFinite(v) ? v : String(v)];
    if (typeof v === 'boolean') return [4, v];
    if (v instanceof Uint8Array) return [5, Buffer.from(v).toString('base64')];
    if (Array.isArray(v)) return [6, v.flatMap(value)];
    return [7, attributes(v as Attrs)];
  };
  const attributes = (all: Attrs): unknown[] =>
    Object.entries(all).flatMap(([key, v]) => [code(key), ...value(v)]);

  const rows: Node[] = [];
  const parent: number[] = [];
  const subtreeSize: number[] = [];
  const stack: { node: Node; parent: number }[] = forest(trace)
    .reverse()
    .map((node) => ({ node, parent: -1 }));
  while (stack.length > 0) {
    const { node, parent: up } = stack.pop()!;
    const row = rows.push(node) - 1;
    parent.push(up);
    subtreeSize.push(0);
    for (const child of [...node.children].reverse()) stack.push({ node: child, parent: row });
  }
  for (let row = rows.length - 1; row >= 0; row--)
    if (parent[row]! >= 0) subtreeSize[parent[row]!]! += subtreeSize[row]! + 1;

  const spans = rows.map((n) => n.span);
  const startNs = spans.reduce((a, s) => (s.start < a ? s.start : a), spans[0]!.start);
  const endNs = spans.reduce((a, s) => (s.start + s.duration > a ? s.start + s.duration : a), startNs);
  const services = [...new Set(spans.map((s) => s.service))];
  const number = (ns: bigint) => (Number.isSafeInteger(Number(ns)) ? Number(ns) : ns.toString());
  const events = rows.flatMap((n, row) => n.span.events.map((e) => ({ row, ...e })));
  const links = rows.flatMap((n, row) => n.span.links.map((l) => ({ row, ...l })));
  const marks = rows.map((n) => n.marks);
  const any = (bit: number) => marks.some((m) => m & bit);
  const answer = {
    traceId: trace.traceId,
    startNs: startNs.toString(),
    endNs: endNs.toString(),
    flags: [
      ...(spans.some((s) => s.parentId === '') ? [] : ['root_missing']),
      ...(any(1) ? ['orphans'] : []),
      ...(any(2) ? ['duplicate_ids'] : []),
      ...(any(4) ? ['cycles'] : []),
      ...(any(8) ? ['clock_skew'] : []),
    ],
    resources: services.map((s) => ({ service: code(s), attributes: attributes(resourceOf(s)) })),
    scopes: services.map((s) => ({
      name: code(`shop.instrumentation.${s}`),
      version: code('1.4.0'),
      attributes: [],
    })),
    spans: {
      id: spans.map((s) => s.spanId),
      parentId: spans.map((s) => s.parentId),
      parent,
      subtreeSize,
      start: spans.map((s) => number(s.start - startNs)),
      duration: spans.map((s) => number(s.duration)),
      name: spans.map((s) => code(s.name)),
      kind: spans.map((s) => s.kind),
      status: spans.map((s) => s.status),
      statusMessage: spans.map((s) => code(s.statusMessage)),
      resource: spans.map((s) => services.indexOf(s.service)),
      scope: spans.map((s) => services.indexOf(s.service)),
      flags: spans.map((s) => s.flags),
      traceState: spans.map((s) => code(s.traceState)),
      marks,
      attributes: spans.map((s) => attributes(s.attributes)),
    },
    events: {
      span: events.map((e) => e.row),
      time: events.map((e) => number(e.time - startNs)),
      name: events.map((e) => code(e.name)),
      attributes: events.map((e) => attributes(e.attributes)),
    },
    links: {
      span: links.map((l) => l.row),
      traceId: links.map((l) => l.traceId),
      spanId: links.map((l) => l.spanId),
      traceState: links.map(() => 0),
      attributes: links.map((l) => attributes(l.attributes)),
    },
  };
  return { ...answer, dictionary: [...codes.keys()] };
}

export function resourceOf(service: string): Attrs {
  if (service === '') return {};
  return {
    'service.name': service,
    'service.version': service === 'payment' ? '2.8.0' : '1.12.3',
    'service.instance.id': `${service}-7d9c5b-x2x`,
    'deployment.environment.name': 'production',
    'host.name': `node-${service.length % 4}`,
    'telemetry.sdk.language': service.length % 2 ? 'python' : 'go',
  };
}
