// Unknown JSON becomes typed values here, once; what does not fit is named by its path.

export class DecodeError extends Error {
  override name = 'DecodeError';
  constructor(path: string, expected: string, got: unknown) {
    super(
      `The server's answer is not what its API promises: ${path}: expected ${expected}, got ${show(got)}.`,
    );
  }
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

export type Decoder<T> = (value: unknown, path: string) => T;

export const string: Decoder<string> = (value, path) => {
  if (typeof value !== 'string') throw new DecodeError(path, 'a string', value);
  return value;
};

export const number: Decoder<number> = (value, path) => {
  if (typeof value !== 'number') throw new DecodeError(path, 'a number', value);
  return value;
};

export const boolean: Decoder<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new DecodeError(path, 'true or false', value);
  return value;
};

/** A 64-bit whole number: in decimal text, or a JSON number where the contract allows both. */
export const int64: Decoder<bigint> = (value, path) => {
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw new DecodeError(path, 'a whole number', value);
};

export function array<T>(item: Decoder<T>): Decoder<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new DecodeError(path, 'an array', value);
    return value.map((v, i) => item(v, `${path}[${i}]`));
  };
}

export function optional<T>(inner: Decoder<T>): Decoder<T | undefined> {
  return (value, path) => (value === undefined || value === null ? undefined : inner(value, path));
}

export function oneOf<T extends string>(...words: readonly T[]): Decoder<T> {
  return (value, path) => {
    if (!words.includes(value as T)) throw new DecodeError(path, `one of ${words.join(', ')}`, value);
    return value as T;
  };
}

type Shape = Record<string, Decoder<unknown>>;
type Decoded<S extends Shape> = { [K in keyof S]: ReturnType<S[K]> };

export function object<S extends Shape>(shape: S): Decoder<Decoded<S>> {
  const entries = Object.entries(shape);
  return (value, path) => {
    const fields = record(value, path);
    const out: Record<string, unknown> = {};
    for (const [key, decode] of entries) out[key] = decode(fields[key], path === '' ? key : `${path}.${key}`);
    return out as Decoded<S>;
  };
}

export function record(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DecodeError(path || 'answer', 'an object', value);
  return value as Record<string, unknown>;
}
