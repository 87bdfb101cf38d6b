import { expect, test } from 'vitest';
import { makeTrace, parseSpans } from '../../trace/testTrace';
import { collapsePatch, keyOf, readState, rowOf, zoomPatch } from './state';
import { fit, panBy, zoomBy } from './viewport';

test('zooming keeps the point under the pointer and stops at the edges', () => {
  const whole = { from: 0n, to: 1000n };
  expect(zoomBy(whole, 1000n, 0.5)).toEqual({ from: 250n, to: 750n });
  expect(zoomBy(whole, 1000n, 0.5, 1)).toEqual({ from: 500n, to: 1000n });
  expect(zoomBy({ from: 250n, to: 750n }, 1000n, 4)).toBeUndefined();
  expect(zoomBy({ from: 0n, to: 20n }, 1000n, 0.1)).toEqual({ from: 0n, to: 20n });
  expect(panBy({ from: 250n, to: 750n }, 1000n, 1)).toEqual({ from: 500n, to: 1000n });
  expect(fit(480n, 600n, 1000n)).toEqual({ from: 469n, to: 611n });
  expect(fit(0n, 1000n, 1000n)).toBeUndefined();
});

test('state survives its way through the URL', () => {
  const trace = makeTrace(parseSpans('a0: 0+1000; a1: 10+300 < a0; a2: 20+100 < a1'));
  const patch = {
    ...collapsePatch(trace, { level: 1, toggled: new Set([1]) }),
    ...zoomPatch({ from: 5n, to: 50n }),
    span: keyOf(trace, 2),
    path: '1',
    panel: 'span',
  };
  const state = readState(patch as Record<string, string>, trace);
  expect(state).toEqual({
    selected: 2,
    zoom: { from: 5n, to: 50n },
    find: '',
    collapse: { level: 1, toggled: new Set([1]) },
    path: true,
    panel: 'span',
  });
  expect(readState({ span: 'gone', z: '9-3', level: 'x', panel: 'y' }, trace)).toMatchObject({
    selected: undefined,
    zoom: undefined,
    panel: undefined,
  });
});

test('of two spans with one id, each can be named', () => {
  const trace = makeTrace(parseSpans('a0: 0+10; a1: 1+2 < a0; a2: 3+2 < a0'));
  trace.spans.id[2] = 'a1';
  expect(keyOf(trace, 1)).toBe('a1');
  expect(rowOf(trace, keyOf(trace, 2))).toBe(2);
});
