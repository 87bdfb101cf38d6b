import { expect, test } from 'vitest';
import { stackLines } from './exception';
import { errorsBelow } from './model';
import { positionOf, reveal, toggle, visibleRows } from './rows';
import { searchTrace } from './search';
import { operationStats, selfTimes } from './selfTime';
import { makeTrace, parseSpans } from './testTrace';
import { attributesOf, valueText } from './values';

const tree = () =>
  makeTrace(parseSpans('R: 0+100; A: 10+30 < R; B: 15+5 < A; C: 50+40 < R; D: 60+10 < C; E: 65+10 < C'));
const ids = (trace: ReturnType<typeof tree>, rows: Iterable<number>) =>
  [...rows].map((r) => trace.spans.id[r]).join('');

test('depth, children and errors below follow from preorder', () => {
  const trace = makeTrace(
    parseSpans('R: 0+100; A: 10+30 < R; B: 15+5 < A; C: 50+40 < R').map((s) => ({
      ...s,
      status: s.id === 'B' ? 2 : 0,
    })),
  );
  expect([...trace.depth]).toEqual([0, 1, 2, 1]);
  expect([...trace.childCount]).toEqual([2, 1, 0, 0]);
  expect([0, 1, 2, 3].map((row) => errorsBelow(trace, row))).toEqual([1, 1, 0, 0]);
});

test('self time leaves out the union of the children, cut to the span', () => {
  const trace = tree();
  // R: 100 - 30 - 40; C: 40 - union of [60,70] and [65,75]
  expect([...selfTimes(trace)]).toEqual([30n, 25n, 5n, 25n, 10n, 10n]);
  const skewed = makeTrace(parseSpans('R: 10+10; A: 5+10 < R; B: 18+100 < R'));
  expect(selfTimes(skewed)[0]).toBe(3n);
});

test('operation statistics count each operation once, the most self time first', () => {
  const trace = makeTrace(
    parseSpans('R: 0+100 @shop; A: 10+30 < R @db; B: 50+20 < R @db').map((s) => ({ ...s, name: s.service! })),
  );
  expect(operationStats(trace, selfTimes(trace)).map((o) => [o.name, o.count, o.self, o.slowestRow])).toEqual(
    [
      ['shop', 1, 50n, 0],
      ['db', 2, 50n, 1],
    ],
  );
});

test('collapsing hides what is below, by level or by row', () => {
  const trace = tree();
  expect(ids(trace, visibleRows(trace, { level: undefined, toggled: new Set() }))).toBe('RABCDE');
  expect(ids(trace, visibleRows(trace, { level: 1, toggled: new Set() }))).toBe('RAC');
  expect(ids(trace, visibleRows(trace, { level: 1, toggled: new Set([3]) }))).toBe('RACDE');
  expect(ids(trace, visibleRows(trace, toggle({ level: undefined, toggled: new Set() }, 1)))).toBe('RACDE');
});

test('a hidden row is found on the ancestor that hides it, and can be revealed', () => {
  const trace = tree();
  const collapse = { level: 0, toggled: new Set<number>() };
  const visible = visibleRows(trace, collapse);
  expect(positionOf(visible, 5)).toBe(0);
  const opened = visibleRows(trace, reveal(trace, collapse, 4));
  expect(ids(trace, opened)).toBe('RACDE');
  expect(positionOf(opened, 2)).toBe(1);
});

test('search: terms must all match; quotes, minus and key=value', () => {
  const trace = makeTrace([
    {
      id: '00000000000000a1',
      start: 0,
      duration: 10,
      name: 'POST /orders',
      service: 'gateway',
      attributes: { 'http.status_code': 500 },
    },
    {
      id: '00000000000000a2',
      start: 1,
      duration: 5,
      parent: '00000000000000a1',
      name: 'SELECT users',
      service: 'db',
      attributes: { table: 'users' },
    },
    {
      id: '00000000000000a3',
      start: 2,
      duration: 5,
      parent: '00000000000000a1',
      name: 'charge card',
      service: 'payment',
      event: 'cache_miss',
      status: 2,
    },
  ]);
  const find = (query: string) => searchTrace(trace, query) && [...searchTrace(trace, query)!];
  expect(find('')).toBeUndefined();
  expect(find('orders post')).toEqual([0]);
  expect(find('"charge card"')).toEqual([2]);
  expect(find('USERS')).toEqual([1]);
  expect(find('-users')).toEqual([0, 2]);
  expect(find('http.status_code=500')).toEqual([0]);
  expect(find('500')).toEqual([0]);
  expect(find('cache_miss')).toEqual([2]);
  expect(find('00000000000000a2')).toEqual([1]);
  expect(find('status=error')).toEqual([2]);
  expect(find('payment')).toEqual([2]);
  expect(find('nothing')).toEqual([]);
});

test('attribute values of every type become text', () => {
  const dictionary = ['k', 'text', 'inner'];
  const raw = [
    0,
    1,
    1,
    0,
    2,
    '9007199254740993',
    0,
    3,
    'NaN',
    0,
    4,
    true,
    0,
    5,
    'AAE=',
    0,
    6,
    [1, 1, 2, 7],
    0,
    7,
    [2, 2, 1],
    0,
    0,
    null,
  ];
  expect(attributesOf(raw, dictionary).map((a) => valueText(a.value))).toEqual([
    'text',
    '9007199254740993',
    'NaN',
    'true',
    'AAE=',
    '["text",7]',
    '{"inner":1}',
    '',
  ]);
});

test('stack traces: frames of libraries are told from the own ones', () => {
  const lines = stackLines(
    'Traceback (most recent call last):\n  File "/srv/app/pay.py", line 10, in charge\n    stripe(card)\n' +
      '  File "/usr/lib/python3/site-packages/x.py", line 1, in y\n    z()\nCardError: declined\n',
  );
  expect(lines.map((l) => [l.heading, l.foreign])).toEqual([
    [true, false],
    [false, false],
    [false, false],
    [false, true],
    [false, true],
    [false, false],
  ]);
});
