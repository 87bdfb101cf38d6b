// Attribute lists, decoded only for the span that is looked at.
import { ValueType, type RawAttributes } from './columns';

export type Value =
  | { type: 'empty' }
  | { type: 'string'; value: string }
  | { type: 'int'; value: bigint }
  | { type: 'double'; value: number }
  | { type: 'bool'; value: boolean }
  | { type: 'bytes'; value: string }
  | { type: 'array'; value: Value[] }
  | { type: 'kvlist'; value: Attribute[] };

export interface Attribute {
  key: string;
  value: Value;
}

export function attributesOf(raw: RawAttributes, dictionary: readonly string[]): Attribute[] {
  const out: Attribute[] = [];
  for (let i = 0; i + 2 < raw.length; i += 3)
    out.push({
      key: dictionary[raw[i] as number]!,
      value: valueOf(raw[i + 1] as number, raw[i + 2], dictionary),
    });
  return out;
}

function valueOf(type: number, value: unknown, dictionary: readonly string[]): Value {
  switch (type) {
    case ValueType.string:
      return { type: 'string', value: dictionary[value as number]! };
    case ValueType.int:
      return { type: 'int', value: BigInt(value as number | string) };
    case ValueType.double:
      return { type: 'double', value: Number(value) };
    case ValueType.bool:
      return { type: 'bool', value: value as boolean };
    case ValueType.bytes:
      return { type: 'bytes', value: value as string };
    case ValueType.array: {
      const raw = value as unknown[];
      const items: Value[] = [];
      for (let i = 0; i + 1 < raw.length; i += 2)
        items.push(valueOf(raw[i] as number, raw[i + 1], dictionary));
      return { type: 'array', value: items };
    }
    case ValueType.kvlist:
      return { type: 'kvlist', value: attributesOf(value as unknown[], dictionary) };
    default:
      return { type: 'empty' };
  }
}

/** For display, copying and searching: strings bare, lists as JSON. */
export function valueText(value: Value): string {
  switch (value.type) {
    case 'empty':
      return '';
    case 'string':
    case 'bytes':
      return value.value;
    case 'int':
    case 'double':
    case 'bool':
      return String(value.value);
    default:
      return JSON.stringify(toJson(value));
  }
}

export function toJson(value: Value): unknown {
  switch (value.type) {
    case 'empty':
      return null;
    case 'int':
      return Number.isSafeInteger(Number(value.value)) ? Number(value.value) : value.value.toString();
    case 'double':
      return Number.isFinite(value.value) ? value.value : String(value.value);
    case 'array':
      return value.value.map(toJson);
    case 'kvlist':
      return Object.fromEntries(value.value.map((a) => [a.key, toJson(a.value)]));
    default:
      return value.value;
  }
}
