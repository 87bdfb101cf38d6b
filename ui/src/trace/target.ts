// What a call went to, for spans whose name says only what was done.
import { Kind, ValueType } from './columns';
import { nameOf, type Trace } from './model';

const VERB = /^(HTTP )?[A-Z]+$/;

/** The attributes that name a target, the most telling first; old and new semantic conventions. */
const KEYS = [
  'db.collection.name',
  'db.sql.table',
  'messaging.destination.name',
  'url.template',
  'db.namespace',
  'db.name',
  'server.address',
  'net.peer.name',
  'http.host',
  'peer.service',
  'db.system.name',
  'db.system',
];

/** Like "api.example.com" for a client's "POST", "orders" for its "SELECT"; "" where the name is enough or nothing is known. */
export function targetOf(trace: Trace, row: number): string {
  const kind = trace.spans.kind[row];
  if ((kind !== Kind.client && kind !== Kind.producer) || !VERB.test(nameOf(trace, row))) return '';
  const raw = trace.spans.attributes[row]!;
  let best = KEYS.length;
  let target = '';
  for (let i = 0; i + 2 < raw.length; i += 3) {
    const rank = KEYS.indexOf(trace.dictionary[raw[i] as number]!);
    if (rank < 0 || rank >= best || raw[i + 1] !== ValueType.string) continue;
    const value = trace.dictionary[raw[i + 2] as number]!;
    if (/^\d*$/.test(value)) continue; // a database that has a number tells nothing
    best = rank;
    target = value;
  }
  return target;
}
