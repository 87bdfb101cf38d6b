import { expect, test } from 'vitest';
import type { TraceHit } from '../../client/api';
import { layoutScatter, pointAt } from './scatterLayout';

const hit = (startNs: bigint, durationNs: bigint, errorCount = 0) =>
  ({ startNs, durationNs, errorCount, spanCount: 10 }) as TraceHit;

test('later is further right, slower is higher, by decades', () => {
  const { points, timeAt } = layoutScatter(
    [hit(100n, 1_000_000n), hit(200n, 10_000_000n), hit(300n, 100_000_000n, 1)],
    { start: 0n, end: 400n },
    400,
    200,
  );
  const [a, b, c] = points;
  expect(a!.x < b!.x && b!.x < c!.x).toBe(true);
  expect(a!.y - b!.y).toBeCloseTo(b!.y - c!.y, 3);
  expect([a!.error, c!.error]).toEqual([false, true]);
  expect(timeAt(b!.x)).toBe(200n);
});

test('a single trace, or none, still has a scale', () => {
  expect(layoutScatter([hit(1n, 5n)], { start: 0n, end: 10n }, 300, 150).yTicks.length).toBeGreaterThan(0);
  expect(layoutScatter([], { start: 0n, end: 10n }, 300, 150).points).toEqual([]);
});

test('the pointer finds the nearest point, and nothing far away', () => {
  const { points } = layoutScatter(
    [hit(100n, 1_000n), hit(300n, 1_000_000n)],
    { start: 0n, end: 400n },
    400,
    200,
  );
  expect(pointAt(points, points[1]!.x + 3, points[1]!.y)).toBe(points[1]);
  expect(pointAt(points, 0, 0)).toBeUndefined();
});
