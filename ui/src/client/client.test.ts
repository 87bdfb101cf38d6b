import { afterEach, expect, test, vi } from 'vitest';
import { makeColumns, parseSpans } from '../trace/testTrace';
import { ApiError, getServices, searchTraces } from './api';
import { decodeTrace } from './decodeTrace';

/** The wire form of a small trace: what the server would send. */
function wire(): Record<string, unknown> & { spans: Record<string, unknown[]> } {
  const columns = makeColumns(parseSpans('R: 0+100; A: 10+30 < R; B: 50+20 < R'));
  return JSON.parse(
    JSON.stringify(
      { ...columns, startNs: '1795000000000000000', endNs: '1795000000000000100' },
      (_, v: unknown) =>
        typeof v === 'bigint'
          ? Number(v)
          : ArrayBuffer.isView(v)
            ? Array.from(v as unknown as ArrayLike<number>, Number)
            : v,
    ),
  );
}

test('a trace is decoded with exact times', () => {
  const json = wire();
  json.spans.start![1] = '9007199254740993';
  expect(decodeTrace(json).spans.start[1]).toBe(9007199254740993n);
  expect(decodeTrace(json).startNs).toBe(1795000000000000000n);
});

test.each([
  [
    'a missing column',
    (j: ReturnType<typeof wire>) => delete j.spans.kind,
    'spans.kind: expected an array, got nothing',
  ],
  [
    'a column too short',
    (j: ReturnType<typeof wire>) => j.spans.name!.pop(),
    'spans.name.length: expected 3, got 2',
  ],
  [
    'an index out of the dictionary',
    (j: ReturnType<typeof wire>) => (j.spans.name![1] = 999),
    'spans.name[1]: expected a whole number from 0 to',
  ],
  [
    'a parent that is not above',
    (j: ReturnType<typeof wire>) => (j.spans.parent![2] = 1),
    'spans.parent[2]: expected 0, by the subtree sizes, got 1',
  ],
  [
    'a fraction of a nanosecond',
    (j: ReturnType<typeof wire>) => (j.spans.start![0] = 0.5),
    'spans.start[0]: expected a whole number, got 0.5',
  ],
  [
    'an unknown value type',
    (j: ReturnType<typeof wire>) => (j.spans.attributes![0] = [0, 9, 1]),
    'spans.attributes[0][1]: expected a value type',
  ],
  [
    'a broken attribute list',
    (j: ReturnType<typeof wire>) => (j.spans.attributes![0] = [0, 1]),
    'spans.attributes[0].length: expected a multiple of 3',
  ],
])('%s is named by its path', (_, damage, message) => {
  const json = wire();
  damage(json);
  expect(() => decodeTrace(json)).toThrow(message);
});

afterEach(() => void vi.unstubAllGlobals());
const answerWith = (status: number, body: unknown) =>
  vi.stubGlobal(
    'fetch',
    vi.fn(() =>
      Promise.resolve(new Response(typeof body === 'string' ? body : JSON.stringify(body), { status })),
    ),
  );

test('a refusal keeps its place in the query', async () => {
  answerWith(400, {
    error: { code: 'bad_request', message: 'unexpected }', line: 1, column: 7, offset: 6, length: 1 },
  });
  const error = await searchTraces({ q: '{ .a = }', limit: 20 }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    status: 400,
    code: 'bad_request',
    message: 'unexpected }',
    at: { line: 1, column: 7 },
  });
});

test('an answer that breaks the contract says where', async () => {
  answerWith(200, { services: [{ name: 'a', spanCount: 'many', errorCount: 0 }] });
  await expect(getServices({})).rejects.toThrow('services[0].spanCount: expected a number, got "many"');
});

test('a proxy that answers with HTML is quoted, not parsed', async () => {
  answerWith(502, '<h1>Bad gateway</h1>');
  await expect(getServices({})).rejects.toThrow('<h1>Bad gateway</h1>');
});
