import { expect, test } from 'vitest';
import { Kind } from './columns';
import { targetOf } from './target';
import { makeTrace, type TestSpan } from './testTrace';

const target = (span: Partial<TestSpan>) =>
  targetOf(makeTrace([{ id: 'A', start: 0, duration: 1, kind: Kind.client, ...span }]), 0);

test('a call that is named by its verb alone shows where it went', () => {
  expect(
    target({ name: 'POST', attributes: { 'server.address': 'api.example.com', 'server.port': 443 } }),
  ).toBe('api.example.com');
  expect(target({ name: 'HTTP GET', attributes: { 'net.peer.name': 'old.example.com' } })).toBe(
    'old.example.com',
  );
  expect(
    target({
      name: 'SELECT',
      attributes: { 'db.system.name': 'postgresql', 'db.collection.name': 'orders' },
    }),
  ).toBe('orders');
  const redis = { 'db.system.name': 'redis', 'db.namespace': '0', 'server.address': 'redis-cart' };
  expect(target({ name: 'HGET', attributes: redis })).toBe('redis-cart');
  expect(target({ name: 'INSERT', attributes: { 'db.name': 'shop', 'net.peer.name': '127.0.0.1' } })).toBe(
    'shop',
  );
});

test('a name that says more, a server, and an unknown target show nothing', () => {
  const attributes = { 'server.address': 'api.example.com' };
  expect(target({ name: 'POST /charge', attributes })).toBe('');
  expect(target({ name: 'POST', kind: Kind.server, attributes })).toBe('');
  expect(target({ name: 'POST' })).toBe('');
});
