import { describe, expect, test } from 'vitest';
import { criticalPath, pathShares, sectionsByRow, type PathInput } from './criticalPath';
import { makeTrace, parseSpans } from './testTrace';

/** "C[60,101] E[50,60]", latest first. */
function path(spans: string): string {
  const trace = makeTrace(parseSpans(spans));
  return criticalPath(trace)
    .map((s) => `${trace.spans.id[s.row]}[${s.from},${s.to}]`)
    .join(' ');
}

describe('the vectors of Jaeger', () => {
  test.each([
    [
      'T1 two calls in turn',
      'C: 1+100; D: 20+20 < C; E: 50+10 < C',
      'C[60,101] E[50,60] C[40,50] D[20,40] C[1,20]',
    ],
    [
      'T2 of two that overlap, the later end',
      'X: 1+100; A: 10+40 < X; C: 20+40 < X',
      'X[60,101] C[20,60] X[1,20]',
    ],
    ['T3 a child after its parent', 'A: 1+30; B: 40+40 < A', 'A[1,31]'],
    ['T4 and its child with it', 'A: 1+30; B: 40+40 < A; C: 50+10 < B', 'A[1,31]'],
    [
      'T5 what a producer does not wait for',
      'A: 1+30 producer; B: 10+10 < A consumer; C: 12+2 < B',
      'A[1,31]',
    ],
    ['T6 clipped right and left', 'A: 1+29; B: 15+20 < A; C: 10+15 < B', 'B[25,30] C[15,25] A[1,15]'],
    ['T7 clipped twice on the right', 'A: 1+29; B: 15+20 < A; C: 20+20 < B', 'C[20,30] B[15,20] A[1,15]'],
    ['T8 sticks out on both sides', 'A: 10+20; B: 5+30 < A', 'B[10,30]'],
    ['T9 a child before its parent', 'A: 10+20; B: 1+4 < A', 'A[10,30]'],
  ])('%s', (_, spans, expected) => {
    expect(path(spans)).toBe(expected);
  });
});

describe('what Jaeger gets wrong', () => {
  test('a call that ends exactly where the next begins is on the path', () => {
    expect(path('A: 0+100; B: 0+50 < A; C: 50+50 < A')).toBe('C[50,100] B[0,50]');
  });

  test('a path that reaches time 0 is not taken for unset', () => {
    expect(path('A: 0+100; B: 0+40 < A; C: 40+10 < A')).toBe('A[50,100] C[40,50] B[0,40]');
  });

  test('work that outlives its parent on the same clock did not hold it up', () => {
    expect(path('A: 0+100 @shop; B: 10+20 < A @shop; C: 30+500 < A @shop')).toBe(
      'A[30,100] B[10,30] A[0,10]',
    );
  });

  test('a call that is ended a hair after its caller did hold it up', () => {
    expect(path('A: 0+100 @shop; B: 10+91 < A @shop')).toBe('B[10,100] A[0,10]');
  });

  test('the same picture on two clocks is skew, and is clipped', () => {
    expect(path('A: 0+100 @shop; C: 30+500 < A @stock server')).toBe('C[30,100] A[0,30]');
  });

  test('children without length end the walk too', () => {
    expect(path('A: 0+10; B: 5+0 < A; C: 5+0 < A; D: 5+0 < A')).toBe('A[5,10] A[0,5]');
  });

  test('a chain of 100,000 spans needs no deep stack', () => {
    const count = 100_000;
    const trace: PathInput = {
      count,
      roots: [0],
      spans: {
        start: BigInt64Array.from({ length: count }, (_, i) => BigInt(i)),
        duration: BigInt64Array.from({ length: count }, (_, i) => BigInt(2 * (count - i))),
        parent: Int32Array.from({ length: count }, (_, i) => i - 1),
        subtreeSize: Int32Array.from({ length: count }, (_, i) => count - 1 - i),
        kind: new Uint8Array(count).fill(1),
        resource: Int32Array.from({ length: count }, (_, i) => i % 2),
      },
    };
    const sections = criticalPath(trace);
    expect(sections.reduce((sum, s) => sum + (s.to - s.from), 0n)).toBe(BigInt(2 * count));
  });

  test('every fragment of a trace without its root has a path', () => {
    expect(path('A: 0+10; B: 20+10')).toBe('A[0,10] B[20,30]');
  });
});

test('without clipping the sections add up to the root, and touch each other', () => {
  const trace = makeTrace(
    parseSpans('R: 0+1000; A: 100+300 < R; B: 150+100 < A; C: 400+500 < R; D: 420+30 < C; E: 450+400 < C'),
  );
  const sections = criticalPath(trace);
  expect(sections.reduce((sum, s) => sum + (s.to - s.from), 0n)).toBe(1000n);
  sections.slice(1).forEach((s, i) => expect(s.to).toBe(sections[i]!.from));
});

test('sections of hidden rows are shown, merged, on the row that hides them', () => {
  const trace = makeTrace(parseSpans('C: 1+100; D: 20+20 < C; E: 50+10 < C'));
  const shown = sectionsByRow(criticalPath(trace), () => 0);
  expect([...shown.values()]).toEqual([[{ row: 0, from: 1n, to: 101n }]]);
});

test('shares name the operation that holds most of the path', () => {
  const trace = makeTrace(
    parseSpans('C: 0+100 @shop; D: 20+20 < C @db; E: 50+40 < C @db').map((s) =>
      s.service === 'db' ? { ...s, name: 'SELECT' } : s,
    ),
  );
  const { total, shares } = pathShares(trace, criticalPath(trace));
  expect(total).toBe(100n);
  expect(shares.map((s) => [s.service, s.name, s.ns])).toEqual([
    ['db', 'SELECT', 60n],
    ['shop', 'C', 40n],
  ]);
  expect(shares[0]!.rows.map((row) => trace.spans.id[row])).toEqual(['E', 'D']);
});
