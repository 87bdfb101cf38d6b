// What may be written at the cursor of a TraceQL text: the part of completion that needs no server.

export type Context =
  | { kind: 'key'; from: number; prefix: string }
  | { kind: 'operator'; from: number; prefix: string; key: string }
  | { kind: 'value'; from: number; prefix: string; key: string; quoted: boolean }
  | { kind: 'joiner'; from: number; prefix: string }
  | { kind: 'none' };

const NAME = String.raw`(?:[A-Za-z_:]|[.])(?:[^\s{}()=~!<>&|^,"]|"(?:[^"\\]|\\.)*")*`;
const VALUE = new RegExp(
  String.raw`(${NAME})\s*(?:=~|!~|!=|>=|<=|=|>|<)\s*("(?:[^"\\]|\\.)*|[^\s"{}()&|]*)$`,
);
const OPERATOR = new RegExp(String.raw`(?:^|[\s({])(${NAME})\s+([=!<>~]*)$`);
const KEY = new RegExp(String.raw`(?:^|[\s({!])((?:${NAME})?)$`);
const DONE =
  /("|\d[a-zµ]*|\b(true|false|nil|ok|error|unset|server|client|internal|producer|consumer|unspecified))\s+([&|]*)$/;

/** Looks only at the text before `pos`, within the innermost open brace. */
export function contextAt(text: string, pos: number): Context {
  const open = text.lastIndexOf('{', pos - 1);
  if (open < 0 || text.lastIndexOf('}', pos - 1) > open) return { kind: 'none' };
  const before = text.slice(open + 1, pos);
  const value = VALUE.exec(before);
  if (value) {
    const raw = value[2]!;
    const quoted = raw.startsWith('"');
    return {
      kind: 'value',
      key: value[1]!,
      from: pos - raw.length,
      prefix: quoted ? raw.slice(1) : raw,
      quoted,
    };
  }
  const done = DONE.exec(before);
  if (done) return { kind: 'joiner', from: pos - done[3]!.length, prefix: done[3]! };
  const operator = OPERATOR.exec(before);
  if (operator)
    return { kind: 'operator', key: operator[1]!, from: pos - operator[2]!.length, prefix: operator[2]! };
  const key = KEY.exec(before);
  if (key) return { kind: 'key', from: pos - key[1]!.length, prefix: key[1]! };
  return { kind: 'none' };
}

export interface Intrinsic {
  name: string;
  type: 'duration' | 'string' | 'status' | 'kind' | 'id' | 'int';
  about: string;
}

export const INTRINSICS: Intrinsic[] = [
  { name: 'name', type: 'string', about: 'operation of the span' },
  { name: 'duration', type: 'duration', about: 'of the span: 10ms, 1.5s' },
  { name: 'status', type: 'status', about: 'ok, error or unset' },
  { name: 'statusMessage', type: 'string', about: 'text beside the status' },
  { name: 'kind', type: 'kind', about: 'server, client, internal, …' },
  { name: 'rootName', type: 'string', about: 'operation of the root span' },
  { name: 'rootServiceName', type: 'string', about: 'service of the root span' },
  { name: 'traceDuration', type: 'duration', about: 'of the whole trace' },
  { name: 'span:id', type: 'id', about: '16 hex digits' },
  { name: 'trace:id', type: 'id', about: '32 hex digits' },
  { name: 'event:name', type: 'string', about: 'any event of the span' },
  { name: 'instrumentation:name', type: 'string', about: 'instrumentation scope' },
];

export function operatorsFor(type: Intrinsic['type'] | undefined): string[] {
  if (type === 'status' || type === 'kind' || type === 'id') return ['=', '!='];
  if (type === 'duration' || type === 'int') return ['>', '>=', '<', '<=', '=', '!='];
  if (type === 'string') return ['=', '!=', '=~', '!~'];
  return ['=', '!=', '=~', '!~', '>', '>=', '<', '<='];
}
