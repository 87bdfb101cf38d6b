// Times and durations: bigint nanoseconds everywhere; this file is where they become text and come from text.

export type Ns = bigint;

export const US = 1_000n;
export const MS = 1_000_000n;
export const SECOND = 1_000_000_000n;
export const MINUTE = 60n * SECOND;
export const HOUR = 60n * MINUTE;
export const DAY = 24n * HOUR;

/** The clock, in ns since 1970 UTC (millisecond steps: what a browser gives). */
export function nowNs(): Ns {
  return BigInt(Date.now()) * MS;
}

/** Like "1.24 ms", "980 ns", "2 m 05 s"; three significant digits, "-" kept. */
export function formatDuration(ns: Ns): string {
  if (ns < 0n) return `−${formatDuration(-ns)}`;
  if (ns < US) return `${ns} ns`;
  if (ns < MS - 500n) return `${threeDigits(Number(ns) / 1e3)} µs`;
  if (ns < SECOND - 500n * US) return `${threeDigits(Number(ns) / 1e6)} ms`;
  if (ns < MINUTE) return `${threeDigits(Number(ns) / 1e9)} s`;
  if (ns < HOUR) return pair(ns, MINUTE, 'm', SECOND, 's');
  if (ns < DAY) return pair(ns, HOUR, 'h', MINUTE, 'm');
  return pair(ns, DAY, 'd', HOUR, 'h');
}

function threeDigits(value: number): string {
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return value.toFixed(digits).replace(/\.0+$|(\.\d*?)0+$/, '$1');
}

function pair(ns: Ns, big: Ns, bigName: string, small: Ns, smallName: string): string {
  const rest = (ns % big) / small;
  return rest === 0n ? `${ns / big} ${bigName}` : `${ns / big} ${bigName} ${rest} ${smallName}`;
}

const UNITS: Record<string, Ns> = {
  ns: 1n,
  us: US,
  µs: US,
  μs: US,
  ms: MS,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
  d: DAY,
};

/** Reads "250ms", "1.5s", "1h30m", "2 s"; undefined when it is no duration. A bare number is refused: it has no unit. */
export function parseDuration(text: string): Ns | undefined {
  const compact = text.replace(/\s+/g, '');
  if (!/^(\d+(\.\d+)?(ns|us|µs|μs|ms|s|m|h|d))+$/.test(compact)) return undefined;
  let total = 0n;
  for (const [, whole, , fraction = '', unit] of compact.matchAll(
    /(\d+)(\.(\d+))?(ns|us|µs|μs|ms|s|m|h|d)/g,
  )) {
    const size = UNITS[unit!]!;
    total += BigInt(whole!) * size;
    if (fraction) total += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
  }
  return total;
}

/** The shortest exact literal: 1500000n is "1.5ms". */
export function durationLiteral(ns: Ns): string {
  for (const [unit, size] of [
    ['h', HOUR],
    ['m', MINUTE],
    ['s', SECOND],
    ['ms', MS],
    ['us', US],
  ] as const) {
    if (ns >= size && ns % size === 0n) return `${ns / size}${unit}`;
    if (ns >= size && unit !== 'h' && unit !== 'm') {
      const fraction = (ns % size)
        .toString()
        .padStart(size.toString().length - 1, '0')
        .replace(/0+$/, '');
      return `${ns / size}.${fraction}${unit}`;
    }
  }
  return `${ns}ns`;
}

const two = (n: number) => String(n).padStart(2, '0');

/** Local date and time to the millisecond: "2026-11-21 15:04:05.123". */
export function formatDateTime(ns: Ns): string {
  const date = new Date(Number(ns / MS));
  if (Number.isNaN(date.getTime())) return `${ns} ns`;
  return `${formatDay(date)} ${formatClock(date)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

export function formatDay(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

export function formatClock(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Full precision, UTC: what a log line would hold. */
export function formatIso(ns: Ns): string {
  const seconds = ns >= 0n || ns % SECOND === 0n ? ns / SECOND : ns / SECOND - 1n;
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return `${ns} ns`;
  return `${date.toISOString().slice(0, 19)}.${(ns - seconds * SECOND).toString().padStart(9, '0')}Z`;
}

/** "just now", "40 s ago", "5 m ago", "in 3 h". */
export function formatAgo(ns: Ns, now: Ns): string {
  const gap = now - ns;
  const size = gap < 0n ? -gap : gap;
  if (size < 2n * SECOND) return 'just now';
  const [unit, name] =
    size < MINUTE ? [SECOND, 's'] : size < HOUR ? [MINUTE, 'm'] : size < DAY ? [HOUR, 'h'] : [DAY, 'd'];
  const text = `${size / (unit as bigint)} ${name}`;
  return gap < 0n ? `in ${text}` : `${text} ago`;
}

/** About `count` round steps across [from, to]: offsets for a ruler. */
export function ticks(from: Ns, to: Ns, count: number): Ns[] {
  const span = to - from;
  if (span <= 0n || count < 1) return [from];
  const rough = span / BigInt(count) || 1n;
  const step = roundStep(rough);
  const first = ((from + step - 1n) / step) * step;
  const out: Ns[] = [];
  for (let at = first; at <= to; at += step) out.push(at);
  return out;
}

const LONG_STEPS: Ns[] = [
  1n,
  2n,
  5n,
  10n,
  15n,
  30n,
  60n,
  120n,
  300n,
  600n,
  900n,
  1800n,
  3600n,
  7200n,
  21600n,
  43200n,
].map((s) => s * SECOND);

function roundStep(rough: Ns): Ns {
  if (rough >= SECOND) {
    const long = LONG_STEPS.find((s) => s >= rough);
    if (long) return long;
    let days = DAY;
    while (days < rough) days *= 2n;
    return days;
  }
  let power = 1n;
  while (power * 10n <= rough) power *= 10n;
  for (const m of [1n, 2n, 5n, 10n]) if (m * power >= rough) return m * power;
  return 10n * power;
}
