// Traces that test the limits of a trace page: very large, broken in every way the contract can say, old and far clocks.
import { Builder, ms, seeded, type MockTrace } from './spans';

export const HUGE_ID = '00000000000000000000000000000b16';
export const ODD_ID = '000000000000000000000000000000dd';
export const DEEP_ID = '0000000000000000000000000000dee9';

/** 100,000 spans of a batch job over 15 services. */
export function hugeTrace(now: bigint): MockTrace {
  const random = seeded(16);
  const b = new Builder(HUGE_ID, random);
  const services = [
    'batch',
    'orders',
    'ledger',
    'pricing',
    'inventory',
    'tax',
    'fx',
    'audit',
    'search',
    'cache',
    'users',
    'mail',
    'queue',
    'blob',
    'risk',
  ];
  const start = now - 600_000_000_000n;
  const root = b.add(undefined, 'batch', 'reprice catalogue', 1, start, 300_000_000_000n, {
    'batch.size': 3333,
  });
  let at = start;
  while (b.spans.length < 100_000) {
    const step = ms(60 + random() * 50);
    const item = b.add(root, 'batch', 'reprice item', 1, at, step, {
      'item.sku': `SKU-${b.spans.length}`,
      'item.index': b.spans.length,
    });
    for (let i = 0; i < 5 && b.spans.length < 100_000; i++) {
      const service = services[1 + Math.floor(random() * 14)]!;
      const from = at + (step * BigInt(i)) / 6n;
      const client = b.add(item, 'batch', `POST ${service}`, 3, from, step / 7n, {
        'http.request.method': 'POST',
        'server.address': service,
      });
      for (let j = 0; j < 5 && b.spans.length < 100_000; j++)
        b.add(
          client,
          service,
          j === 0 ? `POST /${service}` : `step ${j}`,
          j === 0 ? 2 : 1,
          from + (step * BigInt(j)) / 42n,
          step / 45n,
          { 'http.route': `/${service}`, shard: Math.floor(random() * 64) },
        );
      if (random() < 0.004) b.fail(client, 'TimeoutError', `${service} did not answer within 250 ms`, '');
    }
    at += ms(85);
  }
  return b.done();
}

/** Orphans, duplicate ids, a broken cycle, skewed clocks, a negative duration, every value type, links. */
export function oddTrace(now: bigint): MockTrace {
  const b = new Builder(ODD_ID, seeded(7));
  const start = now - 90_000_000_000n;
  const lost = b.add(undefined, 'edge', 'GET /odd', 2, start, ms(120), { 'http.route': '/odd' });
  lost.parentId = 'feedfeedfeedfeed';
  const worker = b.add(lost, 'worker', 'handle', 1, start + ms(10), ms(60), {
    text: 'a string',
    'empty.string': '',
    'a big int': 9007199254740993n,
    ratio: 0.1,
    'not.a.number': NaN,
    flag: true,
    'bytes.blob': new Uint8Array([0, 1, 2, 255]),
    'list.mixed': ['one', 2, true, ['nested']],
    'map.request': { method: 'GET', headers: { accept: 'text/html' } },
    json: '{"user":{"id":17,"roles":["admin","ops"]}}',
    long: 'lorem ipsum dolor sit amet '.repeat(60).trim(),
    link: 'https://example.org/runbook',
  });
  worker.traceState = 'vendor=abc,ot=th:8';
  worker.links.push(
    {
      traceId: '5c0ffee0000000000000000000000001',
      spanId: '1111111111111111',
      attributes: { 'link.reason': 'retry of' },
    },
    { traceId: ODD_ID, spanId: lost.spanId, attributes: {} },
  );
  const early = b.add(worker, 'skewed-clock', 'POST /early', 2, start - ms(25), ms(40));
  b.add(early, 'skewed-clock', 'late child', 1, start + ms(100), ms(80));
  const twin = b.add(lost, 'twins', 'twin A', 1, start + ms(30), ms(20));
  b.add(lost, 'twins', 'twin B', 1, start + ms(55), ms(25)).spanId = twin.spanId;
  b.add(lost, 'backwards', 'ends before it starts', 1, start + ms(80), -ms(5));
  b.add(lost, '', '', 0, start + ms(85), 0n);
  const other = b.add(undefined, 'lonely', 'orphan with children', 5, start + ms(140), ms(40));
  other.parentId = 'deadbeefdeadbeef';
  b.add(other, 'lonely', 'below the orphan', 1, start + ms(150), ms(10));
  const a = b.add(undefined, 'loop', 'cycle start', 1, start + ms(20), ms(10));
  const c = b.add(a, 'loop', 'cycle end', 1, start + ms(22), ms(5));
  a.parentId = c.spanId;
  return b.done();
}

/** A recursion 400 levels deep. */
export function deepTrace(now: bigint): MockTrace {
  const b = new Builder(DEEP_ID, seeded(9));
  const start = now - 30_000_000_000n;
  let parent = b.add(undefined, 'recursion', 'walk', 2, start, ms(900));
  for (let i = 1; i < 400; i++)
    parent = b.add(
      parent,
      `recursion-${i % 4}`,
      `walk level ${i} of the directory tree`,
      1,
      start + ms(i),
      ms(900 - 2 * i),
    );
  return b.done();
}
