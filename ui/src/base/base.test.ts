import { expect, test } from 'vitest';
import { hash32, serviceColour } from './colour';
import { describeRange, resolveRange, resolveTime } from './range';
import {
  durationLiteral,
  formatAgo,
  formatDuration,
  formatIso,
  parseDuration,
  ticks,
  HOUR,
  MINUTE,
  SECOND,
} from './time';

test.each([
  [0n, '0 ns'],
  [980n, '980 ns'],
  [1_240n, '1.24 µs'],
  [999_400n, '999 µs'],
  [999_999n, '1 ms'],
  [1_500_000n, '1.5 ms'],
  [140_000_000n, '140 ms'],
  [12_345_678_901n, '12.3 s'],
  [125n * SECOND, '2 m 5 s'],
  [2n * HOUR, '2 h'],
  [-5n * MINUTE, '−5 m'],
  [4_102_444_800n * SECOND, '47482 d'],
])('%s ns reads %s', (ns, text) => {
  expect(formatDuration(ns)).toBe(text);
});

test('durations are read with their units, exactly', () => {
  expect(parseDuration('1.5s')).toBe(1_500_000_000n);
  expect(parseDuration('1h30m')).toBe(90n * MINUTE);
  expect(parseDuration('250 ms')).toBe(250_000_000n);
  expect(parseDuration('0.1us')).toBe(100n);
  for (const bad of ['', '5', 'ms', '1.s', '-3s']) expect(parseDuration(bad)).toBeUndefined();
});

test('a literal gives back the same duration', () => {
  for (const ns of [
    1n,
    999n,
    1_500n,
    1_500_000n,
    140_000_000n,
    1_234_567_891n,
    90n * MINUTE,
    2n * HOUR,
    61n * SECOND,
  ])
    expect(parseDuration(durationLiteral(ns))).toBe(ns);
  expect(durationLiteral(1_500_000n)).toBe('1.5ms');
});

test('times keep their nanoseconds', () => {
  expect(formatIso(1_795_000_000_123_456_789n)).toBe('2026-11-18T11:06:40.123456789Z');
  expect(formatIso(-1n)).toBe('1969-12-31T23:59:59.999999999Z');
  expect(formatAgo(0n, 90n * SECOND)).toBe('1 m ago');
  expect(formatAgo(HOUR, 0n)).toBe('in 1 h');
});

test('range bounds: relative, nanoseconds, dates; and why not', () => {
  const now = 1_795_000_000n * SECOND;
  expect(resolveTime('now-15m', now)).toBe(now - 15n * MINUTE);
  expect(resolveTime('1795000000000000001', now)).toBe(1_795_000_000_000_000_001n);
  expect(resolveTime('2026-11-18T11:06:40Z', now)).toBe(now);
  expect(resolveTime('yesterday', now)).toBeUndefined();
  expect(resolveRange({ start: 'now', end: 'now-1h' }, now)).toEqual({
    problem: 'The range ends before it starts.',
  });
  expect(describeRange({ start: 'now-1h', end: 'now' })).toBe('Last 1 hour');
});

test('a ruler has round steps within its bounds', () => {
  expect(ticks(0n, 1000n, 5)).toEqual([0n, 200n, 400n, 600n, 800n, 1000n]);
  expect(ticks(130n, 170n, 4)).toEqual([130n, 140n, 150n, 160n, 170n]);
  expect(ticks(0n, 10n * MINUTE, 5)).toHaveLength(6);
  expect(ticks(5n, 5n, 5)).toEqual([5n]);
});

test('a service keeps its colour, and none is the red of errors', () => {
  expect(serviceColour('payment', 'light')).toBe(serviceColour('payment', 'light'));
  for (let i = 0; i < 500; i++) {
    const hue = Number(/([\d.]+)\)$/.exec(serviceColour(`service-${i}`, 'dark'))![1]);
    expect(hue >= 45 && hue <= 360).toBe(true);
  }
  expect(new Set(Array.from({ length: 1000 }, (_, i) => hash32(`s${i}`))).size).toBe(1000);
});
