// A Vite plugin that answers the contract from generated traces, in `vite --mode mock` and in its preview (what the browser tests use).
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { nowNs } from '../../src/base/time';
import { resolveTime } from '../../src/base/range';
import { counts, KINDS, Refusal, search, Store, typeOf, valuesOf } from './answers';
import { encode, resourceOf } from './encode';

export function mockApi(): Plugin {
  let store: Store | undefined;
  const handle = (request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const url = new URL(request.url ?? '/', 'http://mock');
    if (!url.pathname.startsWith('/api/v1/')) return next();
    store ??= new Store(nowNs());
    try {
      send(response, 200, answer(store, url.pathname.slice('/api/v1/'.length), url.searchParams));
    } catch (error) {
      if (error instanceof Refusal) send(response, error.status, { error: error.body });
      else send(response, 500, { error: { code: 'internal', message: String(error) } });
    }
  };
  return {
    name: 'weft-mock-api',
    configureServer: (server) => void server.middlewares.use(handle),
    configurePreviewServer: (server) => void server.middlewares.use(handle),
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.setHeader('content-encoding', 'gzip');
  response.end(gzipSync(JSON.stringify(body), { level: 1 }));
}

function bound(params: URLSearchParams, name: string, otherwise: bigint): bigint {
  const text = params.get(name);
  if (!text) return otherwise;
  const ns = /^\d+$/.test(text) ? BigInt(text) : resolveTime(text, nowNs());
  if (ns === undefined)
    throw new Refusal(400, { code: 'bad_request', message: `${name}: not a time: ${text}` });
  return ns;
}

function answer(store: Store, path: string, params: URLSearchParams): unknown {
  const start = bound(params, 'start', 0n);
  const end = bound(params, 'end', 1n << 62n);
  const spans = () => store.spans(start, end);
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  switch (path) {
    case 'status':
      return {
        version: 'mock',
        startNs: nowNs().toString(),
        liveSpans: 1200,
        storedSpans: 108_000,
        blocks: 3,
        bytes: 3_200_000,
      };
    case 'services':
      return {
        services: [...counts(spans(), (s) => s.service)].map(([name, c]) => ({ name, ...c })).sort(byName),
      };
    case 'operations': {
      const service = params.get('service');
      const found = counts(
        [...spans()].filter((s) => !service || s.service === service),
        (s) => `${s.kind}\n${s.name}`,
      );
      const operations = [...found].map(([key, c]) => ({
        name: key.slice(2),
        kind: KINDS[Number(key[0])]!,
        ...c,
      }));
      return { operations: operations.sort(byName) };
    }
    case 'attributes':
      return { attributes: attributes(spans()) };
    case 'attribute-values':
      return attributeValues(spans(), params);
    case 'search':
      return search(store, params, start, end);
    default: {
      const id = /^traces\/([0-9a-fA-F]{1,32})$/.exec(path)?.[1]?.toLowerCase().padStart(32, '0');
      const trace = id === undefined ? undefined : store.byId.get(id);
      if (!trace) throw new Refusal(404, { code: 'not_found', message: `no trace ${id ?? path} is stored` });
      return encode(trace);
    }
  }
}

function attributes(
  spans: Iterable<{ attributes: object; service: string; events: { attributes: object }[] }>,
) {
  const types = new Map<string, Set<string>>();
  const add = (scope: string, all: object) => {
    for (const [key, value] of Object.entries(all)) {
      const at = `${scope}\n${key}`;
      types.set(at, (types.get(at) ?? new Set<string>()).add(typeOf(value)));
    }
  };
  for (const span of spans) {
    add('span', span.attributes);
    add('resource', resourceOf(span.service));
    for (const event of span.events) add('event', event.attributes);
  }
  return [...types]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([at, set]) => ({ scope: at.split('\n')[0], key: at.split('\n')[1], types: [...set] }));
}

function attributeValues(spans: Iterable<Parameters<typeof valuesOf>[0]>, params: URLSearchParams) {
  const prefix = (params.get('prefix') ?? '').toLowerCase();
  const limit = Number(params.get('limit') ?? 100);
  const found = new Map<string, { type: string; value: string; count: number }>();
  for (const span of spans) {
    for (const value of valuesOf(span, params.get('key') ?? '')) {
      const text = String(value);
      if (!text.toLowerCase().startsWith(prefix) || ['array', 'kvlist', 'bytes'].includes(typeOf(value)))
        continue;
      const entry = found.get(text) ?? { type: typeOf(value), value: text, count: 0 };
      entry.count++;
      found.set(text, entry);
    }
  }
  const values = [...found.values()].sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
  return { values: values.slice(0, limit), complete: values.length <= limit };
}
