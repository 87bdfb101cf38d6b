import { describe, expect, test } from 'vitest';
import { contextAt } from './context';
import { attributeRef, literalToText, parseFilter, printFilter, textToLiteral } from './filter';

describe('form and text', () => {
  test.each([
    '{}',
    '{ resource.service.name = "shop" && name = "GET /" && status = error && duration >= 10ms && duration <= 1.5s }',
    '{ span.http.response.status_code >= 500 }',
    '{ resource.service.name = "a \\"quoted\\" one" && .customer =~ "a.*" && kind = server }',
    '{ span."foo bar" != nil && event.exception.type = "CardError" }',
    '{ duration > 10ms && name =~ "GET.*" && span.ratio < -1.5 && span.ok = true }',
  ])('%s comes back as it was', (text) => {
    expect(printFilter(parseFilter(text)!)).toBe(text);
  });

  test('the fields of the form are found', () => {
    const filter = parseFilter(
      '{ status = error && duration >= 1s && resource.service.name = "shop" && .n = 1 }',
    )!;
    expect(filter).toEqual({
      service: 'shop',
      operation: '',
      status: 'error',
      minDuration: 1_000_000_000n,
      conditions: [{ key: '.n', op: '=', literal: '1' }],
    });
    expect(parseFilter('')).toEqual(parseFilter('{}'));
  });

  test('what a field already holds twice stays as a condition', () => {
    const text = '{ resource.service.name = "a" && resource.service.name = "b" }';
    expect(parseFilter(text)!.conditions).toHaveLength(1);
    expect(printFilter(parseFilter(text)!)).toBe(text);
  });

  test.each([
    '{ .a = 1 || .b = 2 }',
    '{ (.a = 1) }',
    '{ !(.a = 1) }',
    '{ .a = 1 } && { .b = 2 }',
    '{ .a = 1 } | count() > 2',
    '{ .a + 1 = 2 }',
    '{ .a = .b }',
    '{ .a = }',
    '{ .a = 1',
    'hello',
    '{ .a = 1 /* why */ }',
  ])('%s is not for the form', (text) => {
    expect(parseFilter(text)).toBeUndefined();
  });
});

test('keys are quoted where they must be', () => {
  expect(attributeRef('span', 'http.route')).toBe('span.http.route');
  expect(attributeRef('resource', 'a b')).toBe('resource."a b"');
  expect(attributeRef('', 'x')).toBe('.x');
});

test('a value field shows strings bare, unless they would read as something else', () => {
  for (const literal of ['"abc"', '"500"', '500', 'true', '"true"', '10ms', '" x"', 'nil', '""'])
    expect(textToLiteral(literalToText(literal))).toBe(literal);
  expect(literalToText('"abc"')).toBe('abc');
  expect(literalToText('"500"')).toBe('"500"');
});

describe('completion context', () => {
  const at = (text: string) => contextAt(text, text.length);
  test.each([
    ['{ ', { kind: 'key', from: 2, prefix: '' }],
    ['{ span.ht', { kind: 'key', from: 2, prefix: 'span.ht' }],
    ['{ name = "x" && sta', { kind: 'key', from: 16, prefix: 'sta' }],
    ['{ span.a ', { kind: 'operator', from: 9, prefix: '', key: 'span.a' }],
    ['{ span.a =', { kind: 'value', from: 10, prefix: '', key: 'span.a', quoted: false }],
    ['{ span.a = "GE', { kind: 'value', from: 11, prefix: 'GE', key: 'span.a', quoted: true }],
    ['{ span."a b" = 5', { kind: 'value', from: 15, prefix: '5', key: 'span."a b"', quoted: false }],
    ['{ .a = "x" ', { kind: 'joiner', from: 11, prefix: '' }],
    ['{ .a = "x" } ', { kind: 'none' }],
    ['', { kind: 'none' }],
  ])('%j', (text, expected) => {
    expect(at(text)).toEqual(expected);
  });
});
