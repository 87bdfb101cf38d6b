import { expect, test } from 'vitest';
import { decodeTrace } from '../../src/client/decodeTrace';
import { buildTrace } from '../../src/trace/model';
import { criticalPath } from '../../src/trace/criticalPath';
import { nowNs } from '../../src/base/time';
import { encode } from './encode';
import { deepTrace, hugeTrace, oddTrace } from './odd';
import { shopTraces } from './shop';

const roundTrip = (json: unknown) => buildTrace(decodeTrace(JSON.parse(JSON.stringify(json))));

test('every kind of mock trace passes the decoder', () => {
  const now = nowNs();
  for (const mock of [...shopTraces(40, now), oddTrace(now), deepTrace(now)]) {
    const trace = roundTrip(encode(mock));
    expect(trace.count).toBe(mock.spans.length);
    expect(criticalPath(trace).length).toBeGreaterThan(0);
  }
});

test('the odd trace is odd in every way', () => {
  const trace = roundTrip(encode(oddTrace(nowNs())));
  expect(trace.flags).toEqual(['root_missing', 'orphans', 'duplicate_ids', 'cycles', 'clock_skew']);
});

test('a trace of 100,000 spans is decoded, built and walked in a moment', () => {
  const json = JSON.parse(JSON.stringify(encode(hugeTrace(nowNs())))) as unknown;
  const began = performance.now();
  const trace = buildTrace(decodeTrace(json));
  const sections = criticalPath(trace);
  const took = performance.now() - began;
  expect(trace.count).toBe(100_000);
  expect(sections.length).toBeGreaterThan(1000);
  expect(took).toBeLessThan(15_000);
});
